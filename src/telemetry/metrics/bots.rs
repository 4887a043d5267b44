//! What is counted for each bot. Only so many bots have a label of their own; all others share [`OTHER`].

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    Catalogue,
    bound::labels_for,
    series::BotFamilies,
    text::{Family, Written},
};

pub use super::series::{BotSeries, RUN_STATUSES, SKILL_STATUSES, SLOT_OUTCOMES};

/// The label of all bots that have none of their own.
pub const OTHER: &str = "_other";

/// The families of counters that have the label `actor`; clones share them.
#[derive(Clone)]
pub struct BotMetrics {
    families: BotFamilies<Family>,
    most: usize,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// Bots with a label of their own.
    named: BTreeMap<Box<str>, Arc<BotSeries>>,
    /// What all others share, once there are others.
    other: Option<Arc<BotSeries>>,
}

impl BotMetrics {
    pub(super) fn new(catalogue: &Catalogue, most: usize) -> Self {
        let family = |name, help, kind, labels| catalogue.announce(name, help, kind, labels);
        let families = BotFamilies {
            executions: family(
                "actor_executions_total",
                "Runs that have ended and are stored: success, failure (failed, timed out, panicked or abandoned), or skipped (a gate said no, or cancelled).",
                "counter",
                &["actor", "status"],
            ),
            trips: family(
                "circuit_breaker_trips_total",
                "Holds that the server set on a bot because of trouble: failures, refused or given_up.",
                "counter",
                &["actor"],
            ),
            duration: family(
                "execution_duration_seconds",
                "From the start of a run to its end, all attempts and the waits between them included, in seconds.",
                "histogram",
                &["actor"],
            ),
            skills: family(
                "skills_executed_total",
                "Skills of the last attempt of each run that has ended.",
                "counter",
                &["actor", "status"],
            ),
            slots: family(
                "slots_total",
                "Slots that the ledger accounts for, by the ledger's status; a range of slots that did not run counts each of them.",
                "counter",
                &["actor", "outcome"],
            ),
        };
        Self {
            families,
            most,
            known: Arc::default(),
        }
    }

    /// These are the bots now: the first ones have labels of their own, and those that had one before keep it. Series of
    /// bots that are gone disappear.
    pub fn configure<'a>(&self, bots: impl IntoIterator<Item = &'a str>) {
        let bots: Vec<&str> = bots.into_iter().collect();
        let most = self.most.min(labels_for(bots.len()));
        let configured: HashSet<&str> = bots.iter().copied().collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.named.retain(|bot, _| configured.contains(&**bot));
        while known.named.len() > most {
            known.named.pop_last();
        }
        for bot in bots {
            if known.named.len() >= most {
                break;
            }
            let series = || Arc::new(BotSeries::new(bot));
            known.named.entry(bot.into()).or_insert_with(series);
        }
        if configured.len() > known.named.len() {
            known.others();
        }
    }

    /// The counters of this bot.
    #[must_use]
    pub fn of(&self, bot: &str) -> Arc<BotSeries> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.named.get(bot).or(known.other.as_ref()) {
            return Arc::clone(series);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.others())
    }

    pub(super) fn written(&self) -> [Written; 5] {
        let mut families = self.families.each(|family| Written::empty(family));
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for series in known.named.values().chain(&known.other) {
            series.write(&mut families);
        }
        families.into_array()
    }
}

impl Known {
    fn others(&mut self) -> &Arc<BotSeries> {
        self.other
            .get_or_insert_with(|| Arc::new(BotSeries::new(OTHER)))
    }
}

impl<T> BotFamilies<T> {
    fn each<U>(&self, make: impl Fn(&T) -> U) -> BotFamilies<U> {
        BotFamilies {
            executions: make(&self.executions),
            trips: make(&self.trips),
            duration: make(&self.duration),
            skills: make(&self.skills),
            slots: make(&self.slots),
        }
    }

    fn into_array(self) -> [T; 5] {
        [
            self.executions,
            self.trips,
            self.duration,
            self.skills,
            self.slots,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn runs(metrics: &Metrics, bot: &str) -> Option<u64> {
        let line =
            format!("botticelli_actor_executions_total{{actor=\"{bot}\",status=\"success\"}} ");
        let text = metrics.render(&Default::default());
        let found = text.lines().find_map(|found| found.strip_prefix(&line));
        found.and_then(|count| count.parse().ok())
    }

    #[test]
    fn past_the_limit_bots_share_a_label_that_never_falls() {
        let metrics = Metrics::new("botticelli", 2);
        metrics.bots.configure(["a", "b", "c", "d"]);
        for bot in ["a", "b", "c", "d", "d"] {
            metrics.bots.of(bot).run("success");
        }
        assert_eq!(runs(&metrics, "a"), Some(1));
        assert_eq!(runs(&metrics, OTHER), Some(3));
        metrics.bots.configure(["b", "c"]);
        assert_eq!(runs(&metrics, "a"), None, "it is gone");
        assert_eq!(runs(&metrics, "b"), Some(1), "it stays");
        assert_eq!(runs(&metrics, "c"), Some(0), "there is room for it now");
        assert_eq!(runs(&metrics, OTHER), Some(3));
    }

    #[test]
    fn a_run_that_ends_after_its_bot_was_removed_brings_no_label_back() {
        let metrics = Metrics::default();
        metrics.bots.configure(["a"]);
        let late = metrics.bots.of("a");
        metrics.bots.configure([]);
        late.run("success");
        metrics.bots.of("a").run("success");
        assert_eq!(
            (runs(&metrics, "a"), runs(&metrics, OTHER)),
            (None, Some(1))
        );
    }

    #[test]
    fn runs_and_trips_start_at_zero_and_all_else_with_its_first_event() {
        let metrics = Metrics::default();
        metrics.bots.configure(["a"]);
        let text = metrics.render(&Default::default());
        assert_eq!(text.matches("actor=\"a\"").count(), 4, "{text}");
        assert!(text.contains("botticelli_circuit_breaker_trips_total{actor=\"a\"} 0\n"));
    }
}
