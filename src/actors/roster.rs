//! What is known of the actors, the coordinator among them. It outlives them all, so that a rebuilt coordinator goes on where
//! the last one was. Every step in an actor's life is taken, and counted, here.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_rt::{Arbiter, ArbiterHandle};
use tokio::time::Instant as Monotonic;

use super::{
    messages::{ChildReport, ChildState},
    supervision::{Child, Exit},
};
use crate::{
    domain::restart::{RestartBudget, RestartPolicy, Verdict},
    telemetry::metrics::ActorMetrics,
};

/// Where the life of an actor ends that is not built anew.
const STOPPED: &str = "stopped";

/// The actors; clones share them.
#[derive(Clone)]
pub struct Roster(Arc<Mutex<Inner>>);

struct Inner {
    born: Monotonic,
    policy: RestartPolicy,
    records: HashMap<Child, Record>,
    /// The thread of each place.
    arbiters: HashMap<Place, ArbiterHandle>,
    /// The core was restarted as a whole; a second time is the end.
    rebuilt: bool,
    /// The process has stopped: what still ends is not of interest.
    closed: bool,
    metrics: ActorMetrics,
}

/// Actors that must not hold each other up have threads of their own; the bots' actors share a few.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A core actor's own thread.
    Own(Child),
    /// One of the bots' threads.
    Bots(u64),
}

/// Threads that the bots' actors share: a thousand starts at one moment keep two busy.
const BOT_THREADS: u64 = 2;

impl Place {
    /// Where a child lives.
    #[must_use]
    pub fn of(child: &Child) -> Self {
        match child {
            Child::Task(bot) => {
                let mut hasher = DefaultHasher::new();
                bot.hash(&mut hasher);
                Self::Bots(hasher.finish() % BOT_THREADS)
            }
            core => Self::Own(core.clone()),
        }
    }
}

#[derive(Default)]
struct Record {
    incarnation: u64,
    state: Option<ChildState>,
    restarts: u64,
    budget: RestartBudget,
    last_crash: Option<Exit>,
}

/// What the death of a child calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// An earlier incarnation, or a normal stop: nothing.
    None,
    /// Build it anew after this wait.
    Restart(Duration),
    /// The budget is spent.
    GiveUp,
}

