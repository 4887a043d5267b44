//! What people are told: one line, and what is known beyond it. Times are RFC 3339 in UTC.

use chrono::{SecondsFormat, TimeDelta};

use super::{AlertKind, Cause, Incident, Subject};
use crate::domain::{Instant, hold::HoldKind};

/// The longest detail, in characters: what a run's error says is of any length.
const MOST: usize = 2000;

/// One line on an incident that has come to `count`.
pub(super) fn title(subject: &Subject, cause: &Cause, count: u64) -> String {
    let name = subject.as_str();
    match cause {
        Cause::Failures { .. } if count <= 1 => format!("{name}: a run has failed"),
        Cause::Failures { .. } => format!("{name}: {count} runs in a row have failed"),
        Cause::Held { kind, .. } => format!("{name} is held: {}", hold(*kind)),
        Cause::GivenUp { .. } if subject.bot().is_some() => {
            format!("{name} is held: its actor has spent its restart budget")
        }
        Cause::GivenUp { .. } => format!("the {name} actor has spent its restart budget"),
        Cause::Missed { .. } if count <= 1 => format!("{name}: a slot was missed"),
        Cause::Missed { .. } => format!("{name}: {count} slots were missed"),
        Cause::Stalled { .. } => format!("{name} does not run: its slot is long past"),
        Cause::PassedOver { .. } => {
            format!("{name} does not run: its next run is later than its schedule says")
        }
        Cause::BreakerOpen => format!("{name} does not answer: its breaker is open"),
        Cause::DeadPosts { .. } if count <= 1 => format!("{name}: a post was given up"),
        Cause::DeadPosts { .. } => format!("{name}: {count} posts were given up"),
    }
}

const fn hold(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Manual => "an operator has paused it",
        HoldKind::Failures => "too many runs in a row have failed",
        HoldKind::Refused => "the platform refuses its posts",
        HoldKind::GivenUp => "its actor has spent its restart budget",
        HoldKind::Invalid => "its file is broken",
    }
}

/// What is known; `range` is that of all missed slots so far.
pub(super) fn detail(cause: &Cause, range: Option<(Instant, Instant)>) -> String {
    let text = match cause {
        Cause::Failures { last: None, .. } => "What the last one said is in the history.".into(),
        Cause::Failures {
            last: Some(last), ..
        } => {
            let (run, how) = (last.execution, last.status.as_str());
            let error = last.error.as_deref().unwrap_or("no error was given");
            format!("The last one, run {run}, ended as {how}: {error}")
        }
        Cause::Held { kind, reason } => format!("{reason}\n{}", until(*kind)),
        Cause::GivenUp { reason } => reason.clone(),
        Cause::Missed { first, last, .. } => missed(range.unwrap_or((*first, *last))),
        Cause::Stalled { slot } => format!(
            "Its slot at {} was neither started nor recorded as anything else.",
            time(*slot)
        ),
        Cause::PassedOver { slot, next } => format!(
            "Its schedule has a slot at {}, but its next run is noted for {}: a clock was wrong for a while, or \
             somebody has changed the database. A change of its schedule, and back, sets it right.",
            time(*slot),
            time(*next)
        ),
        Cause::DeadPosts { newest, error, .. } => {
            let error = error.as_deref().unwrap_or("no error was given");
            format!(
                "The newest one, post {newest}, has spent its attempts: {error}\nIt goes out if somebody resends it."
            )
        }
        Cause::BreakerOpen => {
            "Nothing is sent there until a probe gets through; slots of its bots are skipped."
                .into()
        }
    };
    text.chars().take(MOST).collect()
}

const fn until(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Invalid => "It runs again when its file is good at a start or reload.",
        _ => "It does not run until somebody resumes it.",
    }
}

fn missed((first, last): (Instant, Instant)) -> String {
    match first == last {
        true => format!("It was due at {}.", time(first)),
        false => format!(
            "They were due from {} to {}, both inclusive.",
            time(first),
            time(last)
        ),
    }
}

/// One line on the end of an incident.
pub(super) fn recovered(incident: &Incident) -> String {
    let name = incident
        .key
        .split_once('/')
        .map_or(incident.key.as_str(), |(_, name)| name);
    match incident.kind {
        AlertKind::Failures => format!("{name}: runs succeed again"),
        AlertKind::Held => format!("{name} is not held any more"),
        AlertKind::GivenUp => format!("{name}: what was given up is at work again"),
        AlertKind::Missed => format!("{name}: slots run again"),
        AlertKind::Stalled => format!("{name} is not stalled any more"),
        AlertKind::BreakerOpen => format!("{name}: its breaker is closed again"),
        AlertKind::DeadPosts => format!("{name}: no post is given up any more"),
        AlertKind::Digest | AlertKind::Test => format!("{name} is over"),
    }
}

/// One line on the end of an incident that did not become right.
pub(super) fn closed(incident: &Incident) -> String {
    format!("not followed any more: {}", incident.title)
}

/// What was over, how long it lasted, and why it is over if that is not plain.
pub(super) fn looking_back(incident: &Incident, why: Option<&str>, at: Instant) -> String {
    let lasted = duration(at - incident.since);
    let mut text = format!("{} (it lasted {lasted})", incident.title);
    if incident.count > 1 && incident.kind == AlertKind::Missed {
        text.push('\n');
        text.push_str(&incident.detail);
    }
    if let Some(why) = why {
        text.push('\n');
        text.push_str(why);
    }
    text.chars().take(MOST).collect()
}

/// A duration in its two largest units.
fn duration(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, ..) => format!("{d} d {h} h"),
    }
}

/// A time, to the second unless it has a fraction.
fn time(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (-5, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_660, "1 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(TimeDelta::seconds(seconds)), told);
        }
    }
}
