//! Processes on one PostgreSQL, from outside: started, killed, frozen, cut off; then the ledger is audited.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a failure here is a failed test, and what was measured is told"
)]

#[path = "../support/books.rs"]
mod books;
#[path = "../actors/bots.rs"]
mod bots;
#[path = "../support/discord.rs"]
mod discord;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/replica.rs"]
mod replica;
#[path = "../actors/server.rs"]
mod server;
#[path = "../actors/stand.rs"]
mod stand;
#[path = "../support/tally.rs"]
mod tally;
#[path = "../support/troubled.rs"]
mod troubled;
#[path = "../support/wire.rs"]
mod wire;

mod chaos;
mod control;
mod figures;
mod frozen;
mod kills;
mod order;
mod outage;
mod overlapping;
mod pooled;
mod refused;
mod reload;
mod sharing;
mod single;
mod skewed;
mod states;
mod stopping;
