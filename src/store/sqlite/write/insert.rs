//! Claims that no slot made: manual triggers and events.

use diesel::prelude::*;
use serde_json::Value;

use super::Tx;
use crate::{
    domain::{
        bot::BotName,
        run::{ExecutionId, Trigger},
    },
    store::{
        Written,
        sqlite::{
            fault::Fault,
            schema::{executions, states},
            time::Time,
        },
    },
};

/// Inserts the claim's row.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    bot: &BotName,
    trigger: Trigger,
    metadata: &Value,
) -> Result<Written, Fault> {
    let title: Option<String> = states::table
        .find(bot.as_str())
        .select(states::actor_name)
        .get_result(tx.conn)
        .optional()?;
    let id = diesel::insert_into(executions::table)
        .values((
            executions::task_id.eq(bot.as_str()),
            executions::actor_name.eq(title.as_deref().unwrap_or(bot.as_str())),
            executions::trigger.eq(trigger.as_str()),
            executions::status.eq("running"),
            executions::replica.eq(tx.me.as_str()),
            executions::metadata.eq(metadata),
            executions::created_at.eq(Time(tx.now)),
        ))
        .returning(executions::id)
        .get_result(tx.conn)?;
    Ok(Written::Claimed(Some(ExecutionId(id))))
}
