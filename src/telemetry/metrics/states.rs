//! Gauges that are not kept but read at a scrape: how each bot is, and each circuit breaker. As many as there is room for.

use std::fmt::Display;

use super::{
    Catalogue,
    bound::{MOST_BOTS, MOST_SERIES, STATES},
    text::{Family, Written, label},
};

/// How everything is at one moment. Whoever stands first is shown first: put those that are not well there.
#[derive(Default)]
pub struct Picture<'a> {
    /// All bots.
    pub bots: Vec<BotRow<'a>>,
    /// All circuit breakers.
    pub circuits: Vec<(&'a str, Circuit)>,
}

/// How one bot is.
pub struct BotRow<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it has a hold.
    pub paused: bool,
    /// Failed runs in a row.
    pub failures: u32,
    /// Unix seconds of the end of its last run that succeeded.
    pub last_success: Option<i64>,
    /// Unix seconds of its next slot.
    pub next_run: Option<i64>,
    /// What it depends on, and whether that is well.
    pub dependencies: Vec<(&'a str, bool)>,
}

/// Where a circuit breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// 0.
    Closed,
    /// 1.
    HalfOpen,
    /// 2.
    Open,
}

/// Kept for circuit breakers when the bots' states would take all there is.
const FOR_CIRCUITS: usize = 100;

/// The families; clones share nothing but their names.
#[derive(Clone)]
pub(super) struct StateMetrics {
    paused: Family,
    failures: Family,
    last_success: Family,
    next_run: Family,
    dropped: Family,
    circuit: Family,
    dependency: Family,
}

impl StateMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let gauge = |name, help, labels| catalogue.announce(name, help, "gauge", labels);
        Self {
            paused: gauge(
                "actor_paused",
                "1 while the bot has a hold, of whatever kind, 0 while it has none.",
                &["actor"],
            ),
            failures: gauge(
                "consecutive_failures",
                "Failed runs of the bot in a row, as stored; a run that succeeds and a resume set it to 0.",
                &["actor"],
            ),
            last_success: gauge(
                "last_success_timestamp",
                "End of the bot's last run that succeeded, in unix seconds, as stored; absent before the first one.",
                &["actor"],
            ),
            next_run: gauge(
                "next_run_timestamp",
                "Next slot of the bot, in unix seconds, whether or not a hold will let it run; absent when there is none any more.",
                &["actor"],
            ),
            dropped: gauge(
                "metrics_dropped_labels",
                "Bots whose state is not shown because there are too many; those that are not well are shown first.",
                &[],
            ),
            circuit: gauge(
                "circuit_state",
                "Circuit breaker of a downstream: 0 closed, 1 half-open, 2 open; those that are not closed are shown first.",
                &["dependency"],
            ),
            dependency: gauge(
                "actor_dependency_health_status",
                "1 while what the bot depends on is well, 0 while it is not: the database answers and takes writes, the platform is configured and its breakers are closed.",
                &["actor", "dependency"],
            ),
        }
    }

    /// All of it, in what `taken` series leave.
    pub(super) fn written(&self, picture: &Picture<'_>, taken: usize) -> Vec<Written> {
        // One is the number of those that are not shown.
        let left = MOST_SERIES.saturating_sub(taken + 1);
        let room = left.saturating_sub(FOR_CIRCUITS) / STATES;
        let (all, shown) = (
            picture.bots.len(),
            picture.bots.len().min(MOST_BOTS).min(room),
        );
        let bots: Vec<(&BotRow<'_>, String)> = picture
            .bots
            .iter()
            .take(shown)
            .map(|bot| (bot, label("actor", bot.name)))
            .collect();
        let mut families = self.states(&bots);
        let mut dropped = Written::empty(&self.dropped);
        dropped.sample("", &[], all - shown);
        let left = left - families.iter().map(|family| family.series).sum::<usize>();
        let wanted = bots.iter().map(|(bot, _)| bot.dependencies.len()).sum();
        let circuits = self.circuits(picture, (left / 2).max(left.saturating_sub(wanted)));
        let dependencies = self.dependencies(&bots, left - circuits.series);
        families.extend([dropped, circuits, dependencies]);
        families
    }

    fn states(&self, bots: &[(&BotRow<'_>, String)]) -> Vec<Written> {
        fn each<V: Display>(
            family: &Family,
            bots: &[(&BotRow<'_>, String)],
            value: impl Fn(&BotRow<'_>) -> Option<V>,
        ) -> Written {
            let mut written = Written::empty(family);
            for (bot, label) in bots {
                if let Some(value) = value(bot) {
                    written.sample("", &[label], value);
                }
            }
            written
        }
        vec![
            each(&self.paused, bots, |bot| Some(u8::from(bot.paused))),
            each(&self.failures, bots, |bot| Some(bot.failures)),
            each(&self.last_success, bots, |bot| bot.last_success),
            each(&self.next_run, bots, |bot| bot.next_run),
        ]
    }

    fn circuits(&self, picture: &Picture<'_>, room: usize) -> Written {
        let mut written = Written::empty(&self.circuit);
        for (name, state) in picture.circuits.iter().take(room) {
            written.sample("", &[&label("dependency", name)], *state as u8);
        }
        written
    }

    fn dependencies(&self, bots: &[(&BotRow<'_>, String)], room: usize) -> Written {
        let mut written = Written::empty(&self.dependency);
        for (bot, actor) in bots {
            if written.series + bot.dependencies.len() > room {
                break;
            }
            for (name, well) in &bot.dependencies {
                let labels = [actor, &label("dependency", name)];
                written.sample("", &labels.map(String::as_str), u8::from(*well));
            }
        }
        written
    }
}
