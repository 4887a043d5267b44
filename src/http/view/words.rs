//! The closed vocabularies of the ledger, as parameters and answers have them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{
    outcome::{SkillStatus, Status},
    post::PostStatus,
    run::Trigger,
};

/// What became of a run or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Claimed, waiting or at work.
    Running,
    /// Ran, and no skill failed.
    Succeeded,
    /// Ran, and a skill failed in the last attempt.
    Failed,
    /// The last attempt took too long.
    TimedOut,
    /// A skill panicked.
    Panicked,
    /// Stopped by an operator, or by `overlap`.
    Cancelled,
    /// Its process died, or had to stop.
    Abandoned,
    /// Did not run, or a gate said no.
    Skipped,
    /// Was too late.
    Missed,
}

impl From<Status> for RunStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Running => Self::Running,
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::TimedOut => Self::TimedOut,
            Status::Panicked => Self::Panicked,
            Status::Cancelled => Self::Cancelled,
            Status::Abandoned => Self::Abandoned,
            Status::Skipped => Self::Skipped,
            Status::Missed => Self::Missed,
        }
    }
}

impl From<RunStatus> for Status {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Running => Self::Running,
            RunStatus::Succeeded => Self::Succeeded,
            RunStatus::Failed => Self::Failed,
            RunStatus::TimedOut => Self::TimedOut,
            RunStatus::Panicked => Self::Panicked,
            RunStatus::Cancelled => Self::Cancelled,
            RunStatus::Abandoned => Self::Abandoned,
            RunStatus::Skipped => Self::Skipped,
            RunStatus::Missed => Self::Missed,
        }
    }
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunTrigger {
    /// A slot of the bot's schedule.
    Schedule,
    /// An operator.
    Manual,
    /// An event.
    Event,
}

impl From<Trigger> for RunTrigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Schedule => Self::Schedule,
            Trigger::Manual => Self::Manual,
            Trigger::Event => Self::Event,
        }
    }
}

impl From<RunTrigger> for Trigger {
    fn from(trigger: RunTrigger) -> Self {
        match trigger {
            RunTrigger::Schedule => Self::Schedule,
            RunTrigger::Manual => Self::Manual,
            RunTrigger::Event => Self::Event,
        }
    }
}

/// How a skill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkillWord {
    /// It did its work.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// It had nothing to do, was switched off, or the run had ended before it.
    Skipped,
}

impl From<SkillStatus> for SkillWord {
    fn from(status: SkillStatus) -> Self {
        match status {
            SkillStatus::Succeeded => Self::Succeeded,
            SkillStatus::Failed => Self::Failed,
            SkillStatus::Skipped => Self::Skipped,
        }
    }
}

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostWord {
    /// Stored, and not known to have arrived.
    Pending,
    /// The platform has it.
    Sent,
    /// Refused for good.
    Failed,
    /// All attempts are spent.
    Dead,
}

impl From<PostStatus> for PostWord {
    fn from(status: PostStatus) -> Self {
        match status {
            PostStatus::Pending => Self::Pending,
            PostStatus::Sent => Self::Sent,
            PostStatus::Failed => Self::Failed,
            PostStatus::Dead => Self::Dead,
        }
    }
}

impl From<PostWord> for PostStatus {
    fn from(status: PostWord) -> Self {
        match status {
            PostWord::Pending => Self::Pending,
            PostWord::Sent => Self::Sent,
            PostWord::Failed => Self::Failed,
            PostWord::Dead => Self::Dead,
        }
    }
}
