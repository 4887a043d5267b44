//! The counters of one bot, or of all bots that share a label.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::{Written, label};

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

/// The counters of one bot, or of all that share a label.
pub struct BotSeries {
    /// As it is written out.
    label: String,
    executions: Counts<3>,
    trips: AtomicU64,
    skills: Counts<3>,
    slots: Counts<8>,
    duration: Durations,
}

impl BotSeries {
    pub(super) fn new(bot: &str) -> Self {
        Self {
            label: label("actor", bot),
            executions: Counts::default(),
            trips: AtomicU64::default(),
            skills: Counts::default(),
            slots: Counts::default(),
            duration: Durations::default(),
        }
    }

    /// A run has ended; `status` is one of [`RUN_STATUSES`].
    pub fn run(&self, status: &str) {
        self.executions.add(&RUN_STATUSES, status, 1);
    }

    /// A hold was set because of trouble.
    pub fn tripped(&self) {
        self.trips.fetch_add(1, Ordering::Relaxed);
    }

    /// A run took so long.
    pub fn took(&self, seconds: f64) {
        self.duration.observe(seconds);
    }

    /// So many skills ended so; `status` is one of [`SKILL_STATUSES`].
    pub fn skills(&self, status: &str, count: u64) {
        self.skills.add(&SKILL_STATUSES, status, count);
    }

    /// So many slots are accounted for; `outcome` is one of [`SLOT_OUTCOMES`].
    pub fn slots(&self, outcome: &str, count: u64) {
        self.slots.add(&SLOT_OUTCOMES, outcome, count);
    }

    /// Writes out: runs and trips also at 0, what else there is with its first event.
    pub(super) fn write(&self, families: &mut BotFamilies<Written>) {
        let label = self.label.as_str();
        let runs = &mut families.executions;
        self.executions
            .write(runs, label, "status", &RUN_STATUSES, 0);
        let trips = self.trips.load(Ordering::Relaxed);
        families.trips.sample("", &[label], trips);
        let skills = &mut families.skills;
        self.skills
            .write(skills, label, "status", &SKILL_STATUSES, 1);
        let slots = &mut families.slots;
        self.slots.write(slots, label, "outcome", &SLOT_OUTCOMES, 1);
        self.duration.write(&mut families.duration, label);
    }
}

/// One of something for each family of bots.
#[derive(Clone)]
pub(super) struct BotFamilies<T> {
    pub(super) executions: T,
    pub(super) trips: T,
    pub(super) duration: T,
    pub(super) skills: T,
    pub(super) slots: T,
}

/// A counter for each word of a closed list.
struct Counts<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }
}

impl<const N: usize> Counts<N> {
    fn add(&self, words: &[&str; N], word: &str, count: u64) {
        let mut all = words.iter().zip(&self.0);
        if let Some((_, counter)) = all.find(|(known, _)| **known == word) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn write(&self, to: &mut Written, actor: &str, name: &str, words: &[&str; N], least: u64) {
        for (word, counter) in words.iter().zip(&self.0) {
            let count = counter.load(Ordering::Relaxed);
            if count >= least {
                to.sample("", &[actor, &label(name, word)], count);
            }
        }
    }
}

/// A histogram.
#[derive(Default)]
struct Durations {
    /// How many were up to each bound and above the one before; the last one counts those above all bounds.
    buckets: [AtomicU64; DURATION_SECONDS.len() + 1],
    /// Whole microseconds, so that adding needs no lock.
    micros: AtomicU64,
}

impl Durations {
    fn observe(&self, seconds: f64) {
        let bucket = DURATION_SECONDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        // A number that is none becomes 0 in a cast, and one that is too large the largest.
        let micros = (seconds * 1e6).round() as u64;
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, to: &mut Written, actor: &str) {
        let counts = self.buckets.each_ref();
        let counts = counts.map(|bucket| bucket.load(Ordering::Relaxed));
        if counts.iter().all(|count| *count == 0) {
            return;
        }
        let bounds = DURATION_SECONDS.iter().map(ToString::to_string);
        let bounds = bounds.chain(["+Inf".to_owned()]);
        let mut total = 0;
        for (bound, count) in bounds.zip(counts) {
            total += count;
            to.sample("_bucket", &[actor, &label("le", &bound)], total);
        }
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        to.sample("_sum", &[actor], seconds);
        to.sample("_count", &[actor], total);
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn a_duration_on_a_bound_is_in_its_bucket_and_the_sum_is_exact_to_the_microsecond() {
        let metrics = Metrics::default();
        metrics.bots.configure(["a"]);
        for seconds in [0.05, 0.050_001, 301.0] {
            metrics.bots.of("a").took(seconds);
        }
        let text = metrics.render(&Default::default());
        for line in [
            "_bucket{actor=\"a\",le=\"0.05\"} 1",
            "_bucket{actor=\"a\",le=\"0.25\"} 2",
            "_bucket{actor=\"a\",le=\"300\"} 2",
            "_bucket{actor=\"a\",le=\"+Inf\"} 3",
            "_sum{actor=\"a\"} 301.100001",
            "_count{actor=\"a\"} 3",
        ] {
            let line = format!("botticelli_execution_duration_seconds{line}\n");
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_word_that_is_not_in_the_list_is_not_counted() {
        let metrics = Metrics::default();
        metrics.bots.configure(["a"]);
        metrics.bots.of("a").run("won");
        metrics.bots.of("a").slots("won", 3);
        assert!(!metrics.render(&Default::default()).contains("won"));
    }
}
