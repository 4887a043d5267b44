//! The metrics as Prometheus meets them: every family from the start, valid, bounded, and moved by what really happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the server's clock is the real one"
)]

mod bound;
mod catalogue;
#[path = "../http/client.rs"]
#[allow(dead_code, reason = "the tests of the listeners use the rest of it")]
mod client;
#[path = "../support/sqlite_ledger.rs"]
mod ledger;
mod promtool;
mod scrape;
mod served;
#[path = "../support/server.rs"]
mod server;
