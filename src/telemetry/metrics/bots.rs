//! What is counted for each bot. Only so many bots have a label of their own; all others share [`OTHER`].

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::Catalogue;

/// The label of all bots that have none of their own.
pub const OTHER: &str = "_other";

/// `status` of `actor_executions_total`.
pub const RUN_STATUSES: [&str; 3] = ["success", "failure", "skipped"];
/// `status` of `skills_executed_total`.
pub const SKILL_STATUSES: [&str; 3] = ["succeeded", "failed", "skipped"];
/// `outcome` of `slots_total`: the words of the ledger.
pub const SLOT_OUTCOMES: [&str; 8] = [
    "succeeded",
    "failed",
    "timed_out",
    "panicked",
    "cancelled",
    "abandoned",
    "skipped",
    "missed",
];

/// Bounds of `execution_duration_seconds`: from a run without a post to one that takes its whole time-out.
const DURATION_SECONDS: [f64; 7] = [0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0];

/// The families that have the label `actor`; clones share them.
#[derive(Clone)]
pub struct BotMetrics {
    executions: IntCounterVec,
    trips: IntCounterVec,
    duration: HistogramVec,
    skills: IntCounterVec,
    slots: IntCounterVec,
    most: usize,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// Bots with a label of their own, and the handles of those that were counted already.
    named: HashMap<Box<str>, Arc<BotSeries>>,
    /// What all others share, once there are others.
    other: Option<Arc<BotSeries>>,
    /// Bots of the configuration.
    configured: HashSet<Box<str>>,
}

/// The counters of one bot, or of all that share a label.
pub struct BotSeries {
    label: Box<str>,
    executions: [IntCounter; 3],
    trips: IntCounter,
    skills: [OnceLock<IntCounter>; 3],
    duration: OnceLock<Histogram>,
    slots: [OnceLock<IntCounter>; 8],
    families: BotFamilies,
}

#[derive(Clone)]
struct BotFamilies {
    duration: HistogramVec,
    skills: IntCounterVec,
    slots: IntCounterVec,
}

impl BotMetrics {
    pub(super) fn new(catalogue: &Catalogue, most: usize) -> Self {
        Self {
            executions: catalogue.counters(
                "actor_executions_total",
                "Runs that have ended and are stored: success, failure (failed, timed out, panicked or abandoned), or skipped (a gate said no, or cancelled).",
                &["actor", "status"],
            ),
            trips: catalogue.counters(
                "circuit_breaker_trips_total",
                "Holds that the server set on a bot because of trouble: failures, refused or given_up.",
                &["actor"],
            ),
            duration: catalogue.histograms(
                "execution_duration_seconds",
                "From the start of a run to its end, all attempts and the waits between them included, in seconds.",
                &["actor"],
                &DURATION_SECONDS,
            ),
            skills: catalogue.counters(
                "skills_executed_total",
                "Skills of the last attempt of each run that has ended.",
                &["actor", "status"],
            ),
            slots: catalogue.counters(
                "slots_total",
                "Slots that the ledger accounts for, by the ledger's status; a range of slots that did not run counts each of them.",
                &["actor", "outcome"],
            ),
            most,
            known: Arc::default(),
        }
    }

    /// These are the bots now, in the order of the configuration: the first ones have labels of their own. Series of bots
    /// that are gone disappear.
    pub fn configure<'a>(&self, bots: impl IntoIterator<Item = &'a str>) {
        let bots: Vec<&str> = bots.into_iter().collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.configured = bots.iter().map(|bot| Box::from(*bot)).collect();
        let configured = std::mem::take(&mut known.configured);
        known.named.retain(|bot, series| {
            let stays = configured.contains(bot);
            if !stays {
                self.remove(series);
            }
            stays
        });
        known.configured = configured;
        for bot in bots {
            if known.named.len() >= self.most {
                break;
            }
            if !known.named.contains_key(bot) {
                known.named.insert(bot.into(), self.series(bot));
            }
        }
        if known.configured.len() > known.named.len() && known.other.is_none() {
            known.other = Some(self.series(OTHER));
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
        Arc::clone(known.other.get_or_insert_with(|| self.series(OTHER)))
    }

    fn series(&self, label: &str) -> Arc<BotSeries> {
        let executions =
            RUN_STATUSES.map(|status| self.executions.with_label_values(&[label, status]));
        Arc::new(BotSeries {
            label: label.into(),
            executions,
            trips: self.trips.with_label_values(&[label]),
            skills: Default::default(),
            duration: OnceLock::new(),
            slots: Default::default(),
            families: BotFamilies {
                duration: self.duration.clone(),
                skills: self.skills.clone(),
                slots: self.slots.clone(),
            },
        })
    }

    fn remove(&self, series: &BotSeries) {
        let label = &*series.label;
        let pairs = |family: &IntCounterVec, words: &[&str]| {
            for word in words {
                let _ = family.remove_label_values(&[label, word]);
            }
        };
        pairs(&self.executions, &RUN_STATUSES);
        pairs(&self.skills, &SKILL_STATUSES);
        pairs(&self.slots, &SLOT_OUTCOMES);
        let _ = self.trips.remove_label_values(&[label]);
        let _ = self.duration.remove_label_values(&[label]);
    }
}

impl BotSeries {
    /// A run has ended; `status` is one of [`RUN_STATUSES`].
    pub fn run(&self, status: &str) {
        if let Some(counter) = place(&RUN_STATUSES, status).and_then(|at| self.executions.get(at)) {
            counter.inc();
        }
    }

    /// A hold was set because of trouble.
    pub fn tripped(&self) {
        self.trips.inc();
    }

    /// A run took so long.
    pub fn took(&self, seconds: f64) {
        self.duration
            .get_or_init(|| self.families.duration.with_label_values(&[&*self.label]))
            .observe(seconds);
    }

    /// So many skills ended so; `status` is one of [`SKILL_STATUSES`].
    pub fn skills(&self, status: &str, count: u64) {
        let family = &self.families.skills;
        self.add(&self.skills, &SKILL_STATUSES, family, status, count);
    }

    /// So many slots are accounted for; `outcome` is one of [`SLOT_OUTCOMES`].
    pub fn slots(&self, outcome: &str, count: u64) {
        let family = &self.families.slots;
        self.add(&self.slots, &SLOT_OUTCOMES, family, outcome, count);
    }

    fn add(
        &self,
        handles: &[OnceLock<IntCounter>],
        words: &[&str],
        family: &IntCounterVec,
        word: &str,
        count: u64,
    ) {
        let Some(handle) = place(words, word).and_then(|at| handles.get(at)) else {
            return;
        };
        if count > 0 {
            let made = || family.with_label_values(&[&*self.label, word]);
            handle.get_or_init(made).inc_by(count);
        }
    }
}

fn place(words: &[&str], word: &str) -> Option<usize> {
    words.iter().position(|known| *known == word)
}
