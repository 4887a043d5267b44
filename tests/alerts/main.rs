//! Alerts: what becomes an incident, who is told of it and when, what a crash or an outage costs, and what the real binary
//! sends to receivers that stand in for the world.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that fails should say where"
)]

mod actor;
#[path = "../support/server.rs"]
mod binary;
mod book;
#[path = "../actors/bots.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod bots;
#[path = "../support/postgres.rs"]
mod cluster;
mod course;
mod dead_posts;
mod desk;
mod flood;
#[path = "../support/sqlite_ledger.rs"]
mod ledger;
mod outside;
mod pings;
#[path = "../support/receiver.rs"]
mod receiver;
mod replicas;
#[path = "../actors/server.rs"]
mod server;
mod signs;
#[path = "../actors/stand.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod stand;
mod tested;
#[path = "../support/troubled.rs"]
mod troubled;
