//! The actors, each by itself and all together: how they end and are restarted, what their deaths cost, and what
//! operators can do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod audit;
mod board;
mod bots;
mod breakers;
mod contract;
mod control;
mod desk;
mod embedded;
mod events;
mod finding;
mod gauges;
mod outage;
mod persistence;
mod queue;
mod racing;
mod reload;
mod reload_load;
mod rescued;
mod roster;
#[path = "../support/scripted.rs"]
mod scripted;
mod server;
mod stand;
mod stopping;
mod supervision;
mod triggers;
#[path = "../support/troubled.rs"]
mod troubled;
mod work;
