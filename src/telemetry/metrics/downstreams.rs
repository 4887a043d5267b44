//! How what this process depends on is doing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::Catalogue;

/// Bounds of `dependency_request_duration_seconds`: a database answers in milliseconds, a platform in tenths of seconds.
const REQUEST_SECONDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0];

/// The database, as a dependency.
pub const DATABASE: &str = "database";

/// How a request to a dependency ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It did what it was asked.
    Ok,
    /// It answered, and does not do it.
    Refused,
    /// It answered that we ask too often.
    RateLimited,
    /// No answer in time.
    Timeout,
    /// No answer, or one that tells of its own trouble.
    Error,
}

impl Answer {
    /// The label `outcome`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Error => "error",
        }
    }

    const fn is_one(self) -> bool {
        matches!(self, Self::Ok | Self::Refused | Self::RateLimited)
    }
}

/// Families about dependencies; clones share them. A dependency is `database`, or a platform's name (`discord`, `console`),
/// or an outward channel (`alert_webhook`, `alert_discord`, `alert_pagerduty`, `healthchecks`).
#[derive(Clone)]
pub struct DownstreamMetrics {
    on: bool,
    /// Which of them answered last time.
    answers: Arc<Mutex<HashMap<Box<str>, bool>>>,
    /// `connection_status{dependency}`.
    pub connected: IntGaugeVec,
    /// `dependency_request_duration_seconds{dependency,outcome}`.
    pub requests: HistogramVec,
    /// `reconnect_attempts_total{dependency}`.
    pub reconnects: IntCounterVec,
    /// `outbox_size`.
    pub outbox: IntGauge,
    /// `dead_posts`.
    pub dead: IntGauge,
    /// `posts_total{platform,status}`.
    pub posts: IntCounterVec,
    /// `persistence_queue_size`.
    pub queue: IntGauge,
    /// `heartbeat_timestamp`.
    pub heartbeat: IntGauge,
    /// `results_fenced_total`.
    pub fenced: IntCounter,
    /// `results_lost_total`.
    pub lost: IntCounter,
}

impl DownstreamMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            on: catalogue.is_on(),
            answers: Arc::default(),
            connected: catalogue.gauges(
                "connection_status",
                "1 while the dependency answers, 0 while it does not; set by what was asked of it last.",
                &["dependency"],
            ),
            requests: catalogue.histograms(
                "dependency_request_duration_seconds",
                "Time that one request took, in seconds, by how it ended: of the database each write transaction and each check, of a platform each post.",
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
                "Posts that are stored and neither sent nor given up, of all processes; read every 5 seconds.",
            ),
            dead: catalogue.gauge(
                "dead_posts",
                "Posts whose attempts are spent and which nobody has sent again, of all processes; read every 5 seconds.",
            ),
            posts: catalogue.counters(
                "posts_total",
                "Posts of this process whose fate is known: sent, failed (refused for good) or dead (attempts spent).",
                &["platform", "status"],
            ),
            queue: catalogue.gauge(
                "persistence_queue_size",
                "Writes of this process that wait for the database.",
            ),
            heartbeat: catalogue.gauge(
                "heartbeat_timestamp",
                "Last heartbeat of this process that the database took, in unix seconds.",
            ),
            fenced: catalogue.counter(
                "results_fenced_total",
                "Results of runs that the database refused because another process has taken the run over.",
            ),
            lost: catalogue.counter(
                "results_lost_total",
                "Results that were lost because more than results_in_memory waited for the database.",
            ),
        }
    }

    /// A dependency was asked for something, and this came of it after so long.
    pub fn asked(&self, dependency: &str, answer: Answer, took: Duration) {
        if !self.on {
            return;
        }
        let labels = [dependency, answer.as_str()];
        let seconds = took.as_secs_f64();
        self.requests.with_label_values(&labels).observe(seconds);
        self.hear_of(dependency, answer.is_one());
    }

    /// The fate of a post is known.
    pub fn post_ended(&self, platform: &str, status: &str) {
        if self.on {
            self.posts.with_label_values(&[platform, status]).inc();
        }
    }

    /// A dependency was asked whatever, and answered or not.
    pub fn hear_of(&self, dependency: &str, answered: bool) {
        if !self.on {
            return;
        }
        let label = [dependency];
        if self.answered_before(dependency, answered) == Some(false) {
            self.reconnects.with_label_values(&label).inc();
        }
        let connected = self.connected.with_label_values(&label);
        connected.set(i64::from(answered));
    }

    /// Whether a dependency answered when it was asked last, if it was.
    #[must_use]
    pub fn answers(&self, dependency: &str) -> bool {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(dependency).copied().unwrap_or(true)
    }

    /// Whether it answered the time before; `None` if it was never asked.
    fn answered_before(&self, dependency: &str, now: bool) -> Option<bool> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = answers.get_mut(dependency) {
            return Some(std::mem::replace(answered, now));
        }
        answers.insert(dependency.into(), now);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn asking_again_what_did_not_answer_is_an_attempt_to_reconnect() {
        let metrics = Metrics::default();
        let took = Duration::from_millis(3);
        for answer in [
            Answer::Ok,
            Answer::Timeout,
            Answer::Error,
            Answer::RateLimited,
            Answer::Refused,
        ] {
            metrics.downstreams.asked("discord", answer, took);
        }
        let text = metrics.render(&Default::default());
        for line in [
            "reconnect_attempts_total{dependency=\"discord\"} 2",
            "connection_status{dependency=\"discord\"} 1",
            "dependency_request_duration_seconds_count{dependency=\"discord\",outcome=\"rate_limited\"} 1",
        ] {
            assert!(
                text.contains(&format!("botticelli_{line}\n")),
                "{line} is not in\n{text}"
            );
        }
    }
}
