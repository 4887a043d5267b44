//! Which claims are in the hands of a living bot actor of this process.
//!
//! What the ledger calls this process's and this register does not know is an orphan: its actor died.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::{bot::BotName, run::ExecutionId};

/// The register; clones share it.
#[derive(Clone, Default)]
pub struct Runs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    by_execution: Mutex<HashMap<ExecutionId, BotName>>,
    by_bot: Mutex<HashMap<BotName, usize>>,
    /// Rung at every end, for whoever waits for a free place.
    ended: Notify,
}

impl Runs {
    /// Enters a claim until the ticket is dropped. `None` if it is entered already.
    #[must_use]
    pub fn enter(&self, execution: ExecutionId, bot: &BotName) -> Option<Ticket> {
        let mut entries = self.entries();
        if entries.contains_key(&execution) {
            return None;
        }
        entries.insert(execution, bot.clone());
        self.count(bot, |n| n + 1);
        Some(Ticket {
            runs: self.clone(),
            execution,
        })
    }

    /// Whether a living actor holds this claim.
    #[must_use]
    pub fn has(&self, execution: ExecutionId) -> bool {
        self.entries().contains_key(&execution)
    }

    /// Whose run this is, if a living actor holds it.
    #[must_use]
    pub fn bot_of(&self, execution: ExecutionId) -> Option<BotName> {
        self.entries().get(&execution).cloned()
    }

    /// Whether a living actor holds a claim of this bot.
    #[must_use]
    pub fn is_busy(&self, bot: &BotName) -> bool {
        self.0
            .by_bot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(bot)
    }

    /// How many claims are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether no claim is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Waits for the next end of a claim.
    pub async fn ended(&self) {
        self.0.ended.notified().await;
    }

    fn count(&self, bot: &BotName, change: impl FnOnce(usize) -> usize) {
        let mut by_bot = self.0.by_bot.lock().unwrap_or_else(PoisonError::into_inner);
        match change(by_bot.get(bot).copied().unwrap_or_default()) {
            0 => drop(by_bot.remove(bot)),
            n => drop(by_bot.insert(bot.clone(), n)),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<ExecutionId, BotName>> {
        self.0
            .by_execution
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim in the hands of an actor; dropping it, also while an actor dies, takes it off the register.
pub struct Ticket {
    runs: Runs,
    execution: ExecutionId,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(bot) = self.runs.entries().remove(&self.execution) {
            self.runs.count(&bot, |n| n.saturating_sub(1));
        }
        self.runs.0.ended.notify_one();
    }
}
