//! Claims that have not started: kept until their due time, and until the bot's actor has them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::domain::{
    Instant,
    bot::BotName,
    run::{Claim, ExecutionId, Trigger},
};

/// A claim with what its start needs to know.
#[derive(Clone)]
pub(super) struct Reserved {
    pub(super) claim: Claim,
    /// It may not be this process's any more: the store has to be asked.
    pub(super) verify: bool,
    /// It catches up: if a run is on, it is given back.
    pub(super) backlog: bool,
    /// No misfire rule holds.
    pub(super) lenient: bool,
    /// The payload of the trigger that the run was started by.
    pub(super) input: Value,
}

/// All claims of this process that its scheduler holds.
#[derive(Default)]
pub(super) struct Claims {
    by_execution: HashMap<ExecutionId, Reserved>,
    by_bot: HashMap<BotName, usize>,
    /// Those that are not on their way to an actor, by due time.
    waiting: BTreeSet<(Instant, ExecutionId)>,
}

impl Claims {
    /// Keeps a claim until its due time.
    pub(super) fn keep(&mut self, reserved: Reserved) {
        let (execution, due) = (reserved.claim.execution, reserved.claim.due);
        let bot = reserved.claim.bot.clone();
        if self.by_execution.insert(execution, reserved).is_none() {
            *self.by_bot.entry(bot).or_default() += 1;
        }
        self.waiting.insert((due, execution));
    }

    /// Whether this claim is kept here.
    pub(super) fn has(&self, execution: ExecutionId) -> bool {
        self.by_execution.contains_key(&execution)
    }

    /// Whether this claim waits here, and is not on its way to an actor.
    pub(super) fn waits(&self, execution: ExecutionId) -> bool {
        let reserved = self.by_execution.get(&execution);
        reserved.is_some_and(|reserved| self.waiting.contains(&(reserved.claim.due, execution)))
    }

    /// Whether a claim of this bot is kept here.
    pub(super) fn of(&self, bot: &BotName) -> bool {
        self.by_bot.contains_key(bot)
    }

    /// The claims of this bot.
    pub(super) fn all_of(&self, bot: &BotName) -> Vec<ExecutionId> {
        if !self.of(bot) {
            return Vec::new();
        }
        let all = self.by_execution.iter();
        let of_bot = all.filter(|(_, reserved)| reserved.claim.bot == *bot);
        of_bot.map(|(execution, _)| *execution).collect()
    }

    /// The store has to be asked whether the claim is still good.
    pub(super) fn doubt(&mut self, execution: ExecutionId) {
        if let Some(reserved) = self.by_execution.get_mut(&execution) {
            reserved.verify = true;
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_execution.len()
    }

    /// Claims that are due at `now` and wait, longest due first.
    pub(super) fn due(&self, now: Instant) -> Vec<(ExecutionId, BotName, Trigger)> {
        let due = self.waiting.iter().take_while(|(due, _)| *due <= now);
        let named = due.filter_map(|(_, execution)| {
            let reserved = self.by_execution.get(execution)?;
            let claim = &reserved.claim;
            Some((*execution, claim.bot.clone(), claim.trigger))
        });
        named.collect()
    }

    /// The first due time after `now`.
    pub(super) fn next_after(&self, now: Instant) -> Option<Instant> {
        self.waiting
            .iter()
            .map(|(due, _)| *due)
            .find(|due| *due > now)
    }

    /// The claim goes on its way to the bot's actor.
    pub(super) fn hand(&mut self, execution: ExecutionId) -> Option<Reserved> {
        let reserved = self.by_execution.get(&execution)?;
        self.waiting.remove(&(reserved.claim.due, execution));
        Some(reserved.clone())
    }

    /// The claim did not get to the actor: it waits again, and the store decides whether it is still good.
    pub(super) fn take_back(&mut self, execution: ExecutionId) {
        if let Some(reserved) = self.by_execution.get_mut(&execution) {
            reserved.verify = true;
            self.waiting.insert((reserved.claim.due, execution));
        }
    }

    /// The claim is somebody else's now, or gone.
    pub(super) fn forget(&mut self, execution: ExecutionId) -> Option<Claim> {
        let Reserved { claim, .. } = self.by_execution.remove(&execution)?;
        self.waiting.remove(&(claim.due, execution));
        if let Some(claims) = self.by_bot.get_mut(&claim.bot) {
            *claims -= 1;
            if *claims == 0 {
                self.by_bot.remove(&claim.bot);
            }
        }
        Some(claim)
    }

    /// All claims that wait.
    pub(super) fn waiting(&self) -> Vec<ExecutionId> {
        self.waiting
            .iter()
            .map(|(_, execution)| *execution)
            .collect()
    }
}
