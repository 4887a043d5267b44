//! The actors, each by itself and all together: how they end and are restarted, what their deaths cost, and what
//! operators can do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that fails should say where"
)]

mod audit;
mod board;
mod bots;
mod breakers;
mod contract;
mod control;
mod counted;
mod desk;
mod embedded;
mod events;
mod finding;
mod gauges;
mod outage;
mod outbox;
mod persistence;
mod queue;
mod racing;
mod reload;
mod reload_load;
mod rescued;
mod roster;
mod scraped;
#[path = "../support/scripted.rs"]
mod scripted;
mod server;
mod stand;
mod stopping;
mod supervision;
#[path = "../support/tally.rs"]
mod tally;
mod triggers;
#[path = "../support/troubled.rs"]
mod troubled;
mod work;
