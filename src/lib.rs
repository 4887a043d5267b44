//! Runs scheduled bots under supervision: every slot accounted for, every post exactly once, one bad bot never hurting
//! another.
//!
//! The rooms of the house, and who may use whom:
//!
//! | room | does | uses |
//! |---|---|---|
//! | [`cli`] | arguments → settings → one call per command | [`app`], [`client`], [`config`] |
//! | [`client`] | the control API from another process, typed (feature `client`) | nothing |
//! | [`app`] | the composition root; start here to embed the server | everything |
//! | [`http`] | listeners, probes, the control API, the stream, pages | messages of [`actors`], [`domain`] |
//! | [`actors`] | supervision, scheduling, runs, grouped writes | [`domain`], the traits of [`store`], [`platforms`], [`skills`] |
//! | [`config`] | files and environment → settings, with every problem collected | [`domain`] |
//! | [`store`] | state, ledger and posts on SQLite and PostgreSQL | [`domain`] |
//! | [`platforms`] | the console, Discord, webhooks | [`domain`], [`outbound`] |
//! | [`skills`] | the steps of a bot's pipeline | [`domain`], [`outbound`] |
//! | [`domain`] | the rules: schedules, slots, holds, outcomes, backoff | nothing |
//! | [`outbound`] | requests of bots to the outside, inside bounds | [`domain`] |
//! | [`telemetry`], [`clock`] | logs, metrics and traces; the time of day | nothing |
//!
//! To follow one slot through the house, read [`domain::slots`] (what becomes of it), [`actors::scheduler`] (who claims
//! it), [`actors::task`] (who runs it) and [`store`] (what is written, and on which premise). To follow a request of the control
//! API, read [`http::routes`] (what it asks), [`http::auth`] (who may), [`actors::door`] (the way in),
//! [`actors::coordinator`] (what is decided) and [`actors::board`] (what lists are answered from).

pub mod actors;
pub mod app;
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
pub mod clock;
pub mod config;
pub mod domain;
pub mod http;
pub mod outbound;
pub mod platforms;
pub mod skills;
pub mod store;
pub mod telemetry;
