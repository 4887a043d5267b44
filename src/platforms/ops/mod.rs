//! Outward channels of the people who run the server: where alerts go.
//!
//! A channel makes one request (two for a test on PagerDuty), waits 10 s at most, and says what came of it; it never
//! tries again by itself. Texts of notices may come from outside: each channel cleans, escapes and cuts them. No
//! error has a secret, or a URL beyond its origin, in it.

pub(super) mod address;
mod answer;
pub mod discord;
mod names;
mod outlet;
pub mod pagerduty;
pub mod pings;
mod text;
pub mod webhook;

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::alert::Notice;

/// Delivers notices to one place.
#[async_trait]
pub trait OpsChannel: Send + Sync + 'static {
    /// The name that configuration, storage and metrics use: `webhook`, `discord`, `pagerduty`.
    fn name(&self) -> &'static str;

    /// Delivers one notice. It may be delivered again with the same id when an answer was lost.
    ///
    /// # Errors
    /// It was not taken; whether another attempt may help.
    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered>;
}

/// Why a notice was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// Later it may be.
    #[error("{reason}")]
    Later {
        /// What happened.
        reason: String,
        /// When the other side wants to be asked again.
        after: Option<Duration>,
    },
    /// It never will be.
    #[error("{0}")]
    Never(String),
}
