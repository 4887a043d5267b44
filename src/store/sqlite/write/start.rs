//! The start of a run: the moment when holds, overlap and the schedule's version are decided.

use chrono::SubsecRound;
use diesel::{dsl::exists, prelude::*, select};
use serde_json::Value;

use super::{
    Tx,
    claims::{counts, mark_started, merged, mine},
    ends,
};
use crate::{
    domain::{
        hold::Hold,
        run::{ExecutionId, Trigger},
        state::BotState,
    },
    store::{
        Start, Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::{
                ledger::{IsRunning, OpenRow},
                state::load,
            },
            schema::{executions, states},
            time::Time,
        },
    },
};

/// Starts the run of a claim, unless something stands against it.
pub(super) fn start(tx: &mut Tx<'_>, start: &Start) -> Result<Written, Fault> {
    let Some(row) = mine(tx, start.execution)? else {
        return Ok(Written::Lost);
    };
    let state = load(tx.conn, &row.task_id)?;
    if let Some(started) = row.started_at {
        return Ok(repeated(start, &row, started, state.as_ref()));
    }
    if start.scheduled
        && let Some(refusal) = refusal(tx, start, &row, state.as_ref())?
    {
        return Ok(refusal);
    }
    if row.trigger == Trigger::Event.as_str()
        && let Some(hold) = hold_against(start, state.as_ref())
    {
        return Ok(Written::Held(hold));
    }
    if start.exclusive && is_busy(tx, &row)? {
        let another_waits = another_waits(tx, &row)?;
        return Ok(Written::Busy { another_waits });
    }
    mark_started(tx, &row, start.at)?;
    let runs = state.map_or(0, |state| state.runs);
    let finished = counts(&row)
        && start
            .max_runs
            .is_some_and(|max| runs.saturating_add(1) >= max);
    if finished {
        end_slots(tx, &row)?;
    }
    let at = start.at;
    Ok(Written::Started { at, finished })
}

/// The bot has had all its runs.
fn end_slots(tx: &mut Tx<'_>, row: &OpenRow) -> Result<(), Fault> {
    let state = states::table.find(&row.task_id);
    Fixed(diesel::update(state).set((
        states::next_run.eq(None::<Time>),
        states::updated_at.eq(Time(tx.now)),
    )))
    .execute(tx.conn)?;
    Ok(())
}

/// The answer to a start that is stored already; another one than that is refused.
fn repeated(start: &Start, row: &OpenRow, started: Time, state: Option<&BotState>) -> Written {
    if started.0 != start.at.trunc_subsecs(6) {
        return Written::Lost;
    }
    let finished = state.is_some_and(|state| is_spent(state, start, row));
    let at = start.at;
    Written::Started { at, finished }
}

/// What stands against a scheduled run: another schedule, an end by `max_runs`, or a hold. A claim beyond `max_runs` was
/// given back and taken again after the last run, which brought the bot's slots back.
fn refusal(
    tx: &mut Tx<'_>,
    start: &Start,
    row: &OpenRow,
    state: Option<&BotState>,
) -> Result<Option<Written>, Fault> {
    let current = state.filter(|state| !state.removed && state.schedule == start.schedule);
    let spent = current.is_some_and(|state| is_spent(state, start, row));
    if spent {
        end_slots(tx, row)?;
    }
    let Some(state) = current.filter(|_state| !spent) else {
        ends::discard(tx, row)?;
        return Ok(Some(Written::Outdated));
    };
    Ok(hold_against(start, Some(state)).map(Written::Held))
}

fn hold_against(start: &Start, state: Option<&BotState>) -> Option<Hold> {
    let hold = state.and_then(|state| state.hold.clone());
    hold.filter(|hold| !hold.is_over(start.at))
}

/// Whether a slot's first start is, or was, the last of `max_runs`.
fn is_spent(state: &BotState, start: &Start, row: &OpenRow) -> bool {
    counts(row) && start.max_runs.is_some_and(|max| state.runs >= max)
}

fn is_busy(tx: &mut Tx<'_>, row: &OpenRow) -> Result<bool, Fault> {
    let others = executions::table
        .filter(executions::task_id.eq(&row.task_id))
        .filter(IsRunning)
        .filter(executions::started_at.is_not_null())
        .filter(executions::id.ne(row.id));
    Ok(select(exists(others)).get_result(tx.conn)?)
}

fn another_waits(tx: &mut Tx<'_>, row: &OpenRow) -> Result<bool, Fault> {
    let earlier = executions::table
        .filter(executions::task_id.eq(&row.task_id))
        .filter(IsRunning)
        .filter(executions::started_at.is_null())
        .filter(executions::scheduled_for.lt(row.scheduled_for));
    Ok(select(exists(earlier)).get_result(tx.conn)?)
}

/// Another attempt of the run begins.
pub(super) fn attempt(
    tx: &mut Tx<'_>,
    id: ExecutionId,
    attempt: u32,
    metadata: &Value,
) -> Result<Written, Fault> {
    let Some(row) = mine(tx, id)? else {
        return Ok(Written::Lost);
    };
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::attempt.eq(i64::from(attempt)),
        executions::metadata.eq(merged(&row.metadata, metadata)),
    )))
    .execute(tx.conn)?;
    Ok(Written::Done)
}
