//! Who did what, when, from where, and what it changed.

use serde_json::Value;

use super::Instant;

/// One control action, carried out or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Instant,
    /// Who: a token's `sub`, `event signature`, `SIGHUP`, `command line`, or `anonymous`.
    pub subject: String,
    /// The token's role.
    pub role: Option<String>,
    /// What, such as `pause`.
    pub action: String,
    /// To what: a bot, a run, a dependency.
    pub target: Option<String>,
    /// The client's address.
    pub remote: Option<String>,
    /// The `X-Request-Id` of the answer.
    pub request_id: Option<String>,
    /// What was there before.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
    /// `ok`, or why it was refused.
    pub outcome: String,
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Grows with time.
    pub id: i64,
    /// What it says.
    pub entry: AuditEntry,
}

/// Which entries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// About this target.
    pub target: Option<String>,
    /// Not before.
    pub since: Option<Instant>,
    /// Before.
    pub until: Option<Instant>,
    /// Only entries older than this one.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}
