//! Storing what a start or reload makes of a bot.

use diesel::prelude::*;

use super::{Tx, claims::fresh_claims, ends, gaps};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        fact::Fact,
        hold::{Hold, HoldKind},
        outcome::Gap,
        slots::GapRange,
        state::BotState,
    },
    store::{
        Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::state::{HoldColumns, load},
            schema::states,
            time::{Time, stored},
        },
    },
};

/// Inserts or updates the state, and records the slots that the old schedule owed.
pub(super) fn register(
    tx: &mut Tx<'_>,
    expected: Option<&BotState>,
    state: &BotState,
    gaps: &[GapRange],
    at: Instant,
) -> Result<Written, Fault> {
    let found = load(tx.conn, state.bot.as_str())?;
    match (expected, &found) {
        (None, None) => insert(tx, state)?,
        (Some(seen), Some(old)) if same_plan(seen, old) => {
            if old.schedule != state.schedule || old.removed != state.removed {
                end_claims(tx, &state.bot, at)?;
            }
            update(tx, old, state)?;
        }
        _ => return Ok(Written::Stale(found.map(Box::new))),
    }
    for range in gaps {
        gaps::record(tx, &state.bot, &state.actor_name, range)?;
    }
    let held = found.as_ref().and_then(kind);
    let now = load(tx.conn, state.bot.as_str())?;
    let hold = now.as_ref().and_then(|now| now.hold.as_ref());
    tx.facts.extend(Fact::of_hold(&state.bot, held, hold));
    Ok(now.map_or(Written::Stale(None), |state| {
        Written::State(Box::new(state))
    }))
}

/// Settles what was claimed by the schedule that ends at `at`, the oldest slot first, so that a gap grows.
fn end_claims(tx: &mut Tx<'_>, bot: &BotName, at: Instant) -> Result<(), Fault> {
    for row in fresh_claims(tx, bot)? {
        match row.scheduled_for {
            Some(slot) if slot.0 <= at => ends::into_gap(tx, &row, Gap::Late)?,
            _ => ends::remove(tx, &row)?,
        }
    }
    Ok(())
}

/// Whether a plan made from `seen` holds for what is stored.
fn same_plan(seen: &BotState, stored: &BotState) -> bool {
    seen.schedule == stored.schedule
        && seen.next_run == stored.next_run
        && seen.removed == stored.removed
        && kind(seen) == kind(stored)
}

fn kind(state: &BotState) -> Option<HoldKind> {
    state.hold.as_ref().map(|hold| hold.kind)
}

fn insert(tx: &mut Tx<'_>, state: &BotState) -> Result<(), Fault> {
    diesel::insert_into(states::table)
        .values((
            states::task_id.eq(state.bot.as_str()),
            states::actor_name.eq(&state.actor_name),
            states::schedule.eq(&state.schedule),
            states::anchor.eq(Time(state.anchor)),
            states::last_run.eq(stored(state.last_run)),
            states::last_success.eq(stored(state.last_success)),
            states::next_run.eq(stored(state.next_run)),
            states::consecutive_failures.eq(i64::from(state.consecutive_failures)),
            states::runs.eq(i64::from(state.runs)),
            states::removed.eq(state.removed),
            states::created_at.eq(Time(tx.now)),
            states::updated_at.eq(Time(tx.now)),
            HoldColumns::from(state.hold.as_ref()),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// What runs write (last run, last success, failures, count of runs) stays as it is: a run may have ended since the plan was made.
fn update(tx: &mut Tx<'_>, old: &BotState, state: &BotState) -> Result<(), Fault> {
    Fixed(diesel::update(states::table.find(state.bot.as_str())).set((
        states::actor_name.eq(&state.actor_name),
        states::schedule.eq(&state.schedule),
        states::anchor.eq(Time(state.anchor)),
        states::next_run.eq(stored(state.next_run)),
        states::removed.eq(state.removed),
        states::updated_at.eq(Time(tx.now)),
        HoldColumns::from(hold(old, state)),
    )))
    .execute(tx.conn)?;
    Ok(())
}

/// A hold of the same kind keeps what an operator wrote meanwhile; `invalid` tells of the file as it is now.
fn hold<'a>(old: &'a BotState, new: &'a BotState) -> Option<&'a Hold> {
    match (&old.hold, &new.hold) {
        (Some(kept), Some(planned))
            if kept.kind == planned.kind && kept.kind != HoldKind::Invalid =>
        {
            Some(kept)
        }
        (_, planned) => planned.as_ref(),
    }
}
