//! The server from outside: the real binary on SQLite, watched through its tables, its output and its exit code.
//!
//! Nothing here knows how the server is built. Each test has a folder of its own and waits for what it expects with a
//! deadline, so that tests run side by side on a busy machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and the server's clock is the real one"
)]

#[path = "../support/discord.rs"]
mod discord;
#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/server.rs"]
mod server;

#[cfg(feature = "failpoints")]
mod attempts;
mod bots;
mod changes;
mod clock;
mod commands;
#[cfg(all(feature = "failpoints", feature = "discord"))]
mod crashes;
#[cfg(feature = "discord")]
mod discord_posts;
mod holds;
#[cfg(feature = "discord")]
mod kills;
mod late_slots;
mod logs;
#[cfg(feature = "discord")]
mod order;
#[cfg(feature = "failpoints")]
mod overlap;
#[cfg(all(feature = "failpoints", feature = "discord"))]
mod panics;
mod reload;
mod schedules;
mod starting;
#[cfg(feature = "failpoints")]
mod stopping;
mod troubles;
mod week;
