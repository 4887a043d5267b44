//! The policy keys of `[[actors]]` and `[defaults]`, merged key by key: the bot's own, else `[defaults]`, else built in.

use std::time::Duration;

use super::{alerts::AlertKeys, sections::TEN_YEARS, table::Table};
use crate::domain::{
    Instant,
    policy::{Misfire, OnResume, Overlap, Policy},
    retry::RetryPolicy,
    schedule::{DstFold, DstGap},
};

const OVERLAP: [(&str, Overlap); 4] = [
    ("skip", Overlap::Skip),
    ("buffer_one", Overlap::BufferOne),
    ("cancel_other", Overlap::CancelOther),
    ("allow_all", Overlap::AllowAll),
];
const MISFIRE: [(&str, Misfire); 3] = [
    ("fire_once_now", Misfire::FireOnceNow),
    ("do_nothing", Misfire::DoNothing),
    ("fire_all", Misfire::FireAll),
];
const ON_RESUME: [(&str, OnResume); 2] = [
    ("skip_paused", OnResume::SkipPaused),
    ("run_latest", OnResume::RunLatest),
];
const DST_GAP: [(&str, DstGap); 2] = [("run_after", DstGap::RunAfter), ("skip", DstGap::Skip)];
const DST_FOLD: [(&str, DstFold); 3] = [
    ("first", DstFold::First),
    ("second", DstFold::Second),
    ("both", DstFold::Both),
];

/// The longest wait between two attempts: a week.
const LONGEST_WAIT: f64 = 604_800.0;

/// The policy keys that one table sets.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyKeys {
    timeout: Option<Duration>,
    overlap: Option<Overlap>,
    misfire: Option<Misfire>,
    misfire_threshold: Option<Duration>,
    catchup_window: Option<Duration>,
    jitter: Option<Duration>,
    dst_gap: Option<DstGap>,
    dst_fold: Option<DstFold>,
    recover_in_flight: Option<bool>,
    on_resume: Option<OnResume>,
    retry: RetryKeys,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
    max_runs: Option<u32>,
    on_event: Option<Vec<String>>,
    alerts: AlertKeys,
}

/// The keys of a `retry` table.
#[derive(Clone, Copy, Debug, Default)]
struct RetryKeys {
    max_attempts: Option<u32>,
    initial_backoff: Option<Duration>,
    max_backoff: Option<Duration>,
    multiplier: Option<f64>,
    jitter: Option<f64>,
}

impl PolicyKeys {
    /// Asks a table for every policy key.
    pub(super) fn read(table: &Table<'_>) -> Self {
        let time = |key| table.get(key).and_then(|item| item.instant());
        Self {
            timeout: table.seconds("timeout_seconds", 1..=TEN_YEARS),
            overlap: table.choice("overlap", &OVERLAP),
            misfire: table.choice("misfire", &MISFIRE),
            misfire_threshold: table.seconds("misfire_threshold_seconds", 0..=TEN_YEARS),
            catchup_window: table.seconds("catchup_window_seconds", 0..=TEN_YEARS),
            jitter: table.seconds("jitter_seconds", 0..=TEN_YEARS),
            dst_gap: table.choice("dst_gap", &DST_GAP),
            dst_fold: table.choice("dst_fold", &DST_FOLD),
            recover_in_flight: table.boolean("recover_in_flight"),
            on_resume: table.choice("on_resume", &ON_RESUME),
            retry: table.section("retry", RetryKeys::read),
            starts_at: time("starts_at"),
            ends_at: time("ends_at"),
            max_runs: table.integer("max_runs", 1..=i64::from(u32::MAX)),
            on_event: table.section("on_event", event_types),
            alerts: table.section("alerts", AlertKeys::read),
        }
    }

    /// These keys over `defaults`, over what is built in.
    pub(super) fn over(&self, defaults: &Self) -> Policy {
        let built_in = Policy::default();
        macro_rules! first {
            ($key:ident) => {
                self.$key.or(defaults.$key).unwrap_or(built_in.$key)
            };
        }
        let on_event = self.on_event.clone().or_else(|| defaults.on_event.clone());
        Policy {
            timeout: first!(timeout),
            overlap: first!(overlap),
            misfire: first!(misfire),
            misfire_threshold: first!(misfire_threshold),
            catchup_window: first!(catchup_window),
            jitter: first!(jitter),
            recover_in_flight: first!(recover_in_flight),
            on_resume: first!(on_resume),
            retry: self.retry.over(&defaults.retry),
            starts_at: self.starts_at.or(defaults.starts_at),
            ends_at: self.ends_at.or(defaults.ends_at),
            max_runs: self.max_runs.or(defaults.max_runs),
            on_event: on_event.unwrap_or_default(),
            alerts: self.alerts.over(&defaults.alerts),
        }
    }

    /// What becomes of fixed hours when the clocks change.
    pub(super) fn dst_over(&self, defaults: &Self) -> (DstGap, DstFold) {
        (
            self.dst_gap.or(defaults.dst_gap).unwrap_or_default(),
            self.dst_fold.or(defaults.dst_fold).unwrap_or_default(),
        )
    }

    /// Reports keys of this table that contradict each other, or those that it is laid over, or that name channels for
    /// alerts which there are not.
    pub(super) fn check(&self, table: &Table<'_>, defaults: &Self, alert_channels: &[String]) {
        self.alerts.check(table, alert_channels);
        let policy = self.over(defaults);
        if self.starts_at.is_some() || self.ends_at.is_some() {
            check_times(table, &policy);
        }
        if self.retry.initial_backoff.is_some() || self.retry.max_backoff.is_some() {
            check_waits(table, &policy.retry);
        }
    }
}

fn check_times(table: &Table<'_>, policy: &Policy) {
    let Some((start, end)) = policy.starts_at.zip(policy.ends_at) else {
        return;
    };
    if end < start {
        let (start, end) = (start.to_rfc3339(), end.to_rfc3339());
        let message = format!("{end} is before `starts_at` ({start}); give a later time");
        table.problem_at("ends_at", message);
    }
}

fn check_waits(table: &Table<'_>, retry: &RetryPolicy) {
    if retry.initial_backoff > retry.max_backoff {
        let (first, most) = (
            retry.initial_backoff.as_secs_f64(),
            retry.max_backoff.as_secs_f64(),
        );
        let message =
            format!("{first} is more than `max_backoff_seconds` ({most}); use {most} or less");
        table.problem_at("retry.initial_backoff_seconds", message);
    }
}

fn event_types(table: &Table<'_>) -> Option<Vec<String>> {
    table.strings("types")
}

impl RetryKeys {
    fn read(table: &Table<'_>) -> Self {
        let wait = |key| table.number(key, 0.0..=LONGEST_WAIT);
        Self {
            max_attempts: table.integer("max_attempts", 1..=1_000),
            initial_backoff: wait("initial_backoff_seconds").map(Duration::from_secs_f64),
            max_backoff: wait("max_backoff_seconds").map(Duration::from_secs_f64),
            multiplier: table.number("multiplier", 1.0..=1_000.0),
            jitter: table.number("jitter", 0.0..=1.0),
        }
    }

    fn over(&self, defaults: &Self) -> RetryPolicy {
        let built_in = RetryPolicy::default();
        macro_rules! first {
            ($key:ident) => {
                self.$key.or(defaults.$key).unwrap_or(built_in.$key)
            };
        }
        RetryPolicy {
            max_attempts: first!(max_attempts),
            initial_backoff: first!(initial_backoff),
            max_backoff: first!(max_backoff),
            multiplier: first!(multiplier),
            jitter: first!(jitter),
        }
    }
}
