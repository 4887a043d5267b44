//! Rows with status `running`: finding those that are still this process's, which is what fences every write.

use diesel::{
    dsl::{exists, sql},
    prelude::*,
    select,
    sql_types::{Nullable, Text},
};
use serde_json::Value;

use super::Tx;
use crate::{
    domain::{
        Instant,
        bot::BotName,
        run::{ExecutionId, Trigger},
    },
    store::sqlite::{
        fault::Fault,
        fixed::Fixed,
        rows::ledger::{IsRunning, OpenRow},
        schema::{executions, states},
        time::Time,
    },
};

/// The row, if it is this process's and has not ended.
pub(super) fn mine(tx: &mut Tx<'_>, id: ExecutionId) -> Result<Option<OpenRow>, Fault> {
    let row = executions::table
        .find(id.0)
        .filter(IsRunning)
        .filter(executions::replica.eq(tx.me.as_str()))
        .select(OpenRow::as_select())
        .get_result(tx.conn)
        .optional()?;
    Ok(row)
}

/// The row, if it is this process's and its run has not started.
pub(super) fn waiting(tx: &mut Tx<'_>, id: ExecutionId) -> Result<Option<OpenRow>, Fault> {
    Ok(mine(tx, id)?.filter(|row| row.started_at.is_none()))
}

/// All open rows of other processes, the newest slot first, so that each can be released in turn.
pub(super) fn rows_of_others(tx: &mut Tx<'_>) -> Result<Vec<OpenRow>, Fault> {
    let mut rows: Vec<OpenRow> = executions::table
        .filter(IsRunning)
        .select(OpenRow::as_select())
        .order((executions::scheduled_for.desc(), executions::id))
        .load(tx.conn)?;
    rows.retain(|row| row.replica.as_deref() != Some(tx.me.as_str()));
    Ok(rows)
}

/// Whether any process has a claim or a run of the bot.
pub(super) fn has_open_row(tx: &mut Tx<'_>, bot: &BotName) -> Result<bool, Fault> {
    let open = executions::table
        .filter(executions::task_id.eq(bot.as_str()))
        .filter(IsRunning);
    Ok(select(exists(open)).get_result(tx.conn)?)
}

/// A bot's claims of slots that no process has begun to run, oldest slot first.
pub(super) fn fresh_claims(tx: &mut Tx<'_>, bot: &BotName) -> Result<Vec<OpenRow>, Fault> {
    let mut rows: Vec<OpenRow> = executions::table
        .filter(executions::task_id.eq(bot.as_str()))
        .filter(IsRunning)
        .select(OpenRow::as_select())
        .order(executions::scheduled_for)
        .load(tx.conn)?;
    rows.retain(|row| row.scheduled_for.is_some() && !row.has_run());
    Ok(rows)
}

/// Stores that the run of a row has started: it is the bot's last run from now on, and counted if it is a slot's first
/// attempt.
pub(super) fn mark_started(tx: &mut Tx<'_>, row: &OpenRow, at: Instant) -> Result<(), Fault> {
    Fixed(diesel::update(executions::table.find(row.id)).set(executions::started_at.eq(Time(at))))
        .execute(tx.conn)?;
    let newest = sql::<Nullable<Text>>("max(coalesce(last_run, ''), ")
        .bind::<Text, _>(Time(at))
        .sql(")");
    Fixed(diesel::update(states::table.find(&row.task_id)).set((
        states::runs.eq(states::runs + i64::from(counts(row))),
        states::last_run.eq(newest),
        states::updated_at.eq(Time(tx.now)),
    )))
    .execute(tx.conn)?;
    Ok(())
}

/// Whether the start of this row counts against `max_runs`: a slot counts once, however often it is run again.
pub(super) fn counts(row: &OpenRow) -> bool {
    row.trigger == Trigger::Schedule.as_str() && row.attempt == 1
}

/// `newer` over what is stored, key by key.
pub(super) fn merged(stored: &Value, newer: &Value) -> Value {
    match (stored, newer) {
        (Value::Object(stored), Value::Object(newer)) if !stored.is_empty() => {
            let mut all = stored.clone();
            all.extend(newer.clone());
            Value::Object(all)
        }
        _ => newer.clone(),
    }
}
