//! Taking up a changed configuration. What was asked of the store by the one before is answered too late: it is read again.
//!
//! Entries that did not change keep their timers, claims and plans on their way.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{SchedulerActor, entry::Entry};
use crate::{
    actors::messages::Reconfigured,
    domain::{
        bot::{Bot, BotName},
        state::BotState,
    },
};

impl SchedulerActor {
    /// Whether the bot's entry is the one that a question was asked for.
    pub(super) fn is_entry_of(&self, bot: &BotName, epoch: u64) -> bool {
        let entry = self.agenda.get(bot);
        entry.is_some_and(|entry| entry.epoch == epoch)
    }

    /// Whether a stored state that was told, and not read, may replace what is remembered: it may have been on its way
    /// while the bot was reconfigured.
    pub(super) fn is_of_this_configuration(&self, state: &BotState) -> bool {
        let entry = self.agenda.get(&state.bot);
        entry.is_none_or(|entry| entry.state.schedule == state.schedule)
    }

    fn reconfigure(&mut self, bot: Arc<Bot>, state: BotState) {
        let name = bot.name.clone();
        // Claims of slots that do not exist any more are void, those of others may be.
        let other_slots = |entry: &Entry| {
            entry.bot.schedule != bot.schedule || entry.state.schedule != state.schedule
        };
        let resumed = self.agenda.get(&name).is_some_and(|entry| {
            entry.resumed || (entry.state.hold.is_some() && state.hold.is_none())
        });
        if self.agenda.get(&name).is_none_or(other_slots) {
            self.agenda.drop_claims(&name);
            self.uncertain = true;
        } else {
            self.agenda.doubt_claims(&name);
        }
        self.agenda.add(bot, state, self.epoch);
        self.agenda.change(&name, |entry| entry.resumed = resumed);
    }
}

impl Handler<Reconfigured> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, reconfigured: Reconfigured, ctx: &mut Context<Self>) {
        self.epoch += 1;
        for bot in &reconfigured.removed {
            self.agenda.remove(bot);
        }
        for (bot, state) in reconfigured.taken_up {
            self.reconfigure(bot, state);
        }
        self.tick(ctx);
    }
}
