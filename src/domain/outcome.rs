//! How a slot or a run can end: a closed vocabulary, with the words of the ledger.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::hold::HoldKind;

/// `status` of a ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Claimed, waiting or at work.
    Running,
    /// Ran, and no skill failed.
    Succeeded,
    /// Ran, and a skill failed in the last attempt.
    Failed,
    /// The last attempt took longer than `timeout_seconds`.
    TimedOut,
    /// A skill panicked.
    Panicked,
    /// Stopped by an operator or by `overlap = "cancel_other"`.
    Cancelled,
    /// Its process died or had to stop before the run ended.
    Abandoned,
    /// Did not run, or a gate said no.
    Skipped,
    /// Did not run because it was too late.
    Missed,
}

impl Status {
    /// All values.
    pub const ALL: [Self; 9] = [
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Panicked,
        Self::Cancelled,
        Self::Abandoned,
        Self::Skipped,
        Self::Missed,
    ];

    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
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
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a run that ended so counts towards `max_consecutive_failures`.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Panicked)
    }

    /// The `success` column of a run that ended so; null while it runs and for slots that did not run.
    #[must_use]
    pub const fn success(self) -> Option<bool> {
        match self {
            Self::Succeeded | Self::Skipped => Some(true),
            Self::Failed | Self::TimedOut | Self::Panicked | Self::Cancelled | Self::Abandoned => {
                Some(false)
            }
            Self::Running | Self::Missed => None,
        }
    }
}

/// Why a slot did not run (`status` and `reason` of its ledger row).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// A run of the same bot was on.
    Overlap,
    /// The bot was held.
    Held(HoldKind),
    /// The downstream's breaker was open.
    BreakerOpen,
    /// The bot is switched off in its file.
    Disabled,
    /// Later than the threshold, or a newer slot was due.
    Late,
    /// Older than the catch-up window.
    Window,
}

impl Gap {
    /// The `status` column.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Overlap | Self::Held(_) | Self::BreakerOpen | Self::Disabled => Status::Skipped,
            Self::Late | Self::Window => Status::Missed,
        }
    }

    /// The `reason` column.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Overlap => "overlap",
            Self::Held(HoldKind::Manual) => "paused",
            Self::Held(kind) => kind.as_str(),
            Self::BreakerOpen => "breaker_open",
            Self::Disabled => "disabled",
            Self::Late => "late",
            Self::Window => "window",
        }
    }
}

/// How one skill of a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillOutcome {
    /// Such as `content_formatter`.
    pub skill: String,
    /// `succeeded`, `failed` or `skipped`.
    pub status: SkillStatus,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long it took, retries included, in milliseconds.
    pub duration_ms: u64,
}

/// `succeeded`, `failed` or `skipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillStatus {
    /// It did its work.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// It had nothing to do, was switched off, or a step before it ended the run.
    Skipped,
}

impl SkillStatus {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// How one attempt of a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// `Succeeded`, `Failed`, `TimedOut`, `Panicked`, `Cancelled`, `Abandoned`, or `Skipped` when a gate said no.
    pub status: Status,
    /// The gate that said no.
    pub gate: Option<Cow<'static, str>>,
    /// The error of an attempt that did not succeed.
    pub error: Option<String>,
    /// Whether another attempt may help.
    pub recoverable: bool,
    /// A hold that the platform's answer calls for.
    pub hold: Option<HoldKind>,
    /// The skills of this attempt, in order.
    pub skills: Vec<SkillOutcome>,
}

impl AttemptOutcome {
    /// An attempt that ended outside its skills: by a timeout, a panic, a cancel or a stop.
    #[must_use]
    pub fn broken(status: Status, error: impl Into<String>) -> Self {
        let recoverable = matches!(status, Status::TimedOut);
        Self {
            status,
            gate: None,
            error: Some(error.into()),
            recoverable,
            hold: None,
            skills: Vec::new(),
        }
    }

    /// How many skills ended with `status`.
    #[must_use]
    pub fn count(&self, status: SkillStatus) -> i32 {
        let n = self
            .skills
            .iter()
            .filter(|skill| skill.status == status)
            .count();
        i32::try_from(n).unwrap_or(i32::MAX)
    }
}
