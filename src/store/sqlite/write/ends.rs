//! Claims that end without a run. A claim that an earlier process had begun to run is never undone: it is `abandoned`.

use diesel::prelude::*;

use super::{Tx, claims::waiting, gaps};
use crate::{
    domain::{
        Instant,
        fact::Fact,
        outcome::{Gap, Status},
        run::ExecutionId,
    },
    store::{
        Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::{
                ledger::OpenRow,
                state::{bot_name, load},
            },
            schema::{executions, states},
            time::{Time, read},
        },
    },
};

/// The claim will not run.
pub(super) fn decline(tx: &mut Tx<'_>, id: ExecutionId, gap: Gap) -> Result<Written, Fault> {
    let Some(row) = waiting(tx, id)? else {
        return Ok(Written::Lost);
    };
    if row.has_run() {
        let error = format!("it was not run again: {}", gap.reason());
        abandon(tx, &row, &error, tx.now)?;
    } else {
        into_gap(tx, &row, gap)?;
    }
    Ok(Written::Done)
}

/// The claim is given back.
pub(super) fn release(tx: &mut Tx<'_>, id: ExecutionId) -> Result<Written, Fault> {
    let Some(row) = waiting(tx, id)? else {
        return Ok(Written::Lost);
    };
    let passed_over = gap_of_a_slot_passed_over(tx, &row)?;
    give_back(tx, &row, passed_over, tx.now)?;
    Ok(Written::Done)
}

/// Gives a claim back that has not started: its slot is decided anew, or did not run for this
/// reason if that is no longer possible.
pub(super) fn give_back(
    tx: &mut Tx<'_>,
    row: &OpenRow,
    passed_over: Gap,
    at: Instant,
) -> Result<(), Fault> {
    let Some(slot) = row.scheduled_for.filter(|_slot| !row.has_run()) else {
        return abandon(tx, row, "its process ended before the run started", at);
    };
    if gaps::has_later(tx, &row.task_id, slot)? {
        return into_gap(tx, row, passed_over);
    }
    remove(tx, row)?;
    let beyond = states::next_run.is_null().or(states::next_run.gt(slot));
    let state = states::table.find(&row.task_id).filter(beyond);
    Fixed(diesel::update(state).set((
        states::next_run.eq(slot),
        states::updated_at.eq(Time(tx.now)),
    )))
    .execute(tx.conn)?;
    Ok(())
}

/// Why a slot did not run that was given back too late: time under a hold is the hold's.
fn gap_of_a_slot_passed_over(tx: &mut Tx<'_>, row: &OpenRow) -> Result<Gap, Fault> {
    let hold = load(tx.conn, &row.task_id)?.and_then(|state| state.hold);
    let hold = hold.filter(|hold| !hold.is_over(tx.now));
    Ok(hold.map_or(Gap::Late, |hold| Gap::Held(hold.kind)))
}

/// Ends a claim that has no place in the schedule.
pub(super) fn discard(tx: &mut Tx<'_>, row: &OpenRow) -> Result<(), Fault> {
    if row.has_run() {
        return abandon(tx, row, "the schedule is another now", tx.now);
    }
    remove(tx, row)
}

/// Closes a run that will not end by itself.
pub(super) fn abandon(
    tx: &mut Tx<'_>,
    row: &OpenRow,
    error: &str,
    at: Instant,
) -> Result<(), Fault> {
    let started = row.last_start();
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::status.eq(Status::Abandoned.as_str()),
        executions::started_at.eq(started),
        executions::success.eq(false),
        executions::completed_at.eq(Time(at)),
        executions::error_message.eq(error),
    )))
    .execute(tx.conn)?;
    let (bot, slot) = (bot_name(&row.task_id)?, read(row.scheduled_for));
    tx.facts
        .push(Fact::ran(&bot, slot, Status::Abandoned, None));
    match started {
        Some(started) => ran(tx, &row.task_id, started),
        None => Ok(()),
    }
}

/// Stores the start of the newest run.
pub(super) fn ran(tx: &mut Tx<'_>, bot: &str, started: Time) -> Result<(), Fault> {
    let older = states::last_run.is_null().or(states::last_run.lt(started));
    Fixed(diesel::update(states::table.find(bot).filter(older)).set((
        states::last_run.eq(started),
        states::updated_at.eq(Time(tx.now)),
    )))
    .execute(tx.conn)?;
    Ok(())
}

/// The claim's row becomes a gap, or makes the gap before it grow.
pub(super) fn into_gap(tx: &mut Tx<'_>, row: &OpenRow, gap: Gap) -> Result<(), Fault> {
    let bot = bot_name(&row.task_id)?;
    let single = row.scheduled_for.map(|slot| gaps::single(slot.0, gap));
    if let Some(single) = &single
        && gaps::grow(tx, &bot, single)?
    {
        return remove(tx, row);
    }
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::status.eq(gap.status().as_str()),
        executions::reason.eq(gap.reason()),
        executions::slot_last.eq(row.scheduled_for),
        executions::replica.eq(None::<&str>),
    )))
    .execute(tx.conn)?;
    tx.facts.push(match &single {
        Some(single) => Fact::passed_over(&bot, single),
        None => Fact::declined(&bot, gap),
    });
    Ok(())
}

/// Takes the claim's row away.
pub(super) fn remove(tx: &mut Tx<'_>, row: &OpenRow) -> Result<(), Fault> {
    diesel::delete(executions::table.find(row.id)).execute(tx.conn)?;
    Ok(())
}
