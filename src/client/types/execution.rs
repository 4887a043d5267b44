//! Runs, and slots that did not run.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// One row of the ledger.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// Its number.
    pub id: i64,
    /// The bot.
    pub task_id: String,
    /// The bot's name for people.
    pub actor_name: Option<String>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Whether it was good; `None` while it runs and for slots that did not.
    pub success: Option<bool>,
    /// How many skills were good.
    pub skills_succeeded: Option<i64>,
    /// How many skills failed.
    pub skills_failed: Option<i64>,
    /// How many skills were passed over.
    pub skills_skipped: Option<i64>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// What became of it.
    pub status: Option<Status>,
    /// Why it did not run, or what stopped it.
    pub reason: Option<String>,
    /// What started it: `schedule`, `manual` or `event`.
    pub trigger: Option<String>,
    /// Its slot, if it has one.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// How many slots the row stands for.
    pub slots: Option<i64>,
    /// The last of them.
    pub slot_last: Option<DateTime<Utc>>,
    /// Which attempt it is at, or ended with.
    pub attempt: Option<i64>,
    /// The process that ran it.
    pub replica: Option<String>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// What each skill did.
    #[serde(default)]
    pub skills: Vec<SkillRun>,
    /// What was posted.
    #[serde(default)]
    pub posts: Vec<SentPost>,
    /// What a trigger or an event came with.
    #[serde(default)]
    pub input: Value,
}

impl Execution {
    /// Whether nothing more will become of it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status.as_ref().map_or_else(
            || self.completed_at.is_some(),
            |status| *status != Status::Running,
        )
    }
}

/// What became of a slot or a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// At work, or claimed.
    Running,
    /// Good.
    Succeeded,
    /// A skill failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It panicked.
    Panicked,
    /// Somebody stopped it.
    Cancelled,
    /// Its process ended first.
    Abandoned,
    /// It did not run, or a gate stopped it.
    Skipped,
    /// It was too late.
    Missed,
    /// One that this client does not know.
    #[serde(untagged)]
    Other(String),
}

impl Status {
    /// As it stands in the ledger.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
            Self::Other(text) => text,
        }
    }

    /// Whether it is an end that somebody should look at.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Failed | Self::TimedOut | Self::Panicked | Self::Cancelled | Self::Abandoned
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one skill did in a run.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct SkillRun {
    /// Which.
    pub name: Option<String>,
    /// `succeeded`, `failed` or `skipped`.
    pub status: Option<String>,
    /// Why it failed or was skipped.
    pub detail: Option<String>,
    /// How long it took.
    pub duration_ms: Option<i64>,
}

/// One message that a run handed to a platform.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct SentPost {
    /// Its row.
    pub id: Option<i64>,
    /// The run that made it.
    pub execution_id: Option<i64>,
    /// The bot.
    pub task_id: Option<String>,
    /// Such as `discord`.
    pub platform: Option<String>,
    /// Where to.
    pub destination: Option<String>,
    /// What it says.
    pub body: Option<String>,
    /// `pending`, `sent`, `failed` or `dead`.
    pub status: Option<String>,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// What the platform calls it.
    pub platform_message_id: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// When it was stored.
    pub created_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub posted_at: Option<DateTime<Utc>>,
}
