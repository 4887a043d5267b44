//! What a collector of traces gets from the real binary, and what stands in its log: a trace a run, in the trace of whoever
//! asked for it, and one line an event whatever is in it.
#![cfg(all(feature = "otel", feature = "discord"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the server's clock is the real one"
)]

#[path = "../server/bots.rs"]
mod bots;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../http/client.rs"]
mod client;
#[path = "../support/discord.rs"]
mod discord;
#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/server.rs"]
mod server;

mod callers;
mod collector;
mod embedded;
mod lines;
mod outages;
mod runs;
mod settings;
mod shared;
mod stand;
