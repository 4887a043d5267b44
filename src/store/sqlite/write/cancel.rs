//! Wishes to cancel runs, for whoever is at work on them.

use diesel::prelude::*;

use super::Tx;
use crate::{
    domain::{bot::BotName, run::ExecutionId},
    store::{
        Written,
        sqlite::{fault::Fault, rows::ledger::IsRunning, schema::executions},
    },
};

/// Marks one open row of the bot, or all whose runs have started.
pub(super) fn request(
    tx: &mut Tx<'_>,
    bot: &BotName,
    execution: Option<ExecutionId>,
) -> Result<Written, Fault> {
    let open = executions::table
        .filter(executions::task_id.eq(bot.as_str()))
        .filter(IsRunning);
    let wish = executions::cancel_requested.eq(true);
    let marked = match execution {
        Some(id) => diesel::update(open.filter(executions::id.eq(id.0)))
            .set(wish)
            .execute(tx.conn)?,
        None => diesel::update(open.filter(executions::started_at.is_not_null()))
            .set(wish)
            .execute(tx.conn)?,
    };
    Ok(if marked == 0 {
        Written::Lost
    } else {
        Written::Done
    })
}
