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
mod bots;
mod contract;
mod control;
mod desk;
mod embedded;
mod outage;
mod persistence;
mod queue;
mod roster;
#[path = "../support/scripted.rs"]
mod scripted;
mod server;
mod stand;
mod stopping;
mod supervision;
#[path = "../support/troubled.rs"]
mod troubled;
mod work;
