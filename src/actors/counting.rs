//! From what happened to what is counted: the words of the domain become labels here.

use crate::{
    domain::{
        fact::{Accounted, Fact},
        hold::HoldKind,
        outcome::{SkillStatus, Status},
    },
    store::Finish,
    telemetry::metrics::Metrics,
};

/// A committed transaction of this process has made this true.
pub(super) fn fact(metrics: &Metrics, fact: &Fact) {
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

/// The store has taken the end of a run of this process.
pub(super) fn run_ended(metrics: &Metrics, end: &Finish) {
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
