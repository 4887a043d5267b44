//! The policy keys of `[[actors]]` and `[defaults]`, with their defaults.

use std::time::Duration;

use super::{Instant, alert::BotAlerts, retry::RetryPolicy};

/// How a bot's lateness, overlap, failures and bounds are dealt with.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Longest duration of one attempt (`timeout_seconds`, 300).
    pub timeout: Duration,
    /// What happens to a slot that falls due while a run of the same bot is on.
    pub overlap: Overlap,
    /// What happens to a slot that is late by more than [`Policy::misfire_threshold`].
    pub misfire: Misfire,
    /// `misfire_threshold_seconds`, 60.
    pub misfire_threshold: Duration,
    /// Slots older than this are never run (`catchup_window_seconds`, 86400).
    pub catchup_window: Duration,
    /// Upper bound of the stable delay added to each slot (`jitter_seconds`, 0).
    pub jitter: Duration,
    /// Whether an interrupted run is run again (`recover_in_flight`, false).
    pub recover_in_flight: bool,
    /// What a resume does about the slots that passed under the hold.
    pub on_resume: OnResume,
    /// Attempts of a run and of a post.
    pub retry: RetryPolicy,
    /// No slot is earlier than this.
    pub starts_at: Option<Instant>,
    /// No slot is later than this.
    pub ends_at: Option<Instant>,
    /// After so many scheduled runs the bot is finished.
    pub max_runs: Option<u32>,
    /// Event types that start a run (`[actors.on_event] types`).
    pub on_event: Vec<String>,
    /// Who is told of its troubles (`[actors.alerts]`).
    pub alerts: BotAlerts,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            overlap: Overlap::Skip,
            misfire: Misfire::FireOnceNow,
            misfire_threshold: Duration::from_secs(60),
            catchup_window: Duration::from_secs(86_400),
            jitter: Duration::ZERO,
            recover_in_flight: false,
            on_resume: OnResume::SkipPaused,
            retry: RetryPolicy::default(),
            starts_at: None,
            ends_at: None,
            max_runs: None,
            on_event: Vec::new(),
            alerts: BotAlerts::default(),
        }
    }
}

/// What happens to a slot that falls due while a run of the same bot is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// It is recorded as `skipped`/`overlap`.
    #[default]
    Skip,
    /// The first such slot waits for the run to end; later ones are skipped.
    BufferOne,
    /// The run on is cancelled, and the slot runs.
    CancelOther,
    /// Both run.
    AllowAll,
}

/// What happens to a slot that is late by more than the threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Misfire {
    /// The newest due slot runs once, older ones are missed.
    #[default]
    FireOnceNow,
    /// It is recorded as missed.
    DoNothing,
    /// Every due slot inside the catch-up window runs, one after another, oldest first.
    FireAll,
}

/// What a resume does about the slots that passed under the hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnResume {
    /// They stay recorded under the hold's reason.
    #[default]
    SkipPaused,
    /// The newest of them runs.
    RunLatest,
}
