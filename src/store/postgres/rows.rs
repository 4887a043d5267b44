//! Rows in, domain values out.

use diesel::{
    QueryResult, QueryableByName,
    result::Error,
    sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use crate::{
    domain::{
        Instant,
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::Status,
        post::{Message, Post, PostStatus},
        run::{ExecutionId, Trigger},
        state::BotState,
    },
    store::LedgerRow,
};

/// The columns of [`StateRow`].
pub(super) const STATE: &str = "s.task_id, s.actor_name, s.schedule, s.anchor, s.next_run, s.last_run, s.last_success, \
     s.consecutive_failures, s.runs, s.hold_kind, s.hold_reason, s.hold_until, s.hold_by, s.removed";

/// The columns of [`ExecutionRow`].
pub(super) const EXECUTION: &str = "e.id, e.task_id, e.actor_name, e.trigger, e.scheduled_for, e.slots, e.slot_last, e.status, \
     e.reason, e.attempt, e.replica, e.started_at, e.completed_at, e.success, e.skills_succeeded, e.skills_failed, \
     e.skills_skipped, e.error_message, e.cancel_requested, e.metadata, e.created_at";

/// The columns of [`PostRow`].
pub(super) const POST: &str = "p.id, p.execution_id, p.task_id, p.\"position\", p.platform, p.destination, p.body, \
     p.options, p.nonce, p.status, p.attempts, p.platform_message_id, p.error_message, p.created_at, p.posted_at, \
     coalesce(p.turn, p.id) AS turn";

#[derive(QueryableByName)]
pub(super) struct StateRow {
    #[diesel(sql_type = Text)]
    task_id: String,
    #[diesel(sql_type = Text)]
    actor_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    schedule: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    anchor: Instant,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_run: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_run: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_success: Option<Instant>,
    #[diesel(sql_type = Integer)]
    consecutive_failures: i32,
    #[diesel(sql_type = Integer)]
    runs: i32,
    #[diesel(sql_type = Nullable<Text>)]
    hold_kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hold_reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    hold_until: Option<Instant>,
    #[diesel(sql_type = Nullable<Text>)]
    hold_by: Option<String>,
    #[diesel(sql_type = Bool)]
    removed: bool,
}

impl StateRow {
    pub(super) fn read(self) -> QueryResult<BotState> {
        let hold = match self.hold_kind {
            Some(kind) => Some(Hold {
                kind: word(&kind, HoldKind::parse)?,
                reason: self.hold_reason.unwrap_or_default(),
                until: self.hold_until,
                by: self.hold_by.unwrap_or_default(),
            }),
            None => None,
        };
        Ok(BotState {
            bot: name(&self.task_id)?,
            actor_name: self.actor_name,
            schedule: self.schedule,
            anchor: self.anchor,
            next_run: self.next_run,
            last_run: self.last_run,
            last_success: self.last_success,
            consecutive_failures: count(self.consecutive_failures),
            runs: count(self.runs),
            hold,
            removed: self.removed,
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct ExecutionRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    task_id: String,
    #[diesel(sql_type = Text)]
    actor_name: String,
    #[diesel(sql_type = Text)]
    trigger: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    scheduled_for: Option<Instant>,
    #[diesel(sql_type = BigInt)]
    slots: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    slot_last: Option<Instant>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Nullable<Text>)]
    replica: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Bool>)]
    success: Option<bool>,
    #[diesel(sql_type = Integer)]
    skills_succeeded: i32,
    #[diesel(sql_type = Integer)]
    skills_failed: i32,
    #[diesel(sql_type = Integer)]
    skills_skipped: i32,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
    #[diesel(sql_type = Bool)]
    cancel_requested: bool,
    #[diesel(sql_type = Jsonb)]
    metadata: Value,
    #[diesel(sql_type = Timestamptz)]
    pub(super) created_at: Instant,
}

impl ExecutionRow {
    pub(super) fn read(self) -> QueryResult<LedgerRow> {
        Ok(LedgerRow {
            id: ExecutionId(self.id),
            bot: name(&self.task_id)?,
            actor_name: self.actor_name,
            trigger: word(&self.trigger, Trigger::parse)?,
            scheduled_for: self.scheduled_for,
            slots: self.slots,
            slot_last: self.slot_last,
            status: word(&self.status, Status::parse)?,
            reason: self.reason,
            attempt: count(self.attempt),
            replica: self.replica,
            started_at: self.started_at,
            completed_at: self.completed_at,
            success: self.success,
            skills: [
                self.skills_succeeded,
                self.skills_failed,
                self.skills_skipped,
            ],
            error: self.error_message,
            cancel_requested: self.cancel_requested,
            created_at: self.created_at,
            metadata: self.metadata,
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct PostRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    execution_id: i64,
    #[diesel(sql_type = Text)]
    task_id: String,
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = Text)]
    destination: String,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Jsonb)]
    options: Value,
    #[diesel(sql_type = Text)]
    nonce: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    platform_message_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Instant,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    posted_at: Option<Instant>,
    #[diesel(sql_type = BigInt)]
    turn: i64,
}

impl PostRow {
    pub(super) fn read(self) -> QueryResult<Post> {
        Ok(Post {
            id: self.id,
            execution: ExecutionId(self.execution_id),
            bot: name(&self.task_id)?,
            position: self.position,
            platform: self.platform,
            destination: self.destination,
            message: Message {
                body: self.body,
                options: self.options,
            },
            nonce: self.nonce,
            status: word(&self.status, PostStatus::parse)?,
            attempts: count(self.attempts),
            platform_message_id: self.platform_message_id,
            error: self.error_message,
            created_at: self.created_at,
            posted_at: self.posted_at,
            turn: self.turn,
        })
    }
}

/// One text.
#[derive(QueryableByName)]
pub(super) struct TextRow {
    #[diesel(sql_type = Text)]
    pub(super) value: String,
}

/// A row that a wish has made.
#[derive(QueryableByName)]
pub(super) struct WishRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) task_id: String,
    #[diesel(sql_type = Text)]
    pub(super) event_key: String,
}

/// One number.
#[derive(QueryableByName)]
pub(super) struct NumberRow {
    #[diesel(sql_type = BigInt)]
    pub(super) value: i64,
}

pub(super) fn name(text: &str) -> QueryResult<BotName> {
    BotName::parse(text).map_err(unreadable)
}

fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> QueryResult<T> {
    parse(text).ok_or_else(|| {
        unreadable(format!(
            "`{text}` is a word that this version does not know"
        ))
    })
}

fn unreadable(what: String) -> Error {
    Error::DeserializationError(what.into())
}

/// A count as stored; the schema lets none be negative.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
