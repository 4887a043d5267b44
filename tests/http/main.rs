//! The listeners from outside: the real binary, asked over real sockets, also by clients that break the rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the server's clock is the real one"
)]

#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/server.rs"]
mod server;

mod client;
mod closing;
mod limits;
mod listeners;
mod malformed;
mod metrics;
mod outage;
mod probes;
mod problems;
mod slow;
#[cfg(feature = "failpoints")]
mod wedged;

use server::Home;

/// A server with nothing to do.
fn home() -> Home {
    Home::new("[server]\nshutdown_grace_seconds = 5\n")
}
