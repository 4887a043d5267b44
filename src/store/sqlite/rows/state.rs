//! Rows of `actor_server_state`.

use diesel::{prelude::*, sqlite::Sqlite};

use crate::{
    domain::{
        bot::BotName,
        hold::{Hold, HoldKind},
        state::BotState,
    },
    store::sqlite::{
        fault::{Fault, unknown},
        schema::states,
        time::{Time, read, stored},
    },
};

/// One bot's state, as stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = states, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct StateRow {
    task_id: String,
    actor_name: String,
    schedule: Option<String>,
    anchor: Time,
    last_run: Option<Time>,
    last_success: Option<Time>,
    next_run: Option<Time>,
    consecutive_failures: i64,
    runs: i64,
    hold_kind: Option<String>,
    hold_reason: Option<String>,
    hold_until: Option<Time>,
    hold_by: Option<String>,
    removed: bool,
}

/// The columns that say why a bot does not run; `is_paused` and they are never written apart.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = states, treat_none_as_null = true)]
pub(in crate::store::sqlite) struct HoldColumns {
    is_paused: bool,
    hold_kind: Option<&'static str>,
    hold_reason: Option<String>,
    hold_until: Option<Time>,
    hold_by: Option<String>,
}

impl From<Option<&Hold>> for HoldColumns {
    fn from(hold: Option<&Hold>) -> Self {
        Self {
            is_paused: hold.is_some(),
            hold_kind: hold.map(|hold| hold.kind.as_str()),
            hold_reason: hold.map(|hold| hold.reason.clone()),
            hold_until: stored(hold.and_then(|hold| hold.until)),
            hold_by: hold.map(|hold| hold.by.clone()),
        }
    }
}

impl TryFrom<StateRow> for BotState {
    type Error = Fault;

    fn try_from(row: StateRow) -> Result<Self, Fault> {
        Ok(Self {
            bot: bot_name(&row.task_id)?,
            hold: hold(&row)?,
            actor_name: row.actor_name,
            schedule: row.schedule,
            anchor: row.anchor.0,
            next_run: read(row.next_run),
            last_run: read(row.last_run),
            last_success: read(row.last_success),
            consecutive_failures: row.consecutive_failures.try_into().unwrap_or(u32::MAX),
            runs: row.runs.try_into().unwrap_or(u32::MAX),
            removed: row.removed,
        })
    }
}

fn hold(row: &StateRow) -> Result<Option<Hold>, Fault> {
    let Some(kind) = &row.hold_kind else {
        return Ok(None);
    };
    Ok(Some(Hold {
        kind: HoldKind::parse(kind).ok_or_else(|| unknown("hold_kind", kind))?,
        reason: row.hold_reason.clone().unwrap_or_default(),
        until: read(row.hold_until),
        by: row.hold_by.clone().unwrap_or_default(),
    }))
}

/// Reads a stored name.
pub(in crate::store::sqlite) fn bot_name(text: &str) -> Result<BotName, Fault> {
    BotName::parse(text).map_err(Fault::Stored)
}

/// What is stored of a bot.
pub(in crate::store::sqlite) fn load(
    conn: &mut SqliteConnection,
    bot: &str,
) -> Result<Option<BotState>, Fault> {
    let row = states::table
        .find(bot)
        .select(StateRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(BotState::try_from).transpose()
}
