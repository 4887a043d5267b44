//! What is left open of a bot whose actor died in this process.

use diesel::prelude::*;

use super::{Tx, claims::open_rows, ends};
use crate::{
    domain::{Instant, bot::BotName, outcome::Status},
    store::{
        Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::ledger::OpenRow,
            schema::{executions, states},
            time::Time,
        },
    },
};

/// Ends the runs that started and gives back the claims that did not.
pub(super) fn close_runs(
    tx: &mut Tx<'_>,
    bot: &BotName,
    status: Status,
    error: &str,
    at: Instant,
) -> Result<Written, Fault> {
    let me = tx.me;
    for row in open_rows(tx, me, false)? {
        if row.task_id != bot.as_str() {
            continue;
        }
        match row.started_at {
            Some(started) => close(tx, &row, started, status, error, at)?,
            None => ends::give_back(tx, &row, at)?,
        }
    }
    Ok(Written::Done)
}

fn close(
    tx: &mut Tx<'_>,
    row: &OpenRow,
    started: Time,
    status: Status,
    error: &str,
    at: Instant,
) -> Result<(), Fault> {
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::status.eq(status.as_str()),
        executions::success.eq(status.success()),
        executions::completed_at.eq(Time(at)),
        executions::error_message.eq(error),
    )))
    .execute(tx.conn)?;
    if status.is_failure() {
        Fixed(
            diesel::update(states::table.find(&row.task_id))
                .set(states::consecutive_failures.eq(states::consecutive_failures + 1)),
        )
        .execute(tx.conn)?;
    }
    ends::ran(tx, &row.task_id, started)
}
