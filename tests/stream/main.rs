//! What happens, as it is told: what is kept and for whom, what runs and holds tell, and the stream and the events of
//! the control API over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a test that fails should say where, and uses a part of what the tests of the actors use"
)]

#[path = "../actors/bots.rs"]
mod bots;
mod bounds;
mod client;
mod events;
mod happenings;
mod news;
#[path = "../actors/server.rs"]
mod server;
mod signature;
#[path = "../actors/stand.rs"]
mod stand;
mod streams;
#[path = "../support/troubled.rs"]
mod troubled;
