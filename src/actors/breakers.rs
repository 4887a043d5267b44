//! The circuit breakers of this process: one for each destination (a channel), and one for each platform as a whole.
//!
//! A bad destination must never shut the platform for others: while nothing gets through, the platform's breaker counts each
//! destination once. A token that is refused shuts the platform at once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    env::{Env, Platforms},
    news::Happening,
};
use crate::domain::{
    Instant,
    bot::Bot,
    breaker::{Breaker, BreakerRules},
};

/// The skill that asks a platform for something.
const POSTING: &str = "content_posting";

/// Who is asked for one post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downstream {
    /// The platform's word, which is the name of its breaker: `discord`.
    pub platform: String,
    /// The name of the destination's breaker: `discord:1234567890`.
    pub destination: String,
}

impl Downstream {
    /// Where a bot's posts go; `None` for a bot that posts nothing.
    #[must_use]
    pub fn of(bot: &Bot) -> Option<Self> {
        let mut skills = bot.behaviour.skills.iter();
        let posts = skills.any(|skill| skill.enabled && skill.name == POSTING);
        let (platform, destination) = Platforms::of(bot);
        posts.then(|| Self::new(platform, &destination))
    }

    /// The downstream of this destination.
    #[must_use]
    pub fn new(platform: &str, destination: &str) -> Self {
        Self {
            platform: platform.into(),
            destination: format!("{platform}:{destination}"),
        }
    }
}

/// What an attempt says about the downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It did what it was asked.
    Answered,
    /// It refused the post or the destination: the platform is well.
    Refused,
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
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_name: BTreeMap<String, Breaker>,
    /// Destinations of a platform that have failed since anything last got through.
    failing: HashMap<String, HashSet<String>>,
}

impl Breakers {
    /// All closed.
    #[must_use]
    pub fn new(rules: BreakerRules) -> Self {
        let inner = Mutex::default();
        Self(Arc::new(Shared { rules, inner }))
    }

    /// Takes over what was stored before this process started.
    pub fn restore(&self, stored: impl IntoIterator<Item = (String, Breaker)>) {
        self.lock().by_name.extend(stored);
    }

    /// Whether the downstream may be asked at `now`.
    #[must_use]
    pub fn would_let_through(&self, downstream: &Downstream, now: Instant) -> bool {
        let inner = self.lock();
        let open = |name: &String| {
            let breaker = inner.by_name.get(name);
            breaker.is_some_and(|breaker| !breaker.would_let_through(now))
        };
        !open(&downstream.platform) && !open(&downstream.destination)
    }

    /// Asks to be let through; of breakers that are not closed, this is the probe.
    pub fn let_through(&self, downstream: &Downstream, now: Instant) -> (bool, Vec<Change>) {
        if !self.would_let_through(downstream, now) {
            return (false, Vec::new());
        }
        let rules = self.0.rules;
        let changes = self.change([&downstream.platform, &downstream.destination], |breaker| {
            breaker.let_through(now, &rules);
        });
        (true, changes)
    }

    /// An attempt has ended. `random` is from 0 to 1. Answers the breakers that are in another state now.
    pub fn noted(
        &self,
        downstream: &Downstream,
        sign: Sign,
        now: Instant,
        random: f64,
    ) -> Vec<Change> {
        let rules = self.0.rules;
        let Downstream {
            platform,
            destination,
        } = downstream;
        match sign {
            Sign::Answered => {
                self.lock().failing.remove(platform);
                self.change([platform, destination], |breaker| breaker.succeeded(&rules))
            }
            Sign::Refused => {
                self.lock().failing.remove(platform);
                self.change([platform], |breaker| breaker.succeeded(&rules))
            }
            Sign::Failed => {
                let fail = |breaker: &mut Breaker| breaker.failed(now, &rules, random);
                let mut changes = self.change([destination], fail);
                if self.counts_for_platform(downstream) {
                    changes.extend(self.change([platform], fail));
                }
                changes
            }
            Sign::TokenRefused => self.change([platform], |breaker| {
                *breaker = Breaker::opened(now, &rules, random);
            }),
        }
    }

    /// Closes one by hand; `None` if it is closed already or was never heard of.
    pub fn reset(&self, dependency: &str) -> Option<Change> {
        self.lock().failing.remove(dependency);
        let close = |breaker: &mut Breaker| *breaker = Breaker::default();
        self.change([dependency], close).pop()
    }

    /// The state of one; closed if it was never heard of.
    #[must_use]
    pub fn get(&self, dependency: &str) -> Breaker {
        self.lock()
            .by_name
            .get(dependency)
            .copied()
            .unwrap_or_default()
    }

