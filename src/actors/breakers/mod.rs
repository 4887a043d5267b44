//! The circuit breakers of this process: one for each destination (a channel, a webhook), and one for each platform as a
//! whole, unless its destinations have nothing but a protocol in common.
//!
//! A bad destination must never shut the platform for others: while nothing gets through, the platform's breaker counts each
//! destination once. A token that is refused shuts the platform at once. While none is shut, asking costs one load of an
//! atomic number.

mod downstream;
mod storing;
mod telling;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

pub(super) use self::telling::random;
pub use self::{downstream::Downstream, storing::Unstored};
use crate::{
    actors::env::Platforms,
    domain::{
        Instant,
        breaker::{Breaker, BreakerRules},
    },
};

/// What an attempt says about the downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It did what it was asked, or refused this post or this destination: it is well.
    Answered,
    /// No answer, or an answer that tells of trouble (5xx).
    Failed,
    /// The token is not accepted.
    TokenRefused,
}

/// A breaker that is in another state now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub dependency: String,
    /// As it is now.
    pub breaker: Breaker,
}

/// All breakers; clones share them.
#[derive(Clone)]
pub struct Breakers(Arc<Shared>);

struct Shared {
    rules: BreakerRules,
    /// Which of them are one downstream as a whole.
    platforms: Platforms,
    /// How many are not closed. What is asked before every run looks here first.
    shut: AtomicUsize,
    inner: Mutex<Inner>,
    /// Rung when there is something to store.
    changed: Notify,
    /// Held by whoever stores.
    storing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    by_name: BTreeMap<String, Breaker>,
    /// Destinations of a platform that have failed since anything last got through.
    failing: HashMap<String, HashSet<String>>,
    /// Those whose state is not stored as it is.
    unstored: BTreeSet<String>,
    /// The credentials that a platform did not accept when its breaker opened.
    refused: HashMap<String, String>,
    /// The latest stored revision that is known here.
    revisions: HashMap<String, i64>,
}

impl Breakers {
    /// All closed; every platform is one downstream as a whole.
    #[must_use]
    pub fn new(rules: BreakerRules) -> Self {
        Self::over(Platforms::default(), rules)
    }

    /// All closed.
    #[must_use]
    pub fn over(platforms: Platforms, rules: BreakerRules) -> Self {
        Self(Arc::new(Shared {
            rules,
            platforms,
            shut: AtomicUsize::new(0),
            inner: Mutex::default(),
            changed: Notify::new(),
            storing: tokio::sync::Mutex::default(),
        }))
    }

