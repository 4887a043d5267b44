//! What operators write, read by the loader: good files, broken ones, the environment, and large ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that panics has failed, which is its purpose"
)]

mod broken;
mod check_output;
mod environment;
mod hostile;
mod keys;
mod merging;
mod quarantine;
mod scale;
mod shared;
mod shipped;
mod support;
