//! Rows of the ledger, new, changed and deleted.

use std::collections::HashSet;

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable},
};
use diesel_async::RunQueryDsl;

use super::{MaybeTexts, MaybeTimes, Texts, all, clean, clean_json, column, count, maybe_clean};
use crate::{
    domain::run::ExecutionId,
    store::{
        LedgerRow,
        postgres::{connection::Connection, error, rows::NumberRow},
    },
};

pub(super) async fn delete_rows(
    connection: &mut Connection,
    rows: &[&LedgerRow],
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query("DELETE FROM actor_server_executions WHERE id = ANY($1)")
        .bind::<Array<BigInt>, _>(column(rows, |row| row.id.0))
        .execute(connection)
        .await
        .map(drop)
}

/// Long because a row has many columns.
pub(super) async fn update_rows(
    connection: &mut Connection,
    rows: &[&LedgerRow],
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let updated = sql_query(
        "UPDATE actor_server_executions e SET slots = u.slots, slot_last = u.slot_last, status = u.status, \
         reason = u.reason, attempt = u.attempt, replica = u.replica, started_at = u.started_at, \
         completed_at = u.completed_at, success = u.success, skills_succeeded = u.succeeded, skills_failed = u.failed, \
         skills_skipped = u.skipped, error_message = u.error, cancel_requested = u.cancel, metadata = u.metadata \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS u(id, slots, slot_last, status, \
         reason, attempt, replica, started_at, completed_at, success, succeeded, failed, skipped, error, cancel, metadata) \
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
    .bind::<Array<Bool>, _>(column(rows, |r| r.cancel_requested))
    .bind::<Array<Jsonb>, _>(column(rows, |r| clean_json(&r.metadata)))
    .execute(connection)
    .await?;
    all(updated, rows.len())
}

/// A row to be inserted.
pub(super) struct NewRow<'a> {
    /// The bot's title.
    pub(super) title: &'a str,
    /// What a repetition of the wish that makes it is recognised by.
    pub(super) wish: Option<&'a str>,
    pub(super) row: &'a LedgerRow,
}

/// Long because a row has many columns. Answers the rows that were not inserted, because their slot has one.
pub(super) async fn insert_rows(
    connection: &mut Connection,
    rows: &[NewRow<'_>],
) -> QueryResult<HashSet<ExecutionId>> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let inserted: Vec<NumberRow> = sql_query(
        "INSERT INTO actor_server_executions (id, task_id, actor_name, trigger, scheduled_for, slots, slot_last, status, \
         reason, attempt, replica, started_at, completed_at, success, error_message, metadata, event_key, created_at) \
         SELECT u.*, clock_timestamp() \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS u \
         ON CONFLICT DO NOTHING RETURNING id AS value",
    )
    .bind::<Array<BigInt>, _>(column(rows, |new| new.row.id.0))
    .bind::<Texts, _>(column(rows, |new| new.row.bot.as_str()))
    .bind::<Texts, _>(column(rows, |new| clean(new.title)))
    .bind::<Texts, _>(column(rows, |new| new.row.trigger.as_str()))
    .bind::<MaybeTimes, _>(column(rows, |new| new.row.scheduled_for))
    .bind::<Array<BigInt>, _>(column(rows, |new| new.row.slots))
    .bind::<MaybeTimes, _>(column(rows, |new| new.row.slot_last))
    .bind::<Texts, _>(column(rows, |new| new.row.status.as_str()))
    .bind::<MaybeTexts, _>(column(rows, |new| maybe_clean(new.row.reason.as_ref())))
    .bind::<Array<Integer>, _>(column(rows, |new| count(new.row.attempt)))
    .bind::<MaybeTexts, _>(column(rows, |new| new.row.replica.as_deref()))
    .bind::<MaybeTimes, _>(column(rows, |new| new.row.started_at))
    .bind::<MaybeTimes, _>(column(rows, |new| new.row.completed_at))
    .bind::<Array<Nullable<Bool>>, _>(column(rows, |new| new.row.success))
    .bind::<MaybeTexts, _>(column(rows, |new| maybe_clean(new.row.error.as_ref())))
    .bind::<Array<Jsonb>, _>(column(rows, |new| clean_json(&new.row.metadata)))
    .bind::<MaybeTexts, _>(column(rows, |new| new.wish))
    .load(connection)
    .await?;
    let inserted: HashSet<i64> = inserted.into_iter().map(|row| row.value).collect();
    let left = rows.iter().filter(|new| !inserted.contains(&new.row.id.0));
    let left: Vec<_> = left.collect();
    if left.iter().any(|new| new.wish.is_some()) {
        // Of a bot that nobody could lock, because it has no state: another process had the same wish.
        return Err(error::moved());
    }
    Ok(left.iter().map(|new| new.row.id).collect())
}
