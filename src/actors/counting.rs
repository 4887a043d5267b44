//! From what happened to what is counted: the words of the domain become labels here.

use std::time::Duration;

use crate::{
    domain::{
        Instant,
        fact::{Accounted, Fact},
        hold::HoldKind,
        outcome::{SkillStatus, Status},
        post::PostStatus,
        run::{Claim, Trigger},
    },
    platforms::{PostFailure, Receipt},
    store::{Beat, Finish, StoreError},
    telemetry::metrics::{
        Metrics,
        downstreams::{Answer, DATABASE},
    },
};

/// A committed transaction of this process has made this true.
pub(super) fn fact(metrics: &Metrics, fact: &Fact) {
    if !metrics.is_on() {
        return;
    }
    match fact {
        Fact::Accounted(accounted) => accounted_for(metrics, accounted),
        Fact::HoldSet { bot, hold } if is_trip(hold.kind) => {
            metrics.bots.of(bot.as_str()).tripped();
        }
        Fact::HoldSet { .. } | Fact::HoldCleared { .. } => {}
    }
}

fn accounted_for(metrics: &Metrics, accounted: &Accounted) {
    let series = metrics.bots.of(accounted.bot.as_str());
    if let Some(status) = run_status(accounted.status).filter(|_| accounted.ran) {
        series.run(status);
    }
    series.slots(accounted.status.as_str(), accounted.slots);
}

/// The run of a slot starts for the first time, so long after it was due.
pub(super) fn started(metrics: &Metrics, claim: &Claim, at: Instant) {
    let first = claim.trigger == Trigger::Schedule && claim.attempt == 1;
    if first && metrics.is_on() {
        let late = (at - claim.due).as_seconds_f64();
        metrics.scheduling.lateness.observe(late.max(0.0));
    }
}

/// The store has taken a heartbeat of this process.
pub(super) fn beat(metrics: &Metrics, beat: &Beat) {
    metrics.scheduling.replicas.set(beat.replicas.into());
    metrics.downstreams.heartbeat.set(beat.now.timestamp());
}

/// The store has been asked for something, and answered so after so long.
pub(super) fn asked_store<T>(metrics: &Metrics, answer: &Result<T, StoreError>, took: Duration) {
    let answer = match answer {
        Ok(_) => Answer::Ok,
        Err(StoreError::Refused(_) | StoreError::Failed(_)) => Answer::Refused,
        Err(_) => Answer::Error,
    };
    metrics.downstreams.asked(DATABASE, answer, took);
}

/// The store was asked whether it is there, and did not answer in time.
pub(super) fn store_was_silent(metrics: &Metrics, took: Duration) {
    metrics.downstreams.asked(DATABASE, Answer::Timeout, took);
}

/// A platform was handed a post, and answered so after so long.
pub(super) fn posted(
    metrics: &Metrics,
    platform: &'static str,
    answer: &Result<Receipt, PostFailure>,
    took: Duration,
) {
    let answer = match answer {
        Ok(_) => Answer::Ok,
        Err(PostFailure::RateLimited(_)) => Answer::RateLimited,
        Err(PostFailure::TimedOut(_)) => Answer::Timeout,
        Err(PostFailure::Transient(_) | PostFailure::Unprepared(_)) => Answer::Error,
        Err(
            PostFailure::Rejected(_) | PostFailure::Forbidden(_) | PostFailure::Unauthorized(_),
        ) => Answer::Refused,
    };
    metrics.downstreams.asked(platform, answer, took);
}

/// The fate of a post is known.
pub(super) fn post_ended(metrics: &Metrics, platform: &str, status: PostStatus) {
    if metrics.is_on() {
        metrics.downstreams.post_ended(platform, status.as_str());
    }
}

/// The store has taken the end of a run of this process.
pub(super) fn run_ended(metrics: &Metrics, end: &Finish) {
    if !metrics.is_on() {
        return;
    }
    let series = metrics.bots.of(end.bot.as_str());
    let took = (end.completed_at - end.started_at).as_seconds_f64();
    series.took(took.max(0.0));
    for (status, word) in [
        (SkillStatus::Succeeded, "succeeded"),
        (SkillStatus::Failed, "failed"),
        (SkillStatus::Skipped, "skipped"),
    ] {
        series.skills(word, u64::try_from(end.outcome.count(status)).unwrap_or(0));
    }
}

/// An operator's cancel is nobody's failure.
const fn run_status(status: Status) -> Option<&'static str> {
    match status {
        Status::Succeeded => Some("success"),
        Status::Skipped | Status::Cancelled => Some("skipped"),
        Status::Failed | Status::TimedOut | Status::Panicked | Status::Abandoned => Some("failure"),
        Status::Running | Status::Missed => None,
    }
}

/// Whether a hold of this kind tells of trouble that the server met.
const fn is_trip(kind: HoldKind) -> bool {
    matches!(
        kind,
        HoldKind::Failures | HoldKind::Refused | HoldKind::GivenUp
    )
}
