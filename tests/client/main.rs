//! The client and the command `ctl`, against the real server (`served`), and against one that answers what a test told it to:
//! what a client makes of any answer, also of a wrong, a late and a hostile one.
#![cfg(feature = "client")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the commands' clock is the real one"
)]

#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/server.rs"]
mod server;

mod alerts;
mod answers;
mod commands;
mod help;
mod hostile;
mod posts;
mod requests;
mod served;
mod stand_in;
mod streaming;
mod troubles;
mod usage;
