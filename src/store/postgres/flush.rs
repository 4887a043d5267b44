//! What a batch has changed, written with one statement for each kind of change.

use std::collections::HashSet;

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{
    batch::Batch,
    connection::Connection,
    error,
    rows::{NumberRow, TextRow},
    sheet::{Change, Tracked},
};
use crate::{
    domain::{
        post::{Post, PostStatus},
        run::ExecutionId,
        state::BotState,
    },
    store::{LedgerRow, PostMark},
};

type Texts = Array<Text>;
type MaybeTexts = Array<Nullable<Text>>;
type Times = Array<Timestamptz>;
type MaybeTimes = Array<Nullable<Timestamptz>>;

impl Batch {
    /// Writes back. Answers the claims whose slot turned out to have a row.
    ///
    /// # Errors
    /// [`error::moved`] when another process changed what no lock protects (a bot that did not exist yet, a row that was
    /// pruned): the same batch will find it changed.
    pub(super) async fn flush(
        &mut self,
        connection: &mut Connection,
    ) -> QueryResult<HashSet<ExecutionId>> {
        delete_rows(connection, &self.rows(Change::Deleted)).await?;
        insert_states(connection, &self.states(Change::New)).await?;
        update_states(connection, &self.states(Change::Changed)).await?;
        update_rows(connection, &self.rows(Change::Changed)).await?;
        let doubled = insert_rows(connection, &self.new_rows()).await?;
        for sheet in self.sheets.values_mut() {
            doubled.iter().for_each(|id| sheet.forget(*id));
        }
        insert_posts(connection, &self.new_posts()).await?;
        mark_posts(connection, &self.posts.marks.values().collect::<Vec<_>>()).await?;
        Ok(doubled)
    }

    fn rows(&self, change: Change) -> Vec<&LedgerRow> {
        let rows = self.sheets.values().flat_map(|sheet| sheet.rows.values());
        rows.filter(|row| row.change == change)
            .map(|row| &row.value)
            .collect()
    }

    /// With the bots' titles.
    fn new_rows(&self) -> Vec<(&str, &LedgerRow)> {
        let sheets = self.sheets.values();
        sheets
            .flat_map(|sheet| sheet.rows.values().map(move |row| (sheet, row)))
            .filter(|(_, row)| row.change == Change::New)
            .map(|(sheet, row)| (sheet.title(&row.value.bot), &row.value))
            .collect()
    }

    fn states(&self, change: Change) -> Vec<&BotState> {
        let states = self
            .sheets
            .values()
            .filter_map(|sheet| sheet.state.as_ref());
        states
            .filter(|state| state.change == change)
            .map(|state| &state.value)
            .collect()
    }

    fn new_posts(&self) -> Vec<&Post> {
        let new = |post: &&Tracked<Post>| post.change == Change::New;
        let posts = self.posts.by_place.values().filter(new);
        posts.map(|post| &post.value).collect()
    }
}

async fn delete_rows(connection: &mut Connection, rows: &[&LedgerRow]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query("DELETE FROM actor_server_executions WHERE id = ANY($1)")
        .bind::<Array<BigInt>, _>(column(rows, |row| row.id.0))
        .execute(connection)
        .await
        .map(drop)
}

/// Long because a state has many columns.
async fn insert_states(connection: &mut Connection, states: &[&BotState]) -> QueryResult<()> {
    if states.is_empty() {
        return Ok(());
    }
    let inserted: Vec<TextRow> = sql_query(
        "INSERT INTO actor_server_state (task_id, actor_name, schedule, anchor, next_run, last_run, \
         consecutive_failures, runs, is_paused, hold_kind, hold_reason, hold_until, hold_by, removed) \
         SELECT task_id, actor_name, schedule, anchor, next_run, last_run, failures, runs, hold_kind IS NOT NULL, \
         hold_kind, hold_reason, hold_until, hold_by, removed FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13) AS u(task_id, actor_name, schedule, anchor, next_run, last_run, failures, runs, hold_kind, \
         hold_reason, hold_until, hold_by, removed) \
         ON CONFLICT (task_id) DO NOTHING RETURNING task_id AS value",
    )
    .bind::<Texts, _>(column(states, |s| s.bot.as_str()))
    .bind::<Texts, _>(column(states, |s| clean(&s.actor_name)))
    .bind::<MaybeTexts, _>(column(states, |s| maybe_clean(s.schedule.as_ref())))
    .bind::<Times, _>(column(states, |s| s.anchor))
    .bind::<MaybeTimes, _>(column(states, |s| s.next_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_run))
    .bind::<Array<Integer>, _>(column(states, |s| count(s.consecutive_failures)))
    .bind::<Array<Integer>, _>(column(states, |s| count(s.runs)))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| h.kind.as_str())))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| clean(&h.reason))))
    .bind::<MaybeTimes, _>(column(states, |s| s.hold.as_ref().and_then(|h| h.until)))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| clean(&h.by))))
    .bind::<Array<Bool>, _>(column(states, |s| s.removed))
    .load(connection)
    .await?;
    all(inserted.len(), states.len())
}

