//! The end of a run, and what follows from it for the bot, in one transaction.

use diesel::prelude::*;

use super::{
    Tx,
    claims::{mark_started, merged, mine},
};
use crate::{
    domain::{
        fact::Fact,
        hold::{Hold, HoldKind},
        outcome::{AttemptOutcome, SkillStatus, Status},
        state::BotState,
    },
    store::{
        Finish, Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::{
                ledger::OpenRow,
                state::{HoldColumns, bot_name, load},
            },
            schema::{executions, states},
            time::{Time, read, stored},
        },
    },
};

/// Records how a run ended, if it is still this process's.
pub(super) fn finish(tx: &mut Tx<'_>, end: &Finish) -> Result<Written, Fault> {
    let Some(row) = mine(tx, end.execution)? else {
        return Ok(Written::Lost);
    };
    if row.started_at.is_none() {
        mark_started(tx, &row, end.started_at)?;
    }
    close(tx, &row, end)?;
    let Some(state) = load(tx.conn, &row.task_id)? else {
        return Ok(Written::Finished {
            consecutive_failures: 0,
            hold: None,
        });
    };
    let started = row.started_at.map_or(end.started_at, |time| time.0);
    let held = state.hold.as_ref().map(|hold| hold.kind);
    let state = after(state, end, started);
    store(tx, &state)?;
    let hold = Fact::of_hold(&state.bot, held, state.hold.as_ref());
    tx.facts.extend(hold);
    Ok(Written::Finished {
        consecutive_failures: state.consecutive_failures,
        hold: state.hold,
    })
}

fn close(tx: &mut Tx<'_>, row: &OpenRow, end: &Finish) -> Result<(), Fault> {
    let outcome = &end.outcome;
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::status.eq(outcome.status.as_str()),
        executions::reason.eq(outcome.gate.as_deref()),
        executions::success.eq(outcome.status.success()),
        executions::completed_at.eq(Time(end.completed_at)),
        executions::attempt.eq(i64::from(end.attempt)),
        executions::skills_succeeded.eq(outcome.count(SkillStatus::Succeeded)),
        executions::skills_failed.eq(outcome.count(SkillStatus::Failed)),
        executions::skills_skipped.eq(outcome.count(SkillStatus::Skipped)),
        executions::error_message.eq(outcome.error.as_deref()),
        executions::metadata.eq(merged(&row.metadata, &end.metadata)),
    )))
    .execute(tx.conn)?;
    let (bot, slot) = (bot_name(&row.task_id)?, read(row.scheduled_for));
    let fact = Fact::ran(&bot, slot, outcome.status, outcome.gate.as_deref());
    tx.facts.push(fact);
    Ok(())
}

/// The bot's state after the run.
fn after(mut state: BotState, end: &Finish, started: crate::domain::Instant) -> BotState {
    state.last_run = state.last_run.max(Some(started));
    if !end.counts() {
        return state;
    }
    state.last_success = state.last_success.max(end.success());
    state.consecutive_failures = match end.outcome.status {
        status if status.is_failure() => state.consecutive_failures.saturating_add(1),
        Status::Succeeded | Status::Skipped => 0,
        _ => state.consecutive_failures,
    };
    if state.hold.is_none() {
        state.hold = refused(&end.outcome).or_else(|| too_many(&state, end));
    }
    state
}

fn refused(outcome: &AttemptOutcome) -> Option<Hold> {
    let reason = outcome.error.clone();
    outcome
        .hold
        .map(|kind| Hold::by_server(kind, reason.unwrap_or_else(|| kind.as_str().to_owned())))
}

fn too_many(state: &BotState, end: &Finish) -> Option<Hold> {
    let failures = state.consecutive_failures;
    let reached = end.outcome.status.is_failure() && failures >= end.max_consecutive_failures;
    reached.then(|| {
        Hold::by_server(
            HoldKind::Failures,
            format!("{failures} failed runs in a row"),
        )
    })
}

fn store(tx: &mut Tx<'_>, state: &BotState) -> Result<(), Fault> {
    Fixed(diesel::update(states::table.find(state.bot.as_str())).set((
        states::last_run.eq(stored(state.last_run)),
        states::last_success.eq(stored(state.last_success)),
        states::consecutive_failures.eq(i64::from(state.consecutive_failures)),
        states::updated_at.eq(Time(tx.now)),
        HoldColumns::from(state.hold.as_ref()),
    )))
    .execute(tx.conn)?;
    Ok(())
}
