//! The control API: what its document says, what its answers look like, and what the server really serves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod cards;
mod document;
mod pictures;
mod schema;
mod views;
