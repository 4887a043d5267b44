//! An incident as a store keeps it, from its beginning to its end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlertKind, Severity};
use crate::domain::{Instant, bot::BotName};

/// One thing that is wrong, or was. A key has at most one that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Given by the store; 0 before that.
    pub id: i64,
    /// Grows by one with every change that is stored, whoever stores it.
    pub revision: i64,
    /// `KIND/SUBJECT`, such as `failures/daily_poster`.
    pub key: String,
    /// What is wrong.
    pub kind: AlertKind,
    /// Which bot, if it is about one.
    pub bot: Option<BotName>,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What is known: bounded, of several lines perhaps.
    pub detail: String,
    /// When it began.
    pub since: Instant,
    /// When anybody was told of it last.
    pub reminded_at: Option<Instant>,
    /// How much of it: failed runs in a row, missed slots; 1 for what has no number.
    pub count: u64,
    /// When it was over.
    pub recovered_at: Option<Instant>,
    /// What later steps need to know.
    pub memory: Memory,
}

/// What later steps of an incident need to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The channels that were told, and when they were told last.
    #[serde(default)]
    pub told: BTreeMap<String, Instant>,
    /// The first of the missed slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Instant>,
    /// The last of the missed slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Instant>,
    /// How often it has come back soon after it was over.
    #[serde(default)]
    pub returns: u32,
    /// Since when it is over, while it is watched whether it comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calm_since: Option<Instant>,
}

impl Incident {
    /// Whether it still lasts.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.recovered_at.is_none()
    }
}
