//! When runs start, and what waits.

use prometheus::{Histogram, IntGauge};

use super::Catalogue;

/// Bounds of `schedule_lateness_seconds`: a start takes milliseconds; beyond a minute the rule for late slots decides.
const LATENESS_SECONDS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0];

/// Families about the schedule; clones share them.
#[derive(Clone)]
pub struct SchedulingMetrics {
    /// `schedule_lateness_seconds`.
    pub lateness: Histogram,
    /// `active_actors`.
    pub active: IntGauge,
    /// `runs_waiting`.
    pub waiting: IntGauge,
    /// `tasks_scheduled`.
    pub scheduled: IntGauge,
    /// `tasks_paused`.
    pub paused: IntGauge,
    /// `replicas`.
    pub replicas: IntGauge,
}

impl SchedulingMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            lateness: catalogue.histogram(
                "schedule_lateness_seconds",
                "Start of a slot's run minus the moment it was due (slot plus jitter), in seconds; observed once a slot, at its first start.",
                &LATENESS_SECONDS,
            ),
            active: catalogue.gauge("active_actors", "Runs at work in this process now."),
            waiting: catalogue.gauge(
                "runs_waiting",
                "Runs of this process that are due and wait: for a free place (max_parallel_tasks), or for a run of the same bot to end.",
            ),
            scheduled: catalogue.gauge(
                "tasks_scheduled",
                "Bots that have a next slot and neither a hold nor enabled = false.",
            ),
            paused: catalogue.gauge("tasks_paused", "Bots that have a hold, of whatever kind."),
            replicas: catalogue.gauge(
                "replicas",
                "Processes with a good lease on the database, this one included; 1 on SQLite.",
            ),
        }
    }
}
