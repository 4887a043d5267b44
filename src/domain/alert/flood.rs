//! Which of the notices that wait for a channel goes next, when only so many may go within an hour.
//!
//! What exceeds the limit is not lost: the last place within the hour goes to one notice that mentions all that wait.

use std::collections::HashSet;

use super::{AlertKind, AlertRules, Delivery, Notice, Severity, Stage};
use crate::domain::Instant;

/// Lines of a digest; further ones are counted.
const LINES: usize = 20;

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// The channel may know of the same incident: it has taken its beginning or a reminder, or an attempt was made.
    pub raise_was_sent: bool,
    /// An earlier notice of the same incident still waits for the channel.
    pub is_behind: bool,
}

/// What is due at one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// What is due, the oldest first; nothing that another process is at work on.
    pub due: Vec<Due>,
    /// Notices that count against the limit: those sent within the last hour, or on their way.
    pub sent: u32,
    /// When something will be due, if nothing is.
    pub next_at: Option<Instant>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing is due, or nothing may be sent now.
    Wait,
    /// Send this one.
    Send(Box<Delivery>),
    /// Send one notice that mentions all of these.
    Digest(Vec<Delivery>),
}

impl Due {
    /// Critical ones, the ends of what the channel was told, and what stands for others, are not held back.
    fn is_exempt(&self) -> bool {
        let notice = &self.delivery.notice;
        let ends = notice.stage == Stage::Recovered && self.raise_was_sent;
        ends || notice.severity == Severity::Critical || notice.kind == AlertKind::Digest
    }
}

impl Outbox {
    /// What goes next if at most so many notices may go within an hour; 0 is no limit.
    #[must_use]
    pub fn next(self, most: u32) -> Next {
        let first = |mut all: Box<dyn Iterator<Item = &Due> + '_>| {
            let first = all.find(|due| !due.is_behind);
            first.map_or(Next::Wait, |due| Next::Send(Box::new(due.delivery.clone())))
        };
        let exempt = first(Box::new(
            self.due.iter().filter(|due| most == 0 || due.is_exempt()),
        ));
        if exempt != Next::Wait {
            return exempt;
        }
        let held_back: Vec<&Due> = self.due.iter().filter(|due| !due.is_exempt()).collect();
        match most.saturating_sub(self.sent) {
            0 => Next::Wait,
            1 if foldable(&held_back).len() > 1 => Next::Digest(
                foldable(&held_back)
                    .into_iter()
                    .map(|due| due.delivery.clone())
                    .collect(),
            ),
            _ => first(Box::new(held_back.into_iter())),
        }
    }
}

/// What a digest may mention: of an incident whose beginning is still on its way nothing, for an end that was mentioned
/// before would leave that beginning without one.
fn foldable<'a>(held_back: &[&'a Due]) -> Vec<&'a Due> {
    let mut begun: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for due in held_back.iter().copied() {
        let incident = due.delivery.notice.incident.as_str();
        if !due.is_behind {
            begun.insert(incident);
        }
        if begun.contains(incident) {
            found.push(due);
        }
    }
    found
}

/// One notice in the place of several; without its id.
#[must_use]
pub fn digest(channel: &str, of: &[Delivery], now: Instant, rules: &AlertRules) -> Notice {
    let notices = || of.iter().map(|delivery| &delivery.notice);
    let lines = notices().take(LINES).map(|notice| {
        let (stage, severity) = (notice.stage.as_str(), notice.severity.as_str());
        format!("{stage} ({severity}): {}", notice.title)
    });
    let mut lines: Vec<String> = lines.collect();
    if of.len() > LINES {
        lines.push(format!("and {} more", of.len() - LINES));
    }
    Notice {
        id: String::new(),
        incident: format!("digest/{channel}"),
        kind: AlertKind::Digest,
        stage: Stage::Raised,
        severity: notices()
            .map(|notice| notice.severity)
            .max()
            .unwrap_or(Severity::Info),
        bot: None,
        title: format!("{} more alerts", of.len()),
        detail: lines.join("\n"),
        since: notices().map(|notice| notice.at).min().unwrap_or(now),
        at: now,
        runbook: rules.runbook(AlertKind::Digest),
    }
}
