//! Which claims are in the hands of the bots' actors of this process.
//!
//! An entry goes when its actor settles it, which it does only after it has queued the claim's end. What a dead actor
//! did not settle stays until the coordinator evicts it, and queues its end in the actor's stead. What the ledger calls
//! this process's and this register does not know is nobody's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::{Instant, bot::BotName, run::ExecutionId};

/// The register; clones share it.
#[derive(Clone, Default)]
pub struct Runs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    entries: Mutex<Entries>,
    /// Rung at every end, for whoever waits for a free place.
    ended: Notify,
}

#[derive(Default)]
struct Entries {
    by_execution: HashMap<ExecutionId, Entry>,
    by_bot: HashMap<BotName, usize>,
}

struct Entry {
    bot: BotName,
    started_at: Option<Instant>,
}

/// A claim that its actor did not settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// The claim.
    pub execution: ExecutionId,
    /// When its run started; `None` if it had not.
    pub started_at: Option<Instant>,
}

impl Runs {
    /// Enters a claim. `None` if it is entered already.
    #[must_use]
    pub fn enter(&self, execution: ExecutionId, bot: &BotName) -> Option<Ticket> {
        let mut entries = self.entries();
        if entries.by_execution.contains_key(&execution) {
            return None;
        }
        let entry = Entry {
            bot: bot.clone(),
            started_at: None,
        };
        entries.by_execution.insert(execution, entry);
        *entries.by_bot.entry(bot.clone()).or_default() += 1;
        Some(Ticket {
            runs: self.clone(),
            execution,
        })
    }

    /// Takes off all claims of a bot, because its actor is dead.
    #[must_use]
    pub fn evict(&self, bot: &BotName) -> Vec<Evicted> {
        let mut entries = self.entries();
        let all = entries
            .by_execution
            .extract_if(|_, entry| entry.bot == *bot);
        let evicted = all.map(|(execution, entry)| Evicted {
            execution,
            started_at: entry.started_at,
        });
        let evicted = evicted.collect();
        entries.by_bot.remove(bot);
        self.0.ended.notify_one();
        evicted
    }

    /// Whether this claim is entered.
    #[must_use]
    pub fn has(&self, execution: ExecutionId) -> bool {
        self.entries().by_execution.contains_key(&execution)
    }

    /// Whose claim this is, if it is entered.
    #[must_use]
    pub fn bot_of(&self, execution: ExecutionId) -> Option<BotName> {
        self.entries()
            .by_execution
            .get(&execution)
            .map(|entry| entry.bot.clone())
    }

    /// Whether a claim of this bot is entered.
    #[must_use]
    pub fn is_busy(&self, bot: &BotName) -> bool {
        self.entries().by_bot.contains_key(bot)
    }

    /// How many claims are entered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().by_execution.len()
    }

    /// Whether no claim is entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the next end of a claim.
    pub async fn ended(&self) {
        self.0.ended.notified().await;
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim in the hands of an actor. Dropping it unsettled leaves the claim on the register, as a dying actor does.
#[must_use]
pub struct Ticket {
    runs: Runs,
    execution: ExecutionId,
}

impl Ticket {
    /// The claim's run has started.
    pub fn started(&self, at: Instant) {
        if let Some(entry) = self.runs.entries().by_execution.get_mut(&self.execution) {
            entry.started_at = Some(at);
        }
    }

    /// The claim's end is queued.
    pub fn settle(self) {
        let mut entries = self.runs.entries();
        if let Some(Entry { bot, .. }) = entries.by_execution.remove(&self.execution)
            && let Some(claims) = entries.by_bot.get_mut(&bot)
        {
            *claims -= 1;
            if *claims == 0 {
                entries.by_bot.remove(&bot);
            }
        }
        drop(entries);
        self.runs.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot() -> BotName {
        BotName::parse("bot").unwrap()
    }

    #[test]
    fn a_claim_is_entered_once_and_goes_when_it_is_settled() {
        let runs = Runs::default();
        let ticket = runs.enter(ExecutionId(1), &bot()).unwrap();
        assert!(runs.enter(ExecutionId(1), &bot()).is_none());
        assert!(runs.is_busy(&bot()) && runs.has(ExecutionId(1)));
        ticket.settle();
        assert!(!runs.is_busy(&bot()) && runs.is_empty());
    }

    #[test]
    fn what_a_dead_actor_did_not_settle_is_evicted_with_what_is_known_of_it() {
        let runs = Runs::default();
        let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let at_work = runs.enter(ExecutionId(1), &bot()).unwrap();
        at_work.started(at);
        drop((at_work, runs.enter(ExecutionId(2), &bot())));
        let mut evicted = runs.evict(&bot());
        evicted.sort_by_key(|one| one.execution);
        let expected = [(1, Some(at)), (2, None)];
        let expected = expected.map(|(id, started_at)| Evicted {
            execution: ExecutionId(id),
            started_at,
        });
        assert_eq!(evicted, expected);
        assert!(!runs.is_busy(&bot()) && runs.evict(&bot()).is_empty());
    }
}
