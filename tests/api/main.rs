//! The control API: what its document says, what its answers look like, and what the server really serves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the server's clock is the real one"
)]

#[path = "../http/client.rs"]
#[allow(dead_code, reason = "another test's tool: this one uses a part of it")]
mod client;
#[cfg(feature = "discord")]
#[path = "../support/discord.rs"]
mod discord;
#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/receiver.rs"]
mod receiver;
#[path = "../support/server.rs"]
mod server;

mod alert_channels;
mod alerts;
mod bodies;
mod bots;
#[cfg(feature = "discord")]
mod breakers;
mod cards;
mod document;
mod knowledge;
mod pictures;
mod posts;
mod runs;
mod schema;
mod served;
mod stand;
mod system;
mod views;
#[cfg(feature = "discord")]
mod webhooks;
