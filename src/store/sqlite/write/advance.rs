//! Accounting for slots, and claiming one.

use diesel::prelude::*;

use super::{Tx, claims::has_open_row, gaps};
use crate::{
    domain::{
        Instant,
        run::{ExecutionId, Trigger},
        state::BotState,
    },
    store::{
        Advance, Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::state::load,
            schema::{executions, states},
            time::{Time, stored},
        },
    },
};

/// Records the gaps, claims the slot and moves `next_run`, if the plan still holds.
pub(super) fn advance(tx: &mut Tx<'_>, plan: &Advance) -> Result<Written, Fault> {
    let state = match load(tx.conn, plan.bot.as_str())? {
        Some(state) if holds(plan, &state) => state,
        found => return Ok(Written::Stale(found.map(Box::new))),
    };
    if plan.alone && has_open_row(tx, &plan.bot)? {
        let another_waits = false;
        return Ok(Written::Busy { another_waits });
    }
    for range in &plan.gaps {
        gaps::record(tx, &plan.bot, &state.actor_name, range)?;
    }
    let claimed = match plan.claim {
        Some(slot) => claim(tx, &state, slot)?,
        None => None,
    };
    Fixed(diesel::update(states::table.find(plan.bot.as_str())).set((
        states::next_run.eq(stored(plan.next)),
        states::updated_at.eq(Time(tx.now)),
    )))
    .execute(tx.conn)?;
    Ok(Written::Claimed(claimed))
}

fn holds(plan: &Advance, state: &BotState) -> bool {
    state.next_run == Some(plan.expected_next)
        && state.schedule == plan.expected_schedule
        && state.hold.as_ref().map(|hold| hold.kind) == plan.expected_hold
}

fn claim(tx: &mut Tx<'_>, state: &BotState, slot: Instant) -> Result<Option<ExecutionId>, Fault> {
    if gaps::is_accounted(tx, &state.bot, Time(slot))? {
        return Ok(None);
    }
    let id = diesel::insert_into(executions::table)
        .values((
            executions::task_id.eq(state.bot.as_str()),
            executions::actor_name.eq(&state.actor_name),
            executions::trigger.eq(Trigger::Schedule.as_str()),
            executions::scheduled_for.eq(Time(slot)),
            executions::status.eq("running"),
            executions::replica.eq(tx.me.as_str()),
            executions::created_at.eq(Time(tx.now)),
        ))
        .returning(executions::id)
        .get_result(tx.conn)?;
    Ok(Some(ExecutionId(id)))
}
