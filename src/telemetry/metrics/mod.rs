//! The metrics catalogue: every family in one struct, made once, under one namespace.
//!
//! A new family is a field here and a line in [`Metrics::new`]; whoever counts keeps a clone and touches its handle. Label
//! values come from configuration and closed enums only, never from requests.

mod alerts;
pub mod bots;
mod catalogue;
mod downstreams;
mod scheduling;
mod system;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge};

pub use self::{
    alerts::AlertMetrics, bots::BotMetrics, catalogue::Catalogue, downstreams::DownstreamMetrics,
    scheduling::SchedulingMetrics, system::SystemMetrics,
};

/// The first word of every name, unless `[metrics] namespace` says otherwise.
pub const NAMESPACE: &str = "botticelli";

/// `[metrics] max_actor_labels`, unless it says otherwise.
pub const MOST_ACTOR_LABELS: usize = 200;

/// Bounds of `http_request_duration_seconds`: what the HTTP layer does itself takes microseconds, what asks actors
/// milliseconds, and nothing takes longer than its deadline of five seconds.
const HTTP_SECONDS: [f64; 9] = [0.0005, 0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2.0, 5.0];

/// All families; clones share them.
#[derive(Clone)]
pub struct Metrics {
    catalogue: Catalogue,
    /// What is counted for each bot.
    pub bots: BotMetrics,
    /// When runs start, and what waits.
    pub scheduling: SchedulingMetrics,
    /// What this process depends on.
    pub downstreams: DownstreamMetrics,
    /// What is told to the people who run the server.
    pub alerts: AlertMetrics,
    /// The process and its machine.
    pub system: SystemMetrics,
    /// `http_requests_total{route,method,status}`; the route is the pattern that matched.
    pub http_requests: IntCounterVec,
    /// `http_request_duration_seconds{route}`.
    pub http_request_duration: HistogramVec,
    /// `config_reloads_total{result}`: `applied`, `refused` or `unavailable`.
    pub config_reloads: IntCounterVec,
    /// `stream_listeners`.
    pub stream_listeners: IntGauge,
    /// `stream_dropped_total`.
    pub stream_dropped: IntCounter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(NAMESPACE, MOST_ACTOR_LABELS)
    }
}

impl Metrics {
    /// Every family, each under `namespace`; at most `max_actor_labels` bots have series of their own.
    #[must_use]
    pub fn new(namespace: &str, max_actor_labels: usize) -> Self {
        let catalogue = Catalogue::new(namespace);
        let about = catalogue.gauges(
            "build_info",
            "What is running; always 1.",
            &["version", "revision"],
        );
        let revision = option_env!("ACTOR_SERVER_REVISION").unwrap_or("unknown");
        about
            .with_label_values(&[env!("CARGO_PKG_VERSION"), revision])
            .set(1);
        Self {
            bots: BotMetrics::new(&catalogue, max_actor_labels),
            scheduling: SchedulingMetrics::new(&catalogue),
            downstreams: DownstreamMetrics::new(&catalogue),
            alerts: AlertMetrics::new(&catalogue),
            system: SystemMetrics::new(&catalogue),
            http_requests: catalogue.counters(
                "http_requests_total",
                "Answered requests by the pattern of their route.",
                &["route", "method", "status"],
            ),
            http_request_duration: catalogue.histograms(
                "http_request_duration_seconds",
                "From the end of the request's head to the answer.",
                &["route"],
                &HTTP_SECONDS,
            ),
            config_reloads: catalogue.counters(
                "config_reloads_total",
                "Times the configuration was read again, by what came of it.",
                &["result"],
            ),
            stream_listeners: catalogue.gauge(
                "stream_listeners",
                "Clients that listen to the stream of events now.",
            ),
            stream_dropped: catalogue.counter(
                "stream_dropped_total",
                "Clients of the stream that were dropped because they did not keep up.",
            ),
            catalogue,
        }
    }

    /// To add families beside these.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Everything in Prometheus's text format; a family without values yet shows what it is.
    #[must_use]
    pub fn render(&self) -> String {
        self.catalogue.render()
    }
}

/// Brings a counter up to what has been counted elsewhere.
pub fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_shows_what_it_is_before_it_has_values() {
        let text = Metrics::new("pinacoteca", 200).render();
        for line in [
            "# TYPE pinacoteca_http_requests_total counter",
            "# TYPE pinacoteca_http_request_duration_seconds histogram",
            "# TYPE pinacoteca_config_reloads_total counter",
            "# TYPE pinacoteca_build_info gauge",
            "# TYPE process_resident_memory_bytes gauge",
        ] {
            assert_eq!(text.matches(line).count(), 1, "{line} in\n{text}");
        }
        assert!(text.contains("# HELP pinacoteca_config_reloads_total "));
        assert!(text.contains("pinacoteca_build_info{revision="));
    }

    #[test]
    fn a_family_with_values_is_shown_once() {
        let metrics = Metrics::default();
        metrics.config_reloads.with_label_values(&["applied"]).inc();
        let text = metrics.render();
        let type_line = "# TYPE botticelli_config_reloads_total counter";
        assert_eq!(text.matches(type_line).count(), 1, "{text}");
        assert!(text.contains("botticelli_config_reloads_total{result=\"applied\"} 1"));
    }
}
