//! What dead processes left open. On SQLite every other process is dead: this one holds the file's lock.

use std::collections::HashMap;

use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use serde_json::{Value, json};

use super::{
    Tx,
    claims::{merged, rows_of_others},
    ends,
};
use crate::{
    domain::{Instant, bot::BotName, outcome::Gap},
    store::{
        Rescued,
        records::STILL_WANTED,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::{
                ledger::OpenRow,
                state::{bot_name, load},
            },
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
    if is_still_wanted(tx, row)? {
        return take_over(tx, row);
    }
    if row.has_run() || claim.slot.is_none() {
        ends::abandon(tx, row, "its process ended before the run did", now)?;
        return Ok(Rescued::Abandoned(claim.bot, claim.execution));
    }
    ends::give_back(tx, row, Gap::Late, now)?;
    Ok(Rescued::Released(bot_name(&row.task_id)?))
}

/// Whether a trigger or an event waits for its first start, and not for too long.
fn is_still_wanted(tx: &mut Tx<'_>, row: &OpenRow) -> Result<bool, Fault> {
    if row.has_run() || row.scheduled_for.is_some() {
        return Ok(false);
    }
    let is_young = tx.now - row.created_at.0 <= STILL_WANTED;
    let bot = load(tx.conn, &row.task_id)?;
    Ok(is_young && bot.is_some_and(|bot| !bot.removed))
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
    } else if row.attempt == 1 {
        let from = json!({ "rescued_from": row.replica });
        next.metadata = merged(&row.metadata, &from);
    }
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::attempt.eq(next.attempt),
        executions::replica.eq(tx.me.as_str()),
        executions::started_at.eq(None::<Time>),
        // Whoever wanted a claim cancelled that has not started still does.
        executions::cancel_requested.eq(sql::<Bool>("cancel_requested AND started_at IS NULL")),
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
