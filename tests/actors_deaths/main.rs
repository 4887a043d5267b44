//! Deaths of actors at work, brought about by fail points. A binary of its own: fail points are everybody's.
#![cfg(feature = "failpoints")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a test that fails should say where, and uses a part of what the tests of the actors use"
)]

mod alert;
#[path = "../actors/bots.rs"]
mod bots;
mod core;
mod counted;
#[path = "../actors/desk.rs"]
mod desk;
mod persistence;
#[path = "../support/scripted.rs"]
mod scripted;
#[path = "../actors/server.rs"]
mod server;
#[path = "../actors/stand.rs"]
mod stand;
mod task;
#[path = "../support/troubled.rs"]
mod troubled;