impl Roster {
    /// An empty roster.
    #[must_use]
    pub fn new(policy: RestartPolicy, metrics: ActorMetrics) -> Self {
        let (records, arbiters) = (HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(Inner {
            born: Monotonic::now(),
            policy,
            records,
            arbiters,
            rebuilt: false,
            closed: false,
            metrics,
        })))
    }

    /// A child is about to be built: its number, and the thread it lives on.
    pub fn birth(&self, child: &Child) -> (u64, ArbiterHandle) {
        let incarnation = self.enrol(child);
        let mut inner = self.lock();
        let arbiter = inner
            .arbiters
            .entry(Place::of(child))
            .or_insert_with(|| Arbiter::new().handle())
            .clone();
        (incarnation, arbiter)
    }

    /// An actor is about to be built on a thread that is somebody else's: its number.
    pub fn enrol(&self, child: &Child) -> u64 {
        let mut inner = self.lock();
        inner.step(child, ChildState::Running);
        let record = inner.records.entry(child.clone()).or_default();
        record.incarnation += 1;
        record.incarnation
    }

    /// A bot is not configured any more; as long as its actor lives, that one's end is still to come.
    pub fn forget(&self, child: &Child) {
        let mut inner = self.lock();
        let lives = |record: &Record| record.state == Some(ChildState::Running);
        if !inner.records.get(child).is_some_and(lives)
            && let Some(record) = inner.records.remove(child)
        {
            inner.count_step(child, record.state, STOPPED);
        }
    }

    /// A child has ended.
    pub fn death(&self, child: &Child, incarnation: u64, exit: &Exit) -> Remedy {
        let mut inner = self.lock();
        let (now, policy) = (inner.born.elapsed(), inner.policy);
        let Some(record) = inner.records.get_mut(child) else {
            return Remedy::None;
        };
        if record.incarnation != incarnation || record.state != Some(ChildState::Running) {
            return Remedy::None;
        }
        if *exit == Exit::Normal && matches!(child, Child::Task(_)) {
            inner.step(child, ChildState::Resting);
            return Remedy::None;
        }
        record.last_crash = Some(exit.clone());
        match record.budget.died(now, &policy) {
            Verdict::Restart(wait) => {
                inner.restart(child, exit);
                Remedy::Restart(wait)
            }
            Verdict::GiveUp => {
                inner.step(child, ChildState::GivenUp);
                Remedy::GiveUp
            }
        }
    }

    /// A core actor is built anew whether it lives or not, with a whole budget: `exit` is why, of itself or of one that it
    /// leans on.
    pub fn replace(&self, child: &Child, exit: &Exit) {
        let mut inner = self.lock();
        inner.restart(child, exit);
        if let Some(record) = inner.records.get_mut(child) {
            record.budget = RestartBudget::default();
        }
    }

    /// The process has stopped, and all actors with it.
    pub fn close(&self) {
        let mut inner = self.lock();
        for (child, record) in &inner.records {
            inner.count_step(child, record.state, STOPPED);
        }
        inner.closed = true;
    }

    /// The thread of a child that does not answer is given up with it; its next incarnation gets a new one.
    pub fn abandon_thread(&self, child: &Child) -> Option<u64> {
        let mut inner = self.lock();
        if let Some(arbiter) = inner.arbiters.remove(&Place::of(child)) {
            arbiter.stop();
        }
        inner.records.get(child).map(|record| record.incarnation)
    }

    /// The current number of a child.
    #[must_use]
    pub fn incarnation(&self, child: &Child) -> Option<u64> {
        self.lock()
            .records
            .get(child)
            .map(|record| record.incarnation)
    }

    /// Where in its life a child is.
    #[must_use]
    pub fn state(&self, child: &Child) -> Option<ChildState> {
        self.lock()
            .records
            .get(child)
            .and_then(|record| record.state)
    }

    /// Children that are to be built anew.
    #[must_use]
    pub fn restarting(&self) -> Vec<Child> {
        let inner = self.lock();
        let restarting = inner
            .records
            .iter()
            .filter(|(_, record)| record.state == Some(ChildState::Restarting));
        restarting.map(|(child, _)| child.clone()).collect()
    }

    /// A new start for a child that was given up.
    pub fn forgive(&self, child: &Child) {
        let mut inner = self.lock();
        let Some(record) = inner.records.get_mut(child) else {
            return;
        };
        record.budget = RestartBudget::default();
        if record.state == Some(ChildState::GivenUp) {
            inner.step(child, ChildState::Resting);
        }
    }

    /// Whether this is the first time that the core as a whole is restarted.
    pub fn may_rebuild_core(&self) -> bool {
        !std::mem::replace(&mut self.lock().rebuilt, true)
    }

    /// Every child, for people.
    #[must_use]
    pub fn report(&self) -> Vec<ChildReport> {
        let mut inner = self.lock();
        let (now, policy) = (inner.born.elapsed(), inner.policy);
        let mut children: Vec<ChildReport> = inner
            .records
            .iter_mut()
            .map(|(child, record)| ChildReport {
                child: child.clone(),
                state: record.state.unwrap_or(ChildState::Resting),
                restarts: record.restarts,
                budget_left: record.budget.left(now, &policy),
                last_crash: record.last_crash.clone(),
                mailbox: None,
            })
            .collect();
        children.sort_by_key(|report| report.child.to_string());
        children
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn step(&mut self, child: &Child, to: ChildState) {
        let record = self.records.entry(child.clone()).or_default();
        let from = record.state.replace(to);
        if from != Some(to) {
            self.count_step(child, from, to.as_str());
        }
    }

    fn restart(&mut self, child: &Child, exit: &Exit) {
        self.step(child, ChildState::Restarting);
        if let Some(record) = self.records.get_mut(child) {
            record.restarts += 1;
        }
        if !self.closed {
            (self.metrics).restarted(child.supervisor(), child.kind(), exit.word());
        }
    }

    fn count_step(&self, child: &Child, from: Option<ChildState>, to: &'static str) {
        let from = from.map_or("new", ChildState::as_str);
        if !self.closed {
            self.metrics.stepped(child.kind(), from, to);
        }
    }
}