    /// All that were ever heard of, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Breaker> {
        self.lock().by_name.clone()
    }

    /// A platform that is being probed is judged by every answer; one that is closed, by each destination once.
    fn counts_for_platform(&self, downstream: &Downstream) -> bool {
        let mut inner = self.lock();
        let breaker = inner.by_name.get(&downstream.platform);
        let probed = breaker.is_some_and(|breaker| matches!(breaker, Breaker::HalfOpen { .. }));
        let failing = inner
            .failing
            .entry(downstream.platform.clone())
            .or_default();
        failing.insert(downstream.destination.clone()) || probed
    }

    fn change<'a>(
        &self,
        names: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
        step: impl Fn(&mut Breaker),
    ) -> Vec<Change> {
        let mut inner = self.lock();
        let mut changes = Vec::new();
        for name in names {
            let name = name.as_ref();
            let before = inner.by_name.get(name).copied().unwrap_or_default();
            let mut breaker = before;
            step(&mut breaker);
            if breaker != before {
                inner.by_name.insert(name.to_owned(), breaker);
            }
            if breaker.as_str() != before.as_str() {
                let dependency = name.to_owned();
                changes.push(Change {
                    dependency,
                    breaker,
                });
            }
        }
        changes
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Env {
    /// An attempt to reach a downstream has ended so.
    pub fn heard_of(&self, downstream: &Downstream, sign: Sign) {
        let now = self.clock.now();
        self.tell_of(self.breakers.noted(downstream, sign, now, random()));
    }

    /// Whether the downstream may be asked; if its breaker is not closed, this is the probe.
    #[must_use]
    pub fn may_ask(&self, downstream: &Downstream) -> bool {
        let (may, changes) = self.breakers.let_through(downstream, self.clock.now());
        self.tell_of(changes);
        may
    }

    /// Breakers are in another state now.
    pub fn tell_of(&self, changes: impl IntoIterator<Item = Change>) {
        for Change {
            dependency,
            breaker,
        } in changes
        {
            let state = breaker.as_str();
            match breaker {
                Breaker::Open { until } => {
                    tracing::error!(dependency, %until, "the breaker is open: nothing is sent there until then");
                }
                Breaker::HalfOpen { .. } => {
                    tracing::info!(dependency, "the breaker lets a probe through")
                }
                Breaker::Closed { .. } => tracing::info!(dependency, "the breaker is closed"),
            }
            let state = state.to_owned();
            let happening = Happening::BreakerChanged { dependency, state };
            self.news.tell(self.clock.now(), happening);
        }
    }
}

/// From 0 to 1.
pub(super) fn random() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    (high >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breakers() -> Breakers {
        Breakers::new(BreakerRules {
            failure_threshold: 3,
            ..BreakerRules::default()
        })
    }

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn fail(breakers: &Breakers, channel: &str, times: usize) {
        let downstream = Downstream::new("discord", channel);
        for _ in 0..times {
            breakers.noted(&downstream, Sign::Failed, at(0), 0.0);
        }
    }

    fn is_open(breakers: &Breakers, channel: &str) -> bool {
        !breakers.would_let_through(&Downstream::new("discord", channel), at(1))
    }

    #[test]
    fn one_bad_channel_never_shuts_the_others_out() {
        let breakers = breakers();
        fail(&breakers, "1", 100);
        assert!(is_open(&breakers, "1") && !is_open(&breakers, "2"));
    }

    #[test]
    fn a_platform_that_fails_everywhere_is_shut_as_a_whole() {
        let breakers = breakers();
        for channel in ["1", "2", "3"] {
            fail(&breakers, channel, 1);
        }
        assert!(is_open(&breakers, "4"));
    }

    #[test]
    fn a_refused_token_shuts_the_platform_at_once_until_it_is_reset() {
        let breakers = breakers();
        let changes = breakers.noted(
            &Downstream::new("discord", "1"),
            Sign::TokenRefused,
            at(0),
            0.0,
        );
        assert_eq!(changes.len(), 1);
        assert!(is_open(&breakers, "2"));
        assert!(breakers.reset("discord").is_some());
        assert!(!is_open(&breakers, "2") && breakers.reset("discord").is_none());
    }

    #[test]
    fn a_channel_that_refuses_says_that_the_platform_is_well() {
        let breakers = breakers();
        fail(&breakers, "1", 1);
        fail(&breakers, "2", 1);
        breakers.noted(&Downstream::new("discord", "3"), Sign::Refused, at(0), 0.0);
        fail(&breakers, "4", 1);
        assert!(!is_open(&breakers, "5"));
    }
}
