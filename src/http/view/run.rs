//! A run, or a range of slots that did not run, as clients see it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    time::Time,
    words::{PostWord, RunStatus, RunTrigger, SkillWord},
};
use crate::domain::{input::RunInput, ledger::LedgerRow, outcome::SkillOutcome, post::Post};

/// One row of the ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Execution {
    /// Grows with time.
    pub id: i64,
    /// The bot's name.
    pub task_id: String,
    /// The bot's title at that time.
    pub actor_name: String,
    /// What became of it.
    pub status: RunStatus,
    /// Why a slot did not run, or the gate that said no.
    pub reason: Option<String>,
    /// What started it.
    pub trigger: RunTrigger,
    /// The slot, or the first one of a range; null for manual and event runs.
    pub scheduled_for: Option<Time>,
    /// How many slots the row stands for; 1 for a run.
    pub slots: i64,
    /// The last slot of a range, inclusive.
    pub slot_last: Option<Time>,
    /// 1, or more after retries.
    pub attempt: u32,
    /// The process that claimed it.
    pub replica: Option<String>,
    /// When the run started; null for a claim that waits and for slots that did not run.
    pub started_at: Option<Time>,
    /// When it ended.
    pub completed_at: Option<Time>,
    /// How long it took, in milliseconds; null while it runs.
    pub duration_ms: Option<i64>,
    /// Null while running and for slots that did not run.
    pub success: Option<bool>,
    /// Skills of the last attempt that succeeded.
    pub skills_succeeded: i32,
    /// Skills of the last attempt that failed.
    pub skills_failed: i32,
    /// Skills of the last attempt that had nothing to do.
    pub skills_skipped: i32,
    /// Of a run that did not succeed.
    pub error_message: Option<String>,
    /// Whether somebody wants it to stop.
    pub cancel_requested: bool,
    /// The skills of the last attempt, in order.
    pub skills: Vec<SkillView>,
    /// The messages that the run made, in order.
    pub posts: Vec<PostView>,
    /// What a trigger or event came with; null for scheduled runs.
    pub input: Option<Value>,
    /// Earlier attempts: number, status, error and skills of each.
    pub earlier_attempts: Vec<Value>,
    /// When the row was made.
    pub created_at: Time,
}

impl From<(LedgerRow, Vec<Post>)> for Execution {
    fn from((row, posts): (LedgerRow, Vec<Post>)) -> Self {
        let [skills_succeeded, skills_failed, skills_skipped] = row.skills;
        Self {
            id: row.id.0,
            duration_ms: duration_ms(&row),
            skills: skills(&row.metadata),
            input: row
                .metadata
                .get("input")
                .filter(|it| !it.is_null())
                .map(|it| RunInput::new(it.clone()).given()),
            earlier_attempts: earlier(&row.metadata),
            task_id: row.bot.to_string(),
            actor_name: row.actor_name,
            status: row.status.into(),
            reason: row.reason,
            trigger: row.trigger.into(),
            scheduled_for: row.scheduled_for.map(Time),
            slots: row.slots,
            slot_last: row.slot_last.map(Time),
            attempt: row.attempt,
            replica: row.replica,
            started_at: row.started_at.map(Time),
            completed_at: row.completed_at.map(Time),
            success: row.success,
            skills_succeeded,
            skills_failed,
            skills_skipped,
            error_message: row.error,
            cancel_requested: row.cancel_requested,
            posts: posts.into_iter().map(PostView::from).collect(),
            created_at: Time(row.created_at),
        }
    }
}

fn duration_ms(row: &LedgerRow) -> Option<i64> {
    Some((row.completed_at? - row.started_at?).num_milliseconds())
}

fn skills(metadata: &Value) -> Vec<SkillView> {
    let stored = metadata.get("skills").cloned().unwrap_or_default();
    let outcomes: Vec<SkillOutcome> = serde_json::from_value(stored).unwrap_or_default();
    outcomes.into_iter().map(SkillView::from).collect()
}

fn earlier(metadata: &Value) -> Vec<Value> {
    let attempts = metadata.get("attempts").and_then(Value::as_array);
    attempts.cloned().unwrap_or_default()
}

/// How one skill ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Skill)]
pub struct SkillView {
    /// Such as `content_formatter`.
    pub name: String,
    /// How it ended.
    pub status: SkillWord,
    /// Why it failed or was skipped.
    pub detail: Option<String>,
    /// How long it took, retries included, in milliseconds.
    pub duration_ms: u64,
}

impl From<SkillOutcome> for SkillView {
    fn from(outcome: SkillOutcome) -> Self {
        Self {
            name: outcome.skill,
            status: outcome.status.into(),
            detail: outcome.detail,
            duration_ms: outcome.duration_ms,
        }
    }
}

/// One message that a run handed to a platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Post)]
pub struct PostView {
    /// The row.
    pub id: i64,
    /// The run that made it: see `/executions/{id}`, as long as the ledger keeps it.
    pub execution_id: i64,
    /// The bot's name.
    pub task_id: String,
    /// Such as `discord` or `console`.
    pub platform: String,
    /// A channel, or `stdout`.
    pub destination: String,
    /// The text.
    pub body: String,
    /// What became of it.
    pub status: PostWord,
    /// Attempts to send made so far.
    pub attempts: u32,
    /// The platform's own id.
    pub platform_message_id: Option<String>,
    /// Of the last attempt to send.
    pub error_message: Option<String>,
    /// When it was stored.
    pub created_at: Time,
    /// When the platform took it.
    pub posted_at: Option<Time>,
}

impl From<Post> for PostView {
    fn from(post: Post) -> Self {
        Self {
            id: post.id,
            execution_id: post.execution.0,
            task_id: post.bot.to_string(),
            platform: post.platform,
            destination: post.destination,
            body: post.message.body,
            status: post.status.into(),
            attempts: post.attempts,
            platform_message_id: post.platform_message_id,
            error_message: post.error,
            created_at: Time(post.created_at),
            posted_at: post.posted_at.map(Time),
        }
    }
}
