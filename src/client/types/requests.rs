//! What is asked.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// Which bots.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ActorFilter {
    /// Only those that are (not) held.
    pub paused: Option<bool>,
    /// Only those that are (not) switched on.
    pub enabled: Option<bool>,
    /// Only those whose name contains this.
    pub q: Option<String>,
    /// A page of so many; all without it.
    pub limit: Option<u32>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// Which runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExecutionFilter {
    /// Of this bot.
    pub actor: Option<String>,
    /// With this status, such as `failed`.
    pub status: Option<String>,
    /// Started by this: `schedule`, `manual` or `event`.
    pub trigger: Option<String>,
    /// Not before.
    #[serde(serialize_with = "rfc3339")]
    pub since: Option<DateTime<Utc>>,
    /// Before.
    #[serde(serialize_with = "rfc3339")]
    pub until: Option<DateTime<Utc>>,
    /// A page of so many, 500 at most (50).
    pub limit: Option<u32>,
    /// Leave out so many of the newest.
    pub offset: Option<u32>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// `all`: also slots that did not run.
    pub include: Option<String>,
}

/// Which posts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PostFilter {
    /// Of this bot.
    pub actor: Option<String>,
    /// With this status: `pending`, `sent`, `failed` or `dead`.
    pub status: Option<String>,
    /// A page of so many, 500 at most (50).
    pub limit: Option<u32>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// How much of the alerts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertFilter {
    /// So many deliveries, 500 at most (50).
    pub limit: Option<u32>,
}

/// Which entries of the audit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AuditFilter {
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this action, such as `pause`.
    pub action: Option<String>,
    /// About this target.
    pub target: Option<String>,
    /// Not before.
    #[serde(serialize_with = "rfc3339")]
    pub since: Option<DateTime<Utc>>,
    /// Before.
    #[serde(serialize_with = "rfc3339")]
    pub until: Option<DateTime<Utc>>,
    /// A page of so many.
    pub limit: Option<u32>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// Which items of a knowledge table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ContentFilter {
    /// A page of so many.
    pub limit: Option<u32>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// How to hold a bot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PauseRequest {
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the hold ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// How to run a bot by hand.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TriggerRequest {
    /// Why, for people; it stands in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Post nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// What to post instead of what the bot would choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
}

/// Something that has happened, for the bots that listen for it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Event {
    /// What the bots listen for.
    pub event_type: String,
    /// Where it comes from.
    pub source: String,
    /// Goes to the runs' context.
    pub payload: Value,
}

/// An item for a knowledge table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewItem {
    /// What it is known by within its table: a second one with the same key takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Words to choose by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// 0 to 1; the higher the sooner (0.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// Not to be posted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// Not to be posted from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// URLs of images and the like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// Whatever else templates want.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
}

/// A time as a parameter: with `Z`, whose alternative has a `+` that means a space in a query.
#[expect(clippy::ref_option, reason = "serde calls it so")]
fn rfc3339<S: serde::Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    text.serialize(serializer)
}
