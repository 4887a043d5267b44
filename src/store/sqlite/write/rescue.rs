//! What dead processes left open. On SQLite every other process is dead: this one holds the file's lock.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::{
    Tx,
    claims::{merged, rows_of_others},
    ends,
};
use crate::{
    domain::{Instant, bot::BotName},
    store::{
        Rescued,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::{ledger::OpenRow, state::bot_name},
            schema::executions,
            time::Time,
        },
    },
};

/// Releases, closes or takes over every open row of another process.
pub(in crate::store::sqlite) fn rescue(
    tx: &mut Tx<'_>,
    again: &HashMap<BotName, u32>,
    now: Instant,
) -> Result<Vec<Rescued>, Fault> {
    let rows = rows_of_others(tx)?;
    rows.iter().map(|row| settle(tx, row, again, now)).collect()
}

fn settle(
    tx: &mut Tx<'_>,
    row: &OpenRow,
    again: &HashMap<BotName, u32>,
    now: Instant,
) -> Result<Rescued, Fault> {
    let claim = row.claim()?;
    let most = again.get(&claim.bot).copied().unwrap_or(0);
    if row.has_run() && row.next_attempt() <= i64::from(most) {
        return take_over(tx, row);
    }
    if row.has_run() || claim.slot.is_none() {
        ends::abandon(tx, row, "its process ended before the run did", now)?;
        return Ok(Rescued::Abandoned(claim.bot, claim.execution));
    }
    ends::give_back(tx, row, now)?;
    Ok(Rescued::Released(bot_name(&row.task_id)?))
}

/// The row is this process's now, as a claim for the next attempt; what the last one left is noted in `metadata`.
fn take_over(tx: &mut Tx<'_>, row: &OpenRow) -> Result<Rescued, Fault> {
    let mut next = OpenRow {
        attempt: row.next_attempt(),
        ..row.clone()
    };
    if let Some(started) = row.started_at {
        next.metadata = merged(&row.metadata, &interrupted(row));
        ends::ran(tx, &row.task_id, started)?;
    }
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::attempt.eq(next.attempt),
        executions::replica.eq(tx.me.as_str()),
        executions::started_at.eq(None::<Time>),
        executions::cancel_requested.eq(false),
        executions::metadata.eq(&next.metadata),
    )))
    .execute(tx.conn)?;
    Ok(Rescued::Again(next.claim()?))
}

/// The list of attempts that a process's death ended, this one added.
fn interrupted(row: &OpenRow) -> Value {
    let mut list = row.interrupted().to_vec();
    list.push(json!({
        "attempt": row.attempt,
        "replica": row.replica,
        "started_at": row.started_at.map(|time| time.0),
    }));
    json!({ "interrupted": list })
}