/// Long because a state has many columns.
async fn update_states(connection: &mut Connection, states: &[&BotState]) -> QueryResult<()> {
    if states.is_empty() {
        return Ok(());
    }
    let updated = sql_query(
        "UPDATE actor_server_state s SET actor_name = u.actor_name, schedule = u.schedule, anchor = u.anchor, \
         next_run = u.next_run, last_run = u.last_run, consecutive_failures = u.failures, runs = u.runs, \
         is_paused = u.hold_kind IS NOT NULL, hold_kind = u.hold_kind, hold_reason = u.hold_reason, \
         hold_until = u.hold_until, hold_by = u.hold_by, removed = u.removed, updated_at = clock_timestamp() \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS u(task_id, actor_name, schedule, anchor, \
         next_run, last_run, failures, runs, hold_kind, hold_reason, hold_until, hold_by, removed) \
         WHERE s.task_id = u.task_id",
    )
    .bind::<Texts, _>(column(states, |s| s.bot.as_str()))
    .bind::<Texts, _>(column(states, |s| clean(&s.actor_name)))
    .bind::<MaybeTexts, _>(column(states, |s| maybe_clean(s.schedule.as_ref())))
    .bind::<Times, _>(column(states, |s| s.anchor))
    .bind::<MaybeTimes, _>(column(states, |s| s.next_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_run))
    .bind::<Array<Integer>, _>(column(states, |s| count(s.consecutive_failures)))
    .bind::<Array<Integer>, _>(column(states, |s| count(s.runs)))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| h.kind.as_str())))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| clean(&h.reason))))
    .bind::<MaybeTimes, _>(column(states, |s| s.hold.as_ref().and_then(|h| h.until)))
    .bind::<MaybeTexts, _>(column(states, |s| s.hold.as_ref().map(|h| clean(&h.by))))
    .bind::<Array<Bool>, _>(column(states, |s| s.removed))
    .execute(connection)
    .await?;
    all(updated, states.len())
}

/// Long because a row has many columns.
async fn update_rows(connection: &mut Connection, rows: &[&LedgerRow]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let updated = sql_query(
        "UPDATE actor_server_executions e SET slots = u.slots, slot_last = u.slot_last, status = u.status, \
         reason = u.reason, attempt = u.attempt, replica = u.replica, started_at = u.started_at, \
         completed_at = u.completed_at, success = u.success, skills_succeeded = u.succeeded, skills_failed = u.failed, \
         skills_skipped = u.skipped, error_message = u.error, metadata = u.metadata \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS u(id, slots, slot_last, status, \
         reason, attempt, replica, started_at, completed_at, success, succeeded, failed, skipped, error, metadata) \
         WHERE e.id = u.id",
    )
    .bind::<Array<BigInt>, _>(column(rows, |r| r.id.0))
    .bind::<Array<BigInt>, _>(column(rows, |r| r.slots))
    .bind::<MaybeTimes, _>(column(rows, |r| r.slot_last))
    .bind::<Texts, _>(column(rows, |r| r.status.as_str()))
    .bind::<MaybeTexts, _>(column(rows, |r| maybe_clean(r.reason.as_ref())))
    .bind::<Array<Integer>, _>(column(rows, |r| count(r.attempt)))
    .bind::<MaybeTexts, _>(column(rows, |r| r.replica.as_deref()))
    .bind::<MaybeTimes, _>(column(rows, |r| r.started_at))
    .bind::<MaybeTimes, _>(column(rows, |r| r.completed_at))
    .bind::<Array<Nullable<Bool>>, _>(column(rows, |r| r.success))
    .bind::<Array<Integer>, _>(column(rows, |r| r.skills[0]))
    .bind::<Array<Integer>, _>(column(rows, |r| r.skills[1]))
    .bind::<Array<Integer>, _>(column(rows, |r| r.skills[2]))
    .bind::<MaybeTexts, _>(column(rows, |r| maybe_clean(r.error.as_ref())))
    .bind::<Array<Jsonb>, _>(column(rows, |r| clean_json(&r.metadata)))
    .execute(connection)
    .await?;
    all(updated, rows.len())
}

