//! The server itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// The tree, the breakers, the replicas.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Supervision {
    /// Every actor.
    #[serde(default)]
    pub actors: Vec<ActorReport>,
    /// Every downstream's circuit breaker.
    #[serde(default)]
    pub breakers: Vec<Breaker>,
    /// Every process on the same database; `None` while it cannot be asked.
    pub replicas: Option<Vec<Replica>>,
    /// Why it cannot be asked.
    pub replicas_error: Option<String>,
}

/// One actor of the tree.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ActorReport {
    /// Its place in the tree.
    pub name: String,
    /// Who looks after it.
    pub supervisor: Option<String>,
    /// `running`, `resting`, `restarting` or `given_up`.
    #[serde(default)]
    pub state: String,
    /// Restarts since the process started.
    pub restarts: Option<i64>,
    /// Restarts left in the window.
    pub budget_left: Option<i64>,
    /// Its last end that was not a normal stop.
    pub last_crash: Option<String>,
    /// Messages that wait for it.
    pub mailbox: Option<i64>,
}

/// A circuit breaker.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Breaker {
    /// Of what.
    pub dependency: String,
    /// `closed`, `half_open` or `open`.
    #[serde(default)]
    pub state: String,
}

/// A circuit breaker was closed by hand.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct BreakerReset {
    /// For people.
    pub message: Option<String>,
    /// Of what.
    pub dependency: Option<String>,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
}

/// A process.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Replica {
    /// Random.
    pub id: String,
    /// Where its control API listens.
    pub address: Option<String>,
    /// The program's version.
    pub version: Option<String>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// Its last heartbeat.
    pub last_seen: Option<DateTime<Utc>>,
    /// Whether its lease is good.
    pub alive: Option<bool>,
}

/// The files were read again.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Reload {
    /// For people.
    pub message: Option<String>,
    /// Whether nothing was changed because nothing was to be.
    #[serde(default)]
    pub dry_run: bool,
    /// What has changed, or would.
    #[serde(default)]
    pub plan: ReloadPlan,
}

/// What a reload changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct ReloadPlan {
    /// New bots.
    #[serde(default)]
    pub added: Vec<BotChange>,
    /// Bots that are no longer there.
    #[serde(default)]
    pub removed: Vec<BotChange>,
    /// Bots that are other than before.
    #[serde(default)]
    pub changed: Vec<BotChange>,
    /// Settings that take effect at once.
    #[serde(default)]
    pub settings: Vec<String>,
    /// Settings that take effect after a restart.
    #[serde(default)]
    pub needs_restart: Vec<String>,
    /// What is probably not meant.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a reload changes about one bot.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct BotChange {
    /// Which.
    pub actor: String,
    /// Which of its keys.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Its schedule before and after.
    #[serde(default)]
    pub schedule: Value,
    /// Its next slots before and after.
    #[serde(default)]
    pub next_slots: Value,
}

/// A run is asked to stop.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Cancelling {
    /// For people.
    pub message: Option<String>,
    /// The run.
    pub execution_id: Option<i64>,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
}

/// How the server is.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// When it was asked.
    pub timestamp: Option<DateTime<Utc>>,
    /// Each part, by its name.
    #[serde(default)]
    pub components: BTreeMap<String, ComponentHealth>,
}

/// How one part is.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ComponentHealth {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// A probe's answer.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Probe {
    /// `ok`, `ready`, `not_ready`, `started`, `starting`.
    pub status: String,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
    /// What ready depends on.
    #[serde(default)]
    pub checks: Value,
}

/// Who did what.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Grows with time.
    pub id: i64,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Who.
    pub subject: Option<String>,
    /// The token's role.
    pub role: Option<String>,
    /// What.
    pub action: Option<String>,
    /// To what.
    pub target: Option<String>,
    /// From where.
    pub remote: Option<String>,
    /// The `X-Request-Id` of the answer.
    pub request_id: Option<String>,
    /// What was there before.
    #[serde(default)]
    pub before: Value,
    /// What was there after.
    #[serde(default)]
    pub after: Value,
    /// `ok`, or why it was refused.
    pub outcome: Option<String>,
}

/// An item of a knowledge table.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ContentItem {
    /// Its row.
    pub id: i64,
    /// What it is known by within its table.
    pub key: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// The text.
    #[serde(default)]
    pub body: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Words to choose by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// 0 to 1; the higher the sooner.
    pub priority: Option<f64>,
    /// Not to be posted before.
    pub not_before: Option<DateTime<Utc>>,
    /// Not to be posted from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// URLs of images and the like.
    #[serde(default)]
    pub media: Vec<String>,
    /// Whatever else templates want.
    #[serde(default)]
    pub metadata: Value,
    /// When it was stored first.
    pub created_at: Option<DateTime<Utc>>,
}

/// A knowledge table.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct KnowledgeTable {
    /// Its name.
    pub table: String,
    /// Items in it.
    pub items: u64,
    /// Of these: not to be posted yet.
    #[serde(default)]
    pub waiting: u64,
    /// Of these: not to be posted any more.
    #[serde(default)]
    pub expired: u64,
    /// When the newest was stored first.
    pub newest: Option<DateTime<Utc>>,
}

/// Items were added.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Added {
    /// How many.
    pub count: Option<u64>,
    /// Their rows, in the order of the items.
    #[serde(default)]
    pub ids: Vec<i64>,
}

/// Items were removed.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Removed {
    /// How many.
    pub removed: u64,
}

/// An event was taken.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct EventAccepted {
    /// The runs that it started, of a repetition those that the first one started.
    #[serde(default)]
    pub executions: Vec<Started>,
}

/// A run that an event started.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Started {
    /// The bot.
    pub actor: String,
    /// The run.
    pub execution_id: i64,
}
