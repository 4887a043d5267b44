//! States, new and changed.

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, Bool, Integer},
};
use diesel_async::RunQueryDsl;

use super::{MaybeTexts, MaybeTimes, Texts, Times, all, clean, column, count, maybe_clean};
use crate::{
    domain::state::BotState,
    store::postgres::{connection::Connection, rows::TextRow},
};

/// Long because a state has many columns.
pub(super) async fn insert_states(
    connection: &mut Connection,
    states: &[&BotState],
) -> QueryResult<()> {
    if states.is_empty() {
        return Ok(());
    }
    let inserted: Vec<TextRow> = sql_query(
        "INSERT INTO actor_server_state (task_id, actor_name, schedule, anchor, next_run, last_run, last_success, \
         consecutive_failures, runs, is_paused, hold_kind, hold_reason, hold_until, hold_by, removed) \
         SELECT task_id, actor_name, schedule, anchor, next_run, last_run, last_success, failures, runs, hold_kind IS NOT NULL, \
         hold_kind, hold_reason, hold_until, hold_by, removed FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14) AS u(task_id, actor_name, schedule, anchor, next_run, last_run, last_success, failures, runs, hold_kind, \
         hold_reason, hold_until, hold_by, removed) \
         ON CONFLICT (task_id) DO NOTHING RETURNING task_id AS value",
    )
    .bind::<Texts, _>(column(states, |s| s.bot.as_str()))
    .bind::<Texts, _>(column(states, |s| clean(&s.actor_name)))
    .bind::<MaybeTexts, _>(column(states, |s| maybe_clean(s.schedule.as_ref())))
    .bind::<Times, _>(column(states, |s| s.anchor))
    .bind::<MaybeTimes, _>(column(states, |s| s.next_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_success))
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
pub(super) async fn update_states(
    connection: &mut Connection,
    states: &[&BotState],
) -> QueryResult<()> {
    if states.is_empty() {
        return Ok(());
    }
    let updated = sql_query(
        "UPDATE actor_server_state s SET actor_name = u.actor_name, schedule = u.schedule, anchor = u.anchor, \
         next_run = u.next_run, last_run = u.last_run, last_success = u.last_success, consecutive_failures = u.failures, runs = u.runs, \
         is_paused = u.hold_kind IS NOT NULL, hold_kind = u.hold_kind, hold_reason = u.hold_reason, \
         hold_until = u.hold_until, hold_by = u.hold_by, removed = u.removed, updated_at = clock_timestamp() \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS u(task_id, actor_name, schedule, anchor, \
         next_run, last_run, last_success, failures, runs, hold_kind, hold_reason, hold_until, hold_by, removed) \
         WHERE s.task_id = u.task_id",
    )
    .bind::<Texts, _>(column(states, |s| s.bot.as_str()))
    .bind::<Texts, _>(column(states, |s| clean(&s.actor_name)))
    .bind::<MaybeTexts, _>(column(states, |s| maybe_clean(s.schedule.as_ref())))
    .bind::<Times, _>(column(states, |s| s.anchor))
    .bind::<MaybeTimes, _>(column(states, |s| s.next_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_run))
    .bind::<MaybeTimes, _>(column(states, |s| s.last_success))
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
