//! A notice on its way to one channel, as a store keeps it.

use super::Notice;
use crate::domain::Instant;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// To be sent, now or later.
    Pending,
    /// The channel took it.
    Sent,
    /// The channel refuses it, or did not take it in time.
    Failed,
    /// Mentioned in a digest instead, because too much was sent to the channel within an hour.
    Dropped,
}

impl DeliveryStatus {
    /// All values.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Failed, Self::Dropped];

    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One notice for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The store's number of it.
    pub id: i64,
    /// The channel: `webhook`, `discord`, `pagerduty`.
    pub channel: String,
    /// What it is told.
    pub notice: Notice,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: Instant,
    /// Why the last attempt failed, or what it was mentioned in.
    pub error: Option<String>,
    /// When it was stored.
    pub created_at: Instant,
    /// When the channel took it.
    pub sent_at: Option<Instant>,
}
