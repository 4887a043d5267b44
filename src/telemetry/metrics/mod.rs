//! The metrics catalogue: every family in one struct, made once, under one namespace.
//!
//! A new family is a field here and a line in [`Metrics::new`]; whoever counts keeps a clone and touches its handle. Label
//! values come from configuration and closed enums only, never from requests. What can be read when somebody scrapes is not
//! kept: it comes as a [`Picture`].

mod actors;
mod alerts;
pub mod bots;
pub mod bound;
mod catalogue;
pub mod downstreams;
pub mod http;
mod inbox;
mod scheduling;
mod series;
pub mod states;
mod system;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use self::states::StateMetrics;
pub use self::{
    actors::{ActorMetrics, ActorType},
    alerts::AlertMetrics,
    bots::BotMetrics,
    catalogue::Catalogue,
    downstreams::DownstreamMetrics,
    http::HttpMetrics,
    inbox::{Inbox, Slip},
    scheduling::SchedulingMetrics,
    states::Picture,
    system::SystemMetrics,
};

/// What a family is.
pub type FamilyInfo = text::About;

/// The first word of every name, unless `[metrics] namespace` says otherwise.
pub const NAMESPACE: &str = "botticelli";

/// `[metrics] max_actor_labels`, unless it says otherwise.
pub const MOST_ACTOR_LABELS: usize = 200;

/// All families; clones share them.
#[derive(Clone)]
pub struct Metrics {
    catalogue: Catalogue,
    /// Messages between actors, and the actors' lives.
    pub actors: ActorMetrics,
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
    /// Answered requests.
    pub http: HttpMetrics,
    states: StateMetrics,
    /// `config_reloads_total{result}`: `applied`, `refused` or `unavailable`.
    pub config_reloads: IntCounterVec,
    /// `stream_listeners`.
    pub stream_listeners: IntGauge,
    /// `stream_dropped_total`.
    pub stream_dropped: IntCounter,
    scrape: Arc<Mutex<()>>,
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
        Self::in_catalogue(Catalogue::new(namespace, true), max_actor_labels)
    }

    /// Nobody will ever ask: nothing is counted.
    #[must_use]
    pub fn off() -> Self {
        Self::in_catalogue(Catalogue::new(NAMESPACE, false), 0)
    }

    fn in_catalogue(catalogue: Catalogue, max_actor_labels: usize) -> Self {
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
            actors: ActorMetrics::new(&catalogue),
            bots: BotMetrics::new(&catalogue, max_actor_labels),
            scheduling: SchedulingMetrics::new(&catalogue),
            downstreams: DownstreamMetrics::new(&catalogue),
            alerts: AlertMetrics::new(&catalogue),
            system: SystemMetrics::new(&catalogue),
            http: HttpMetrics::new(&catalogue),
            states: StateMetrics::new(&catalogue),
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
            scrape: Arc::default(),
            catalogue,
        }
    }

    /// To add families beside these.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What there is, by name.
    #[must_use]
    pub fn families(&self) -> Vec<FamilyInfo> {
        self.catalogue.families()
    }

    /// Whether anything is counted.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.catalogue.is_on()
    }

    /// The turn to scrape: while somebody has it, nobody else [raises](raise) counters.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.scrape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything in Prometheus's text format, families by name; one without values yet shows what it is. Never more than
    /// [`bound::MOST_SERIES`] series.
    #[must_use]
    pub fn render(&self, picture: &Picture<'_>) -> String {
        let mut families = self.catalogue.gathered();
        families.extend(self.bots.written());
        let taken = families.iter().map(|family| family.series).sum();
        families.extend(self.states.written(picture, taken));
        self.catalogue.page(families)
    }
}

/// Brings a counter up to what has been counted elsewhere; in one's [turn](Metrics::turn).
pub fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_shows_what_it_is_before_it_has_values() {
        let text = Metrics::new("pinacoteca", 200).render(&Picture::default());
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
        let text = metrics.render(&Picture::default());
        let type_line = "# TYPE botticelli_config_reloads_total counter";
        assert_eq!(text.matches(type_line).count(), 1, "{text}");
        assert!(text.contains("botticelli_config_reloads_total{result=\"applied\"} 1"));
    }
}
