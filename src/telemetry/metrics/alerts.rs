//! What is told to the people who run the server, and whether it arrives.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use super::Catalogue;

/// Families about alerts and pings; clones share them.
#[derive(Clone)]
pub struct AlertMetrics {
    /// `alerts_total{channel,outcome}`.
    pub deliveries: IntCounterVec,
    /// `alerts_queued`.
    pub queued: IntGauge,
    /// `alerts_open{kind}`.
    pub open: IntGaugeVec,
    /// `pings_total{outcome}`.
    pub pings: IntCounterVec,
}

impl AlertMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            deliveries: catalogue.counters(
                "alerts_total",
                "Attempts to deliver a notice by this process: sent, retried (not taken, to be tried again), failed (given up), dropped (mentioned in a digest instead).",
                &["channel", "outcome"],
            ),
            queued: catalogue.gauge(
                "alerts_queued",
                "Notices that are stored and neither sent nor given up, of all processes.",
            ),
            open: catalogue.gauges(
                "alerts_open",
                "Incidents that last, by what is wrong, of all processes.",
                &["kind"],
            ),
            pings: catalogue.counters(
                "pings_total",
                "Reports of starts and ends of runs to dead man's switches, by whether they were taken: sent, failed.",
                &["outcome"],
            ),
        }
    }
}
