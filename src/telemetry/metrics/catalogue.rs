//! How a family is made and written out: its name under the namespace, its help and type from the start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector, process_collector::ProcessCollector,
};

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
    pub(super) fn new(namespace: &str) -> Self {
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

    /// A gauge that is no whole number.
    #[must_use]
    pub fn real(&self, name: &str, help: &str) -> Gauge {
        self.add(Gauge::with_opts(self.opts(name, help)), "gauge")
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

    pub(super) fn render(&self) -> String {
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
