//! Who is to be looked at when: the scheduler's memory, ordered by time. Nothing here polls a bot.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::entry::{Entry, Reserved};
use crate::domain::{
    Instant,
    bot::{Bot, BotName},
    run::Claim,
    state::BotState,
};

/// All bots of this process.
#[derive(Default)]
pub(super) struct Agenda {
    entries: HashMap<BotName, Entry>,
    /// When to plan for whom.
    wakes: BTreeSet<(Instant, BotName)>,
    /// The place of each bot in `wakes`.
    wake_of: HashMap<BotName, Instant>,
    /// Claims that wait for their due time, or for a place.
    starts: BTreeSet<(Instant, BotName)>,
}

impl Agenda {
    /// Takes up a bot with what is stored of it.
    pub(super) fn add(&mut self, bot: Arc<Bot>, state: BotState) {
        let name = bot.name.clone();
        self.entries.insert(name.clone(), Entry::new(bot, state));
        self.arm(&name);
    }

    pub(super) fn get(&self, bot: &BotName) -> Option<&Entry> {
        self.entries.get(bot)
    }

    pub(super) fn names(&self) -> Vec<BotName> {
        self.entries.keys().cloned().collect()
    }

    /// Bots that may not run now, whose slots are accounted for at each reconciliation.
    pub(super) fn closed(&self) -> Vec<BotName> {
        let closed = |entry: &&Entry| entry.closed().is_some() && !entry.pending;
        self.entries
            .values()
            .filter(closed)
            .map(|entry| entry.bot.name.clone())
            .collect()
    }

    /// Changes a bot's entry and finds its new place.
    pub(super) fn change(&mut self, bot: &BotName, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(bot) {
            change(entry);
            self.arm(bot);
        }
    }

    /// Keeps a claim until its due time.
    pub(super) fn reserve(&mut self, claim: Claim, verify: bool, lenient: bool) {
        let (bot, due) = (claim.bot.clone(), claim.due);
        if let Some(entry) = self.entries.get_mut(&bot) {
            entry.reserved = Some(Reserved {
                claim,
                verify,
                lenient,
                handing: false,
            });
            self.starts.insert((due, bot.clone()));
            self.arm(&bot);
        }
    }

    /// Marks a claim as on its way to the bot's actor.
    pub(super) fn hand(&mut self, bot: &BotName) -> Option<Reserved> {
        let reserved = self.entries.get_mut(bot)?.reserved.as_mut()?;
        reserved.handing = true;
        self.starts.remove(&(reserved.claim.due, bot.clone()));
        Some(reserved.clone())
    }

    /// The claim did not get to the actor: it waits again, and the store decides whether it is still good.
    pub(super) fn take_back(&mut self, bot: &BotName) {
        if let Some(reserved) = self
            .entries
            .get_mut(bot)
            .and_then(|entry| entry.reserved.as_mut())
        {
            (reserved.handing, reserved.verify) = (false, true);
            self.starts.insert((reserved.claim.due, bot.clone()));
        }
    }

    /// Forgets the bot's claim, because its actor has it or it is gone.
    pub(super) fn forget_claim(&mut self, bot: &BotName) -> Option<Claim> {
        let reserved = self.entries.get_mut(bot)?.reserved.take()?;
        self.starts.remove(&(reserved.claim.due, bot.clone()));
        self.arm(bot);
        Some(reserved.claim)
    }

    /// Claims that have not been handed on.
    pub(super) fn reserved(&self) -> usize {
        self.starts.len()
    }

    /// Bots to plan for at `now`, longest due first.
    pub(super) fn awake(&self, now: Instant, most: usize) -> Vec<BotName> {
        self.wakes
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(most)
            .map(|(_, bot)| bot.clone())
            .collect()
    }

    /// Claims that are due at `now`, longest due first.
    pub(super) fn due(&self, now: Instant) -> Vec<BotName> {
        self.starts
            .iter()
            .take_while(|(due, _)| *due <= now)
            .map(|(_, bot)| bot.clone())
            .collect()
    }

    /// The next moment after `now` at which something is to be done.
    pub(super) fn next_event(&self, now: Instant) -> Option<Instant> {
        let after =
            |set: &BTreeSet<(Instant, BotName)>| set.iter().map(|(at, _)| *at).find(|at| *at > now);
        [after(&self.wakes), after(&self.starts)]
            .into_iter()
            .flatten()
            .min()
    }

    fn arm(&mut self, bot: &BotName) {
        if let Some(old) = self.wake_of.remove(bot) {
            self.wakes.remove(&(old, bot.clone()));
        }
        if let Some(at) = self.entries.get(bot).and_then(Entry::wake_at) {
            self.wakes.insert((at, bot.clone()));
            self.wake_of.insert(bot.clone(), at);
        }
    }
}
