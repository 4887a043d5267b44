//! Alerts.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is wrong now, and what was told lately.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Alerts {
    /// Incidents that are not over, the oldest first.
    #[serde(default)]
    pub open: Vec<Incident>,
    /// Deliveries to the channels, the newest first.
    #[serde(default)]
    pub deliveries: Vec<AlertDelivery>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Incident {
    /// Such as `failures/daily_poster`.
    pub incident: String,
    /// Such as `failures`.
    pub kind: Option<String>,
    /// The bot, if it is about one.
    pub actor: Option<String>,
    /// `info`, `warning`, `error` or `critical`.
    #[serde(default)]
    pub severity: String,
    /// One line.
    #[serde(default)]
    pub title: String,
    /// What is known.
    #[serde(default)]
    pub detail: String,
    /// When it began.
    pub since: Option<DateTime<Utc>>,
    /// When anybody was told of it last.
    pub reminded_at: Option<DateTime<Utc>>,
    /// How much of it.
    pub count: Option<u64>,
}

/// What one channel is told about one step of an incident.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AlertDelivery {
    /// Grows with time.
    pub id: i64,
    /// `webhook`, `discord` or `pagerduty`.
    #[serde(default)]
    pub channel: String,
    /// The incident.
    #[serde(default)]
    pub incident: String,
    /// What is wrong.
    pub kind: Option<String>,
    /// `raised`, `reminder` or `recovered`.
    #[serde(default)]
    pub stage: String,
    /// `info`, `warning`, `error` or `critical`.
    pub severity: Option<String>,
    /// The bot, if it is about one.
    pub actor: Option<String>,
    /// One line.
    #[serde(default)]
    pub title: String,
    /// `pending`, `sent`, `failed` or `dropped`.
    #[serde(default)]
    pub status: String,
    /// How often it was tried.
    pub attempts: Option<u32>,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was stored.
    pub created_at: Option<DateTime<Utc>>,
    /// When the channel took it.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What the channels said to a test notice.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AlertTests {
    /// Each of them.
    #[serde(default)]
    pub channels: Vec<AlertTest>,
    /// When they had said it.
    pub timestamp: Option<DateTime<Utc>>,
}

impl AlertTests {
    /// The channels that did not take it.
    pub fn failed(&self) -> impl Iterator<Item = &AlertTest> {
        self.channels.iter().filter(|channel| !channel.sent)
    }
}

/// What one channel said.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AlertTest {
    /// Which.
    pub channel: String,
    /// Whether it took the notice.
    #[serde(default)]
    pub sent: bool,
    /// Why not.
    pub error: Option<String>,
}
