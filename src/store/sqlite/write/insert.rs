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
        Written, keys,
        sqlite::{
            fault::Fault,
            schema::{executions, states},
            time::Time,
        },
    },
};

/// Inserts the claim's row, unless the same wish has made one.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    bot: &BotName,
    trigger: Trigger,
    metadata: &Value,
    key: Option<&str>,
) -> Result<Written, Fault> {
    let key = key.map(keys::of_wish);
    if let Some(id) = made_before(tx, bot, key.as_deref())? {
        return Ok(Written::Repeated(id));
    }
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
            executions::event_key.eq(key),
        ))
        .returning(executions::id)
        .get_result(tx.conn)?;
    Ok(Written::Claimed(Some(ExecutionId(id))))
}

fn made_before(
    tx: &mut Tx<'_>,
    bot: &BotName,
    key: Option<&str>,
) -> Result<Option<ExecutionId>, Fault> {
    let Some(key) = key else {
        return Ok(None);
    };
    let id = executions::table
        .filter(executions::task_id.eq(bot.as_str()))
        .filter(executions::event_key.eq(key))
        .select(executions::id)
        .get_result(tx.conn)
        .optional()?;
    Ok(id.map(ExecutionId))
}