/// Long because a row has many columns. Answers the rows that were not inserted, because their slot has one.
async fn insert_rows(
    connection: &mut Connection,
    rows: &[(&str, &LedgerRow)],
) -> QueryResult<HashSet<ExecutionId>> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let inserted: Vec<NumberRow> = sql_query(
        "INSERT INTO actor_server_executions (id, task_id, actor_name, trigger, scheduled_for, slots, slot_last, status, \
         reason, attempt, replica, started_at, completed_at, success, error_message, metadata, created_at) \
         SELECT u.*, clock_timestamp() \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS u \
         ON CONFLICT (task_id, scheduled_for) WHERE trigger = 'schedule' DO NOTHING RETURNING id AS value",
    )
    .bind::<Array<BigInt>, _>(column(rows, |(_, r)| r.id.0))
    .bind::<Texts, _>(column(rows, |(_, r)| r.bot.as_str()))
    .bind::<Texts, _>(column(rows, |(title, _)| clean(title)))
    .bind::<Texts, _>(column(rows, |(_, r)| r.trigger.as_str()))
    .bind::<MaybeTimes, _>(column(rows, |(_, r)| r.scheduled_for))
    .bind::<Array<BigInt>, _>(column(rows, |(_, r)| r.slots))
    .bind::<MaybeTimes, _>(column(rows, |(_, r)| r.slot_last))
    .bind::<Texts, _>(column(rows, |(_, r)| r.status.as_str()))
    .bind::<MaybeTexts, _>(column(rows, |(_, r)| maybe_clean(r.reason.as_ref())))
    .bind::<Array<Integer>, _>(column(rows, |(_, r)| count(r.attempt)))
    .bind::<MaybeTexts, _>(column(rows, |(_, r)| r.replica.as_deref()))
    .bind::<MaybeTimes, _>(column(rows, |(_, r)| r.started_at))
    .bind::<MaybeTimes, _>(column(rows, |(_, r)| r.completed_at))
    .bind::<Array<Nullable<Bool>>, _>(column(rows, |(_, r)| r.success))
    .bind::<MaybeTexts, _>(column(rows, |(_, r)| maybe_clean(r.error.as_ref())))
    .bind::<Array<Jsonb>, _>(column(rows, |(_, r)| clean_json(&r.metadata)))
    .load(connection)
    .await?;
    let inserted: HashSet<i64> = inserted.into_iter().map(|row| row.value).collect();
    let ids = rows.iter().map(|(_, row)| row.id);
    Ok(ids.filter(|id| !inserted.contains(&id.0)).collect())
}

async fn insert_posts(connection: &mut Connection, posts: &[&Post]) -> QueryResult<()> {
    if posts.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO actor_server_posts (id, execution_id, task_id, \"position\", platform, destination, body, options, \
         nonce, status, created_at) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind::<Array<BigInt>, _>(column(posts, |p| p.id))
    .bind::<Array<BigInt>, _>(column(posts, |p| p.execution.0))
    .bind::<Texts, _>(column(posts, |p| p.bot.as_str()))
    .bind::<Array<Integer>, _>(column(posts, |p| p.position))
    .bind::<Texts, _>(column(posts, |p| clean(&p.platform)))
    .bind::<Texts, _>(column(posts, |p| clean(&p.destination)))
    .bind::<Texts, _>(column(posts, |p| clean(&p.message.body)))
    .bind::<Array<Jsonb>, _>(column(posts, |p| clean_json(&p.message.options)))
    .bind::<Texts, _>(column(posts, |p| clean(&p.nonce)))
    .bind::<Texts, _>(column(posts, |p| p.status.as_str()))
    .bind::<Times, _>(column(posts, |p| p.created_at))
    .execute(connection)
    .await
    .map(drop)
}

/// In the order of ids, so that two processes that mark the same posts do not lock each other out.
async fn mark_posts(connection: &mut Connection, marks: &[&PostMark]) -> QueryResult<()> {
    if marks.is_empty() {
        return Ok(());
    }
    sql_query(
        "WITH u AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6) AS m(id, status, attempts, message_id, error, posted_at)), \
         locked AS (SELECT p.id FROM actor_server_posts p JOIN u USING (id) WHERE p.status <> $7 ORDER BY p.id FOR UPDATE OF p) \
         UPDATE actor_server_posts p SET status = u.status, attempts = u.attempts, platform_message_id = u.message_id, \
         error_message = u.error, posted_at = u.posted_at FROM u JOIN locked USING (id) WHERE p.id = u.id",
    )
    .bind::<Array<BigInt>, _>(column(marks, |m| m.id))
    .bind::<Texts, _>(column(marks, |m| m.status.as_str()))
    .bind::<Array<Integer>, _>(column(marks, |m| count(m.attempts)))
    .bind::<MaybeTexts, _>(column(marks, |m| maybe_clean(m.platform_message_id.as_ref())))
    .bind::<MaybeTexts, _>(column(marks, |m| maybe_clean(m.error.as_ref())))
    .bind::<MaybeTimes, _>(column(marks, |m| m.posted_at))
    .bind::<Text, _>(PostStatus::Sent.as_str())
    .execute(connection)
    .await
    .map(drop)
}

fn all(written: usize, wanted: usize) -> QueryResult<()> {
    if written == wanted {
        Ok(())
    } else {
        Err(error::moved())
    }
}

fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// PostgreSQL's text holds no NUL; what a bot or a platform said is kept without.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn maybe_clean(text: Option<&String>) -> Option<String> {
    text.map(|text| clean(text))
}

fn clean_json(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(values) => values.iter().map(clean_json).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (clean(key), clean_json(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
