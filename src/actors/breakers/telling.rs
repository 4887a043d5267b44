//! What is heard of downstreams, and what the log and the listeners hear of breakers.

use std::collections::BTreeMap;

use super::{Change, Downstream, Sign};
use crate::{
    actors::{alarms::Alarm, env::Env, news::Happening},
    domain::{
        breaker::{Breaker, StoredBreaker},
        text::rfc3339,
    },
};

impl Env {
    /// An attempt to reach a downstream has ended so.
    pub fn heard_of(&self, downstream: &Downstream, sign: Sign) {
        let now = self.clock.now();
        if let Some(credential) = self.credential(&downstream.platform)
            && sign == Sign::TokenRefused
        {
            self.breakers.refuses(&downstream.platform, credential);
        }
        self.tell_of(self.breakers.noted(downstream, sign, now, random()));
    }

    /// Whether the downstream may be asked; if its breaker is not closed, this is the probe.
    #[must_use]
    pub fn may_ask(&self, downstream: &Downstream) -> bool {
        let (may, changes) = self.breakers.let_through(downstream, self.clock.now());
        self.tell_of(changes);
        may
    }

    /// Those of every bot's downstream, by name.
    #[must_use]
    pub fn breakers_of_bots(&self) -> BTreeMap<String, Breaker> {
        let bots = &self.in_force().bots;
        let downstreams = bots.values().filter_map(|bot| Downstream::of(bot));
        let names = downstreams.flat_map(|downstream| {
            let names = self.breakers.names(&downstream).map(str::to_owned);
            names.collect::<Vec<_>>()
        });
        let known = self.breakers.all();
        let of = |name: &String| known.get(name).copied().unwrap_or_default();
        names.map(|name| (name.clone(), of(&name))).collect()
    }

    /// Takes over what is stored, but for breakers that tell of other credentials than this process has: those it answers.
    pub fn adopt_breakers(&self, stored: Vec<StoredBreaker>) -> Vec<String> {
        let is_ours = |one: &StoredBreaker| {
            let ours = self.credential(&one.dependency);
            one.credential.is_none() || ours.is_none() || one.credential == ours
        };
        let (ours, others): (Vec<_>, Vec<_>) = stored.into_iter().partition(is_ours);
        self.tell_of(self.breakers.adopt(ours));
        others.into_iter().map(|one| one.dependency).collect()
    }

    fn credential(&self, platform: &str) -> Option<String> {
        self.platforms.get(platform)?.credential()
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
                    tracing::error!(dependency, until = %rfc3339(until), "the breaker is open: nothing is sent there until then");
                }
                Breaker::HalfOpen { .. } => {
                    tracing::info!(dependency, "the breaker lets a probe through")
                }
                Breaker::Closed { .. } => tracing::info!(dependency, "the breaker is closed"),
            }
            let open = !breaker.is_closed();
            let alarm = Alarm::Breaker {
                dependency: dependency.clone(),
                open,
            };
            self.alarms.tell(self.clock.now(), alarm);
            let state = state.to_owned();
            let happening = Happening::BreakerChanged { dependency, state };
            self.news.tell(self.clock.now(), happening);
        }
    }
}

/// From 0 to 1.
pub(in crate::actors) fn random() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    (high >> 11) as f64 / (1u64 << 53) as f64
}
