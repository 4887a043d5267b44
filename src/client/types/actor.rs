//! Bots as the server shows them.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A bot.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Actor {
    /// Its name.
    pub name: String,
    /// Whether it is switched on in its configuration.
    #[serde(default)]
    pub enabled: bool,
    /// Whether a hold keeps it from running.
    #[serde(default)]
    pub is_paused: bool,
    /// Failed runs since the last good one.
    #[serde(default)]
    pub consecutive_failures: i64,
    /// When its last run started.
    pub last_run: Option<DateTime<Utc>>,
    /// When its last run that succeeded ended.
    pub last_success: Option<DateTime<Utc>>,
    /// When it runs next.
    pub next_run: Option<DateTime<Utc>>,
    /// `Cron`, `Interval`, `Once` or `Immediate`.
    pub schedule_type: Option<String>,
    /// Its name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its schedule in words.
    pub schedule: Option<String>,
    /// The zone of a cron expression.
    pub timezone: Option<String>,
    /// When it will run.
    #[serde(default)]
    pub next_slots: Vec<DateTime<Utc>>,
    /// Why it does not run.
    pub hold: Option<Hold>,
    /// Its runs at work in the process that answered.
    #[serde(default)]
    pub running: Vec<i64>,
    /// What happens to a slot while a run is on.
    pub overlap: Option<String>,
    /// The channel of Discord it posts to.
    pub channel_id: Option<String>,
    /// Where its posts go: `console`, `discord`, `discord_webhook`, `webhook`, or a platform of the server's own.
    pub platform: Option<String>,
    /// Where on that platform.
    pub destination: Option<String>,
}

/// Why a bot does not run.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Hold {
    /// `manual`, `failures`, `refused`, `given_up` or `invalid`.
    pub kind: String,
    /// For people.
    pub reason: Option<String>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// Who set it.
    pub by: Option<String>,
}

/// How a bot is doing.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ActorStatus {
    /// Its name.
    pub actor: String,
    /// Whether a hold keeps it from running.
    #[serde(default)]
    pub is_paused: bool,
    /// Failed runs since the last good one.
    #[serde(default)]
    pub consecutive_failures: i64,
    /// When its last run started.
    pub last_run: Option<DateTime<Utc>>,
    /// When it runs next.
    pub next_run: Option<DateTime<Utc>>,
    /// How many runs the rate is of, five at most.
    #[serde(default)]
    pub recent_executions: i64,
    /// How many of them were good, such as `80.0%`.
    #[serde(default)]
    pub recent_success_rate: Option<String>,
}

/// A run by hand was started.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Triggered {
    /// For people.
    #[serde(default)]
    pub message: String,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
    /// The run.
    pub execution_id: i64,
}

/// Holds of one kind were ended.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Resumed {
    /// The bots that were held.
    #[serde(default)]
    pub resumed: Vec<String>,
}
