//! What may call for an alert, on its way to the AlertActor. The queue outlives the actor, so an
//! actor's death loses none.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::supervision::Child;
use crate::domain::{Instant, bot::BotName, fact::Fact, outcome::Status, run::ExecutionId};

/// So many wait at most; the oldest go first.
const MOST: usize = 10_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Alarm {
    /// A committed transaction of this process has made this true.
    Fact(Fact),
    /// A run of this process has started, and not only for show (`dry_run`).
    RunStarted {
        /// Whose.
        bot: BotName,
        /// Which.
        execution: ExecutionId,
        /// Its slot.
        slot: Option<Instant>,
    },
    /// The store has taken the end of a run.
    RunEnded {
        /// Whose.
        bot: BotName,
        /// Which.
        execution: ExecutionId,
        /// How.
        status: Status,
        /// What went wrong.
        error: Option<String>,
        /// Failed runs in a row, this one included; `None` if the run does not count (a dry run, a rescued one).
        consecutive_failures: Option<u32>,
    },
    /// An actor's restart budget is spent.
    GivenUp {
        /// Its place in the tree.
        child: Child,
        /// Why it died last.
        reason: String,
    },
    /// The circuit breaker of a downstream has changed.
    Breaker {
        /// Of what.
        dependency: String,
        /// Whether it is open, or only lets probes through.
        open: bool,
    },
}

/// Alarms with their times; clones share them.
#[derive(Clone, Default)]
pub struct Alarms(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    arrived: Notify,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<(Instant, Alarm)>,
    lost: u64,
    /// Nobody is to be told.
    off: bool,
}

impl Alarms {
    /// Something has happened at `at`.
    pub fn tell(&self, at: Instant, alarm: Alarm) {
        let mut inner = self.lock();
        if inner.off {
            return;
        }
        inner.waiting.push_back((at, alarm));
        if inner.waiting.len() > MOST {
            inner.waiting.pop_front();
            inner.lost += 1;
        }
        drop(inner);
        self.0.arrived.notify_one();
    }

    /// There is no channel that could be told: nothing is kept.
    pub fn switch(&self, on: bool) {
        let mut inner = self.lock();
        inner.off = !on;
        if inner.off {
            inner.waiting.clear();
        }
    }

    /// Takes all that there is.
    #[must_use]
    pub fn take(&self) -> Vec<(Instant, Alarm)> {
        self.lock().waiting.drain(..).collect()
    }

    /// Waits until there is something, and takes all of it.
    pub async fn next(&self) -> Vec<(Instant, Alarm)> {
        loop {
            let arrived = self.0.arrived.notified();
            let taken = self.take();
            if !taken.is_empty() {
                return taken;
            }
            arrived.await;
        }
    }

    /// Alarms that were lost because too many waited.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
