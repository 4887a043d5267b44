//! Platforms: what each of them must do, and what Discord's and webhooks' own rules ask for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that meets the unexpected has failed, and servers beside it have clocks of their own"
)]

mod contract;
#[cfg(feature = "discord")]
#[path = "../support/discord.rs"]
mod discord;
#[cfg(feature = "discord")]
mod discord_answers;
#[cfg(feature = "discord")]
mod discord_attachments;
#[cfg(feature = "discord")]
mod discord_limits;
#[cfg(feature = "discord")]
mod discord_reading;
#[cfg(feature = "discord")]
mod discord_webhooks;
#[path = "../support/post.rs"]
mod posts;
#[path = "../support/receiver.rs"]
mod receiver;
mod signed_webhooks;
