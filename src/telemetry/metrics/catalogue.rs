//! How a family is made and written out: its name under the namespace, its help and type from the start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
    process_collector::ProcessCollector,
    proto::{MetricFamily, MetricType},
};

use super::{
    bound::within,
    text::{About, Family, Written},
};

/// Where families are registered.
#[derive(Clone)]
pub struct Catalogue {
    namespace: Arc<str>,
    /// Whether anything is counted.
    on: bool,
    registry: Registry,
    /// All families but those of the process: those without values are shown, too.
    announced: Arc<Mutex<Vec<Family>>>,
}

impl Catalogue {
    pub(super) fn new(namespace: &str, on: bool) -> Self {
        let registry = Registry::new();
        let process = ProcessCollector::for_self();
        if let Err(error) = registry.register(Box::new(process)) {
            tracing::error!(%error, "the metrics of the process are missing");
        }
        Self {
            // The configuration has looked at it; a program that embeds the server may not have.
            namespace: fit(namespace).into(),
            on,
            registry,
            announced: Arc::default(),
        }
    }

    /// Whether anything is counted: if not, hot paths need not touch their handles.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
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

    /// A histogram with these bounds: nine at most, so that it has ten buckets.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        let opts = HistogramOpts::from(self.opts(name, help)).buckets(bounds.to_vec());
        self.add(Histogram::with_opts(opts), "histogram")
    }

    /// A histogram for each set of labels, with these bounds: nine at most.
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

    /// A family whose values are kept elsewhere, and written out by whoever keeps them.
    pub(super) fn announce(
        &self,
        name: &str,
        help: &str,
        kind: &'static str,
        labels: &[&str],
    ) -> Family {
        let name = match &*self.namespace {
            "" => fit(name),
            namespace => format!("{namespace}_{}", fit(name)),
        };
        let family = Arc::new(About {
            name,
            help: help.to_owned(),
            kind,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        });
        self.announced().push(Arc::clone(&family));
        family
    }

    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(fit(name), help).namespace(&*self.namespace)
    }

    /// Registers a family. One that cannot be (its name is taken) counts all the same, unseen, and the log says so:
    /// metrics are no reason to stop.
    fn add<C: Collector + Clone + 'static>(
        &self,
        family: prometheus::Result<C>,
        kind: &'static str,
    ) -> C {
        let family = match family {
            Ok(family) => family,
            Err(error) => unreachable!(
                "a family without a help text, or with impossible labels or bounds: {error}"
            ),
        };
        if let Err(error) = self.registry.register(Box::new(family.clone())) {
            tracing::error!(%error, "a family of metrics is missing");
            return family;
        }
        for desc in family.desc() {
            self.announced().push(Arc::new(About {
                name: desc.fq_name.clone(),
                help: desc.help.clone(),
                kind,
                labels: desc.variable_labels.clone(),
            }));
        }
        family
    }

    fn announced(&self) -> MutexGuard<'_, Vec<Family>> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is, by name.
    pub(super) fn families(&self) -> Vec<About> {
        let known: Vec<About> = self
            .announced()
            .iter()
            .map(|one| About::clone(one))
            .collect();
        let gathered = self.registry.gather();
        let of_the_process = gathered
            .iter()
            .filter(|one| known.iter().all(|known| known.name != one.name()));
        let of_the_process: Vec<About> = of_the_process.map(about).collect();
        let mut all: Vec<About> = known.into_iter().chain(of_the_process).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// What is counted through handles.
    pub(super) fn gathered(&self) -> Vec<Written> {
        self.registry.gather().iter().filter_map(written).collect()
    }

    /// All families, by name: these with their values, all others without. If these are too many, the largest are without
    /// values, too.
    pub(super) fn page(&self, families: Vec<Written>) -> String {
        let mut all = within(families);
        for about in &*self.announced() {
            if !all.iter().any(|family| family.name == about.name) {
                all.push(Written::empty(about));
            }
        }
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let length = all.iter().map(|family| family.text.len()).sum();
        let mut page = String::with_capacity(length);
        all.iter().for_each(|family| page.push_str(&family.text));
        page
    }
}

/// A name that can be one.
fn fit(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = name.replace(|c| !fits(c), "_");
    name.trim_start_matches(|c: char| c.is_ascii_digit()).into()
}

/// What a family of numbers without labels is.
fn about(family: &MetricFamily) -> About {
    About {
        name: family.name().to_owned(),
        help: family.help().to_owned(),
        kind: match family.get_field_type() {
            MetricType::COUNTER => "counter",
            _ => "gauge",
        },
        labels: Vec::new(),
    }
}

fn written(family: &MetricFamily) -> Option<Written> {
    let mut text = String::new();
    let encoded = TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut text);
    if let Err(error) = encoded {
        tracing::error!(%error, family = family.name(), "a family of metrics cannot be written out");
        return None;
    }
    let all = family.get_metric().iter();
    let series = match family.get_field_type() {
        // Beside the buckets there are the one without a bound, the sum and the count.
        MetricType::HISTOGRAM => all
            .map(|one| one.get_histogram().get_bucket().len() + 3)
            .sum(),
        _ => all.count(),
    };
    Some(Written {
        name: family.name().to_owned(),
        text,
        series,
    })
}
