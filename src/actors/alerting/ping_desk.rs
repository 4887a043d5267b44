//! Reports that wait to be sent, at most one a bot, and one of a bot on its way at a time.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    domain::{bot::BotName, run::ExecutionId},
    platforms::ops::pings::Signal,
};

/// Reports on their way at a time.
const AT_ONCE: usize = 8;
/// So many runs at most are known to have begun.
const MOST: usize = 100_000;

/// A report that waits.
pub(super) struct Report {
    pub(super) signal: Signal,
    pub(super) execution: ExecutionId,
    pub(super) body: String,
}

/// The reports that wait, at most one a bot.
#[derive(Default)]
pub(super) struct PingDesk {
    inner: Mutex<Inner>,
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Inner {
    order: VecDeque<BotName>,
    waiting: HashMap<BotName, Report>,
    on_the_way: HashSet<BotName>,
    /// Runs whose start was heard of: the ends of others are not reported.
    begun: HashSet<ExecutionId>,
}

impl PingDesk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run has begun whose end is to be reported too.
    pub(super) fn began(&self, execution: ExecutionId) {
        let mut inner = self.lock();
        if inner.begun.len() >= MOST {
            inner.begun.clear();
        }
        inner.begun.insert(execution);
    }

    /// Whether the run's start was heard of; forgotten by this.
    pub(super) fn ends(&self, execution: ExecutionId) -> bool {
        self.lock().begun.remove(&execution)
    }

    /// Adds a report, in the place of one of the bot that is not on its way yet.
    pub(super) fn put(&self, bot: BotName, report: Report) {
        let mut inner = self.lock();
        if inner.waiting.insert(bot.clone(), report).is_none() {
            inner.order.push_back(bot);
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// The next report of a bot that has none on its way.
    pub(super) fn take(&self) -> Option<(BotName, Report)> {
        let mut inner = self.lock();
        if inner.on_the_way.len() >= AT_ONCE {
            return None;
        }
        let free = |bot: &BotName| !inner.on_the_way.contains(bot);
        let place = inner.order.iter().position(free)?;
        let bot = inner.order.remove(place)?;
        let report = inner.waiting.remove(&bot)?;
        inner.on_the_way.insert(bot.clone());
        Some((bot, report))
    }

    pub(super) fn done(&self, bot: &BotName) {
        self.lock().on_the_way.remove(bot);
        self.changed.notify_one();
    }

    pub(super) fn has_newer(&self, bot: &BotName) -> bool {
        self.lock().waiting.contains_key(bot)
    }

    pub(super) fn is_idle(&self) -> bool {
        let inner = self.lock();
        inner.waiting.is_empty() && inner.on_the_way.is_empty()
    }
}
