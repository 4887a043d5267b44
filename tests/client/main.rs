//! The client and the command `ctl`, against a server that answers what a test told it to.
//!
//! What the control API really answers is for the tests of the server; here it is what a client makes of any answer,
//! also of a wrong, a late and a hostile one.
#![cfg(feature = "client")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the commands' clock is the real one"
)]

mod answers;
mod commands;
mod help;
mod hostile;
mod requests;
mod stand_in;
mod streaming;
mod troubles;
mod usage;
