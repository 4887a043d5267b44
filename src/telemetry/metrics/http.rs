//! What is counted of requests. Clients choose what they ask for, but not how many series that makes.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::{Catalogue, bots::OTHER};

/// Bounds of `http_request_duration_seconds`: what the HTTP layer does itself takes microseconds, what asks actors
/// milliseconds, and nothing takes longer than its deadline of five seconds.
const SECONDS: [f64; 7] = [0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0];

/// Combinations of method and status that are counted apart; a client that tries them all gets to more.
const MOST_COMBINATIONS: usize = 300;

/// Methods that are counted apart: clients may invent any.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Families about requests; clones share them.
#[derive(Clone)]
pub struct HttpMetrics {
    on: bool,
    requests: IntCounterVec,
    duration: HistogramVec,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    routes: HashMap<Box<str>, Route>,
    combinations: usize,
}

/// The handles of one route.
struct Route {
    duration: Histogram,
    requests: HashMap<(&'static str, u16), IntCounter>,
}

impl HttpMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            on: catalogue.is_on(),
            requests: catalogue.counters(
                "http_requests_total",
                "Answered requests by the pattern of their route; of a flood of strange combinations the rest is under the route _other.",
                &["route", "method", "status"],
            ),
            duration: catalogue.histograms(
                "http_request_duration_seconds",
                "From the end of the request's head to the head of the answer, in seconds.",
                &["route"],
                &SECONDS,
            ),
            known: Arc::default(),
        }
    }

    /// A request was answered. The route is the pattern that matched, and never what the client wrote.
    pub fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        if !self.on {
            return;
        }
        let method = METHODS.into_iter().find(|known| *known == method);
        let key = (method.unwrap_or("other"), status);
        if self.count_known(route, key, took) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let full = known.combinations >= MOST_COMBINATIONS;
        known.combinations += usize::from(!full);
        let name = if full { OTHER } else { route };
        let key = if full { (key.0, 0) } else { key };
        let (requests, duration) = (&self.requests, &self.duration);
        let route = known.routes.entry(name.into()).or_insert_with(|| Route {
            duration: duration.with_label_values(&[name]),
            requests: HashMap::new(),
        });
        let labels = [name, key.0, &shown(key.1)];
        let counter = || requests.with_label_values(&labels);
        route.requests.entry(key).or_insert_with(counter).inc();
        route.duration.observe(took.as_secs_f64());
    }

    /// Whether there was a handle already.
    fn count_known(&self, route: &str, key: (&'static str, u16), took: Duration) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let route = known.routes.get(route);
        let counter = route.and_then(|route| Some((route, route.requests.get(&key)?)));
        counter.is_some_and(|(route, counter)| {
            counter.inc();
            route.duration.observe(took.as_secs_f64());
            true
        })
    }
}

/// Statuses that are not told apart are `other`.
fn shown(status: u16) -> String {
    match status {
        0 => "other".into(),
        status => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn a_client_that_tries_everything_makes_no_more_series_and_loses_no_count() {
        let metrics = Metrics::default();
        let took = Duration::from_millis(1);
        for n in 0..50 {
            for status in 200..240 {
                metrics
                    .http
                    .answered(&format!("/r{n}"), "BREW", status, took);
            }
        }
        let text = metrics.render(&Default::default());
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let counts = lines().filter_map(|line| line.strip_prefix("botticelli_http_requests_total"));
        let counts: Vec<u64> = counts
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(counts.len(), MOST_COMBINATIONS + 1);
        assert_eq!(counts.iter().sum::<u64>(), 50 * 40);
        assert!(lines().count() < 500, "{text}");
        assert!(text.contains("{method=\"other\",route=\"_other\",status=\"other\"} 1700\n"));
    }
}