    /// The names of a downstream's breakers: the destination's, and before it the platform's, if that is one downstream as a
    /// whole.
    pub fn names<'a>(&self, downstream: &'a Downstream) -> impl Iterator<Item = &'a str> {
        let Downstream {
            platform,
            destination,
        } = downstream;
        let whole = (!self.0.platforms.is_apart(platform)).then_some(platform.as_str());
        whole.into_iter().chain([destination.as_str()])
    }

    /// Whether nothing is shut anywhere.
    #[must_use]
    pub fn are_all_closed(&self) -> bool {
        self.0.shut.load(Ordering::Acquire) == 0
    }

    /// Whether the downstream may be asked at `now`.
    #[must_use]
    pub fn would_let_through(&self, downstream: &Downstream, now: Instant) -> bool {
        self.are_all_closed() || self.both(downstream, |one| one.would_let_through(now))
    }

    /// Whether the downstream's cool-down lasts at `now`: not even a probe is on its way.
    #[must_use]
    pub fn is_cooling_down(&self, downstream: &Downstream, now: Instant) -> bool {
        !self.are_all_closed() && !self.both(downstream, |one| !one.is_cooling_down(now))
    }

    /// Asks to be let through; of breakers that are not closed, this is the probe.
    pub fn let_through(&self, downstream: &Downstream, now: Instant) -> (bool, Vec<Change>) {
        if self.are_all_closed() {
            return (true, Vec::new());
        }
        let (rules, mut inner) = (self.0.rules, self.lock());
        let names: Vec<&str> = self.names(downstream).collect();
        if !names
            .iter()
            .all(|name| inner.get(name).would_let_through(now))
        {
            return (false, Vec::new());
        }
        let take = |breaker: &mut Breaker| {
            breaker.let_through(now, &rules);
        };
        (true, self.change(&mut inner, &names, take))
    }

    /// An attempt has ended. `random` is from 0 to 1. Answers the breakers that are in another state now.
    pub fn noted(
        &self,
        downstream: &Downstream,
        sign: Sign,
        now: Instant,
        random: f64,
    ) -> Vec<Change> {
        let names: Vec<&str> = self.names(downstream).collect();
        let (rules, mut inner) = (self.0.rules, self.lock());
        let fail = |breaker: &mut Breaker| breaker.failed(now, &rules, random);
        match sign {
            Sign::Answered => {
                inner.failing.remove(&downstream.platform);
                let well = |breaker: &mut Breaker| breaker.succeeded(&rules);
                self.change(&mut inner, &names, well)
            }
            Sign::Failed if inner.counts_for_platform(downstream) => {
                self.change(&mut inner, &names, fail)
            }
            Sign::Failed => self.change(&mut inner, &[&downstream.destination], fail),
            Sign::TokenRefused => {
                let open = |breaker: &mut Breaker| *breaker = Breaker::opened(now, &rules, random);
                // Of a platform that is no downstream as a whole, the destination's.
                self.change(&mut inner, names.get(..1).unwrap_or_default(), open)
            }
        }
    }

    /// Closes one by hand, also in the store, where another process may have opened it. `None` if it was closed here.
    pub fn reset(&self, dependency: &str) -> Option<Change> {
        let mut inner = self.lock();
        inner.failing.remove(dependency);
        inner.unstored.insert(dependency.to_owned());
        self.0.changed.notify_one();
        let close = |breaker: &mut Breaker| *breaker = Breaker::default();
        self.change(&mut inner, &[dependency], close).pop()
    }

    /// The state of one; closed if it was never heard of.
    #[must_use]
    pub fn get(&self, dependency: &str) -> Breaker {
        self.lock().get(dependency)
    }

    /// All that were ever heard of, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Breaker> {
        self.lock().by_name.clone()
    }

    fn both(&self, downstream: &Downstream, is_so: impl Fn(Breaker) -> bool) -> bool {
        let mut names = self.names(downstream);
        let inner = self.lock();
        names.all(|name| is_so(inner.get(name)))
    }

    /// Takes a step with each; what has to be stored then is on its way.
    fn change(
        &self,
        inner: &mut Inner,
        names: &[&str],
        step: impl Fn(&mut Breaker),
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for name in names {
            let before = inner.get(name);
            let mut breaker = before;
            step(&mut breaker);
            if breaker == before {
                continue;
            }
            changes.extend(self.put(inner, name, breaker));
            // How often a closed one has failed is each process's own affair.
            if !(before.is_closed() && breaker.is_closed()) {
                inner.unstored.insert((*name).to_owned());
                self.0.changed.notify_one();
            }
        }
        changes
    }

    fn put(&self, inner: &mut Inner, name: &str, breaker: Breaker) -> Option<Change> {
        let before = inner.get(name);
        inner.by_name.insert(name.to_owned(), breaker);
        if breaker.is_closed() {
            inner.refused.remove(name);
        }
        match (before.is_closed(), breaker.is_closed()) {
            (true, false) => {
                self.0.shut.fetch_add(1, Ordering::Release);
            }
            (false, true) => {
                self.0.shut.fetch_sub(1, Ordering::Release);
            }
            _ => {}
        }
        let dependency = name.to_owned();
        (breaker.as_str() != before.as_str()).then_some(Change {
            dependency,
            breaker,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn get(&self, name: &str) -> Breaker {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// A platform that is being probed is judged by every answer; one that is closed, by each destination once.
    fn counts_for_platform(&mut self, downstream: &Downstream) -> bool {
        let platform = self.get(&downstream.platform);
        let probed = matches!(platform, Breaker::HalfOpen { .. });
        let failing = self.failing.entry(downstream.platform.clone()).or_default();
        failing.insert(downstream.destination.clone()) || probed
    }
}
