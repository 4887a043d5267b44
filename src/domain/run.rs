//! Who runs what: identities of replicas and executions, claims, and what starts a run.

use std::{fmt, sync::Arc};

use super::{Instant, bot::BotName};

/// The key of a ledger row (`actor_server_executions.id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub i64);

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One process, for as long as it lives: random, so that a restarted process is never taken for its predecessor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaId(Arc<str>);

impl ReplicaId {
    /// Wraps an id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What starts a run (`trigger`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A slot of the bot's schedule.
    Schedule,
    /// An operator.
    Manual,
    /// An event that the bot listens for.
    Event,
}

impl Trigger {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::Event => "event",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual, Self::Event]
            .into_iter()
            .find(|trigger| trigger.as_str() == text)
    }
}

/// The right of this process to run one row of the ledger, as long as nobody else has taken it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The ledger row.
    pub execution: ExecutionId,
    /// Whose row it is.
    pub bot: BotName,
    /// What it is for.
    pub trigger: Trigger,
    /// The slot; `None` for manual triggers and events.
    pub slot: Option<Instant>,
    /// When the run should start: slot and jitter, or the moment of the trigger.
    pub due: Instant,
    /// 1, or more for a run that is run again after its process died.
    pub attempt: u32,
}
