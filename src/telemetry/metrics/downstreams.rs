//! How what this process depends on is doing.

use prometheus::{HistogramVec, IntCounterVec, IntGauge, IntGaugeVec};

use super::Catalogue;

/// Bounds of `dependency_request_duration_seconds`: a database answers in milliseconds, a platform in tenths of seconds.
const REQUEST_SECONDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0];

/// Families about dependencies; clones share them. A dependency is `database`, or a platform's name (`discord`, `console`),
/// or an outward channel (`alert_webhook`, `alert_discord`, `alert_pagerduty`, `healthchecks`).
#[derive(Clone)]
pub struct DownstreamMetrics {
    /// `connection_status{dependency}`.
    pub connected: IntGaugeVec,
    /// `circuit_state{dependency}`.
    pub circuit: IntGaugeVec,
    /// `dependency_request_duration_seconds{dependency,outcome}`.
    pub requests: HistogramVec,
    /// `reconnect_attempts_total{dependency}`.
    pub reconnects: IntCounterVec,
    /// `outbox_size`.
    pub outbox: IntGauge,
    /// `persistence_queue_size`.
    pub queue: IntGauge,
}

impl DownstreamMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            connected: catalogue.gauges(
                "connection_status",
                "1 while the dependency answers, 0 while it does not; set by what was asked of it last.",
                &["dependency"],
            ),
            circuit: catalogue.gauges(
                "circuit_state",
                "Circuit breaker of a downstream: 0 closed, 1 half-open, 2 open.",
                &["dependency"],
            ),
            requests: catalogue.histograms(
                "dependency_request_duration_seconds",
                "Time that one request took, in seconds, by how it ended.",
                &["dependency", "outcome"],
                &REQUEST_SECONDS,
            ),
            reconnects: catalogue.counters(
                "reconnect_attempts_total",
                "Times that a dependency which did not answer was asked again.",
                &["dependency"],
            ),
            outbox: catalogue.gauge(
                "outbox_size",
                "Posts that are stored and neither sent nor given up, of all processes.",
            ),
            queue: catalogue.gauge(
                "persistence_queue_size",
                "Writes of this process that wait for the database.",
            ),
        }
    }
}
