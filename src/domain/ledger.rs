//! The ledger as readers see it: one row for each run, and for each range of slots that did not run.

use serde_json::Value;

use super::{
    Instant,
    bot::BotName,
    outcome::Status,
    run::{ExecutionId, Trigger},
};

/// One row of the ledger, for readers.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    /// `id`.
    pub id: ExecutionId,
    /// `task_id`.
    pub bot: BotName,
    /// `actor_name`.
    pub actor_name: String,
    /// `trigger`.
    pub trigger: Trigger,
    /// `scheduled_for`.
    pub scheduled_for: Option<Instant>,
    /// `slots`.
    pub slots: i64,
    /// `slot_last`.
    pub slot_last: Option<Instant>,
    /// `status`.
    pub status: Status,
    /// `reason`.
    pub reason: Option<String>,
    /// `attempt`.
    pub attempt: u32,
    /// `replica`.
    pub replica: Option<String>,
    /// `started_at`.
    pub started_at: Option<Instant>,
    /// `completed_at`.
    pub completed_at: Option<Instant>,
    /// `success`.
    pub success: Option<bool>,
    /// `skills_succeeded`, `skills_failed`, `skills_skipped`.
    pub skills: [i32; 3],
    /// `error_message`.
    pub error: Option<String>,
    /// `cancel_requested`.
    pub cancel_requested: bool,
    /// `created_at`.
    pub created_at: Instant,
    /// `metadata`.
    pub metadata: Value,
}

/// Which rows of the ledger, newest first (by `id`, which never changes, so that a page stays right while rows arrive).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// Of this bot.
    pub bot: Option<BotName>,
    /// With this status.
    pub status: Option<Status>,
    /// Started by this.
    pub trigger: Option<Trigger>,
    /// Whose time (start of a run, else its slot, else when it was recorded) is not before this moment.
    pub since: Option<Instant>,
    /// Whose time is before this moment.
    pub until: Option<Instant>,
    /// Also slots that did not run.
    pub all: bool,
    /// Only rows that are older than this one: where the last page ended.
    pub after: Option<ExecutionId>,
    /// Leave out so many of the newest.
    pub offset: u32,
    /// At most so many.
    pub limit: u32,
}
