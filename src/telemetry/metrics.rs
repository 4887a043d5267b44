//! The metrics catalogue: every family in one struct, made once, under one namespace.
//!
//! A new family is a field here and a line in [`Metrics::new`]; whoever counts keeps a clone and touches its handle. Label
//! values come from configuration and closed enums only, never from requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector, process_collector::ProcessCollector,
};

/// The first word of every name, unless `[metrics] namespace` says otherwise.
pub const NAMESPACE: &str = "botticelli";

/// Bounds of `http_request_duration_seconds`: what the HTTP layer does itself takes microseconds, what asks actors
/// milliseconds, and nothing takes longer than its deadline of five seconds.
const HTTP_SECONDS: [f64; 9] = [0.0005, 0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2.0, 5.0];

/// All families; clones share them.
#[derive(Clone)]
pub struct Metrics {
    catalogue: Catalogue,
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
        Self::new(NAMESPACE)
    }
}

impl Metrics {
    /// Every family, each under `namespace`.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
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

/// Where families are registered.
#[derive(Clone)]
pub struct Catalogue {
    namespace: Arc<str>,
    registry: Registry,
    /// Families that may have no values yet: the encoder passes those over.
    announced: Arc<Mutex<Vec<Announced>>>,
}

/// What a family is.
struct Announced {
    name: String,
    help: String,
    kind: &'static str,
}

impl Catalogue {
    fn new(namespace: &str) -> Self {
        // The configuration has looked at it; a program that embeds the server may not have.
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let namespace = namespace.replace(|c| !fits(c), "_");
        let namespace = namespace.trim_start_matches(|c: char| c.is_ascii_digit());
        let registry = Registry::new();
        let process = ProcessCollector::for_self();
        if let Err(error) = registry.register(Box::new(process)) {
            tracing::error!(%error, "the metrics of the process are missing");
        }
        Self {
            namespace: namespace.into(),
            registry,
            announced: Arc::default(),
        }
    }

    /// A counter.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::with_opts(self.opts(name, help)), "counter")
    }

    /// A counter for each set of labels.
    #[must_use]
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(self.opts(name, help), labels), "counter")
    }

    /// A gauge.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::with_opts(self.opts(name, help)), "gauge")
    }

    /// A gauge for each set of labels.
    #[must_use]
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(self.opts(name, help), labels), "gauge")
    }

    /// A histogram with these bounds.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        let opts = HistogramOpts::from(self.opts(name, help)).buckets(bounds.to_vec());
        self.add(Histogram::with_opts(opts), "histogram")
    }

    /// A histogram for each set of labels, with these bounds.
    #[must_use]
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        bounds: &[f64],
    ) -> HistogramVec {
        let opts = HistogramOpts::from(self.opts(name, help)).buckets(bounds.to_vec());
        self.add(HistogramVec::new(opts, labels), "histogram")
    }

    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace(&*self.namespace)
    }

    /// Registers a family. One that cannot be (its name is taken, or no name at all) counts all the same, unseen, and the
    /// log says so: metrics are no reason to stop.
    fn add<C: Collector + Clone + 'static>(
        &self,
        family: prometheus::Result<C>,
        kind: &'static str,
    ) -> C {
        let family = match family {
            Ok(family) => family,
            Err(error) => {
                unreachable!("a family of the catalogue has a name that cannot be: {error}")
            }
        };
        for desc in family.desc() {
            let (name, help) = (desc.fq_name.clone(), desc.help.clone());
            self.announced().push(Announced { name, help, kind });
        }
        if let Err(error) = self.registry.register(Box::new(family.clone())) {
            tracing::error!(%error, "a family of metrics is missing");
        }
        family
    }

    fn announced(&self) -> MutexGuard<'_, Vec<Announced>> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self) -> String {
        let families = self.registry.gather();
        let mut bytes = Vec::with_capacity(16 * 1024);
        if let Err(error) = TextEncoder::new().encode(&families, &mut bytes) {
            tracing::error!(%error, "metrics could not be written out");
        }
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        for Announced { name, help, kind } in &*self.announced() {
            if !families.iter().any(|family| family.name() == *name) {
                text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_shows_what_it_is_before_it_has_values() {
        let text = Metrics::new("pinacoteca").render();
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
