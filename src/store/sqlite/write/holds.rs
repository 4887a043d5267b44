//! Holds that somebody sets or ends.

use diesel::prelude::*;

use super::Tx;
use crate::{
    domain::{
        bot::BotName,
        fact::Fact,
        hold::{Hold, HoldKind},
        state::BotState,
    },
    store::{
        Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::state::{HoldColumns, load},
            schema::states,
            time::Time,
        },
    },
};

/// Sets a hold, unless one of another kind stands and is to stay.
pub(super) fn set(
    tx: &mut Tx<'_>,
    bot: &BotName,
    hold: &Hold,
    replace: bool,
) -> Result<Written, Fault> {
    change(tx, bot, |state| {
        let other = state.hold.as_ref().is_some_and(|old| old.kind != hold.kind);
        if replace || !other {
            state.hold = Some(hold.clone());
        }
    })
}

/// Ends the hold and forgives the failures; a hold of another kind than the one named stays, and so do they. A broken
/// file's hold has to be named.
pub(super) fn clear(
    tx: &mut Tx<'_>,
    bot: &BotName,
    kind: Option<HoldKind>,
) -> Result<Written, Fault> {
    change(tx, bot, |state| {
        let stands = state.hold.as_ref().map(|hold| hold.kind);
        if kind == stands || (kind.is_none() && stands != Some(HoldKind::Invalid)) {
            state.hold = None;
            state.consecutive_failures = 0;
        }
    })
}

fn change(
    tx: &mut Tx<'_>,
    bot: &BotName,
    edit: impl FnOnce(&mut BotState),
) -> Result<Written, Fault> {
    let Some(mut state) = load(tx.conn, bot.as_str())? else {
        return Ok(Written::Stale(None));
    };
    let held = state.hold.as_ref().map(|hold| hold.kind);
    edit(&mut state);
    Fixed(diesel::update(states::table.find(bot.as_str())).set((
        states::consecutive_failures.eq(i64::from(state.consecutive_failures)),
        states::updated_at.eq(Time(tx.now)),
        HoldColumns::from(state.hold.as_ref()),
    )))
    .execute(tx.conn)?;
    let fact = Fact::of_hold(bot, held, state.hold.as_ref());
    tx.facts.extend(fact);
    Ok(Written::State(Box::new(state)))
}
