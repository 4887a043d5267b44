//! Which hold each bot has, as far as this process knows, so that each change is told once, however many ways it is
//! learned by: the answer to a write of this process, or a look at what another one has stored.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::SubsecRound;

use super::{Happening, News};
use crate::domain::{Instant, bot::BotName, hold::Hold, state::BotState};

/// The last known holds.
#[derive(Default)]
pub(super) struct Holds(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Bots that have a hold, or had one; each with the look number at which that was learned.
    by_bot: HashMap<BotName, (u64, Option<Hold>)>,
    /// Grows with everything that is learned by a write.
    learned: u64,
    /// The store was read once: what was so before is no change.
    read: bool,
}

/// A moment before a look at the store: what was learned by a write after it is newer than what the look finds.
#[derive(Clone, Copy, Debug)]
pub struct BeforeLook(u64);

impl News {
    /// The store has just answered that this is the bot's hold; if it is another than before, that is told.
    pub fn hold_is(&self, at: Instant, bot: &BotName, hold: Option<&Hold>) {
        let mut known = self
            .0
            .holds
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.learned += 1;
        if let Some(happening) = known.take(bot, hold) {
            self.tell(at, happening);
        }
    }

    /// To be called before stored states are read.
    #[must_use]
    pub fn before_look(&self) -> BeforeLook {
        let known = self
            .0
            .holds
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        BeforeLook(known.learned)
    }

    /// The store was read: changes of other processes are told.
    pub fn holds_are(&self, at: Instant, before: BeforeLook, states: &[BotState]) {
        let mut known = self
            .0
            .holds
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let silent = !std::mem::replace(&mut known.read, true);
        for state in states.iter().filter(|state| !state.removed) {
            if known.is_newer(&state.bot, before) {
                continue;
            }
            match known.take(&state.bot, state.hold.as_ref()) {
                Some(happening) if !silent => self.tell(at, happening),
                _ => {}
            }
        }
    }
}

impl Known {
    fn is_newer(&self, bot: &BotName, BeforeLook(before): BeforeLook) -> bool {
        self.by_bot.get(bot).is_some_and(|(at, _)| *at > before)
    }

    /// Remembers the hold; answers the change, if it is one.
    fn take(&mut self, bot: &BotName, hold: Option<&Hold>) -> Option<Happening> {
        let hold = hold.map(as_stored);
        let before = self.by_bot.get(bot).and_then(|(_, hold)| hold.as_ref());
        let changed = before != hold.as_ref();
        if changed || self.by_bot.contains_key(bot) {
            self.by_bot
                .insert(bot.clone(), (self.learned, hold.clone()));
        }
        let bot = bot.clone();
        changed.then_some(match hold {
            Some(hold) => Happening::HoldSet { bot, hold },
            None => Happening::HoldCleared { bot },
        })
    }
}

/// Both backends store microseconds.
fn as_stored(hold: &Hold) -> Hold {
    Hold {
        until: hold.until.map(|until| until.trunc_subsecs(6)),
        ..hold.clone()
    }
}
