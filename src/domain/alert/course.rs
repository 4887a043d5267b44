//! The course of an incident: it begins, is told again while it lasts, and is over.
//!
//! Each rule makes of an incident what it is next, and says who is told; storing both is one transaction of somebody
//! else. What comes and goes is told a few times, and then held to be one thing until it has been calm for a while.

use chrono::TimeDelta;

use super::{
    AlertRules, BotAlerts, Cause, ChannelRules, Incident, Memory, Notice, Severity, Stage, Subject,
    words,
};
use crate::domain::Instant;

/// What comes back within this time after it was over is the same trouble.
pub const CALM: TimeDelta = TimeDelta::minutes(10);

/// So often it may come back and be over at once; after that it is over when it has been calm for [`CALM`].
const FREE_RETURNS: u32 = 3;

/// What rules look at beside the incident.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// `[alerts]`.
    pub rules: &'a AlertRules,
    /// The bot's own settings; the default for what is about no bot.
    pub bot: &'a BotAlerts,
    /// The present.
    pub now: Instant,
}

/// An incident as it is next, and who is told which step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is to be stored; its `id` and `revision` are those of what it was made from.
    pub incident: Incident,
    /// Notices without their ids, each with its channel.
    pub tell: Vec<(String, Notice)>,
}

/// Something has happened. `known` is the latest incident with this key, be it over or not. `None` if it changes nothing.
#[must_use]
pub fn begins(
    known: Option<&Incident>,
    subject: &Subject,
    cause: &Cause,
    ground: Ground<'_>,
) -> Option<Step> {
    let (incident, is_news) = match known.filter(|known| known.is_open()) {
        Some(open) => goes_on(open, subject, cause),
        None if is_too_little(cause, ground) => return None,
        None => (new(known, subject, cause, ground.now), true),
    };
    let told = |channel: &&ChannelRules| incident.memory.told.contains_key(&channel.name);
    let rules = ground.rules;
    let channels = rules.channels.iter().filter(|channel| !told(channel));
    let channels = channels.filter(|channel| rules.tells(channel, &incident, ground.bot));
    let names: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
    let step = tell(incident, names, Stage::Raised, None, ground);
    (is_news || !step.tell.is_empty()).then_some(step)
}

fn is_too_little(cause: &Cause, ground: Ground<'_>) -> bool {
    let from = ground.rules.failures_from(ground.bot);
    matches!(cause, Cause::Failures { in_a_row, .. } if *in_a_row < from)
}

fn new(known: Option<&Incident>, subject: &Subject, cause: &Cause, now: Instant) -> Incident {
    let soon = |over: Instant| now - over < CALM;
    let before = known.filter(|known| known.recovered_at.is_some_and(soon));
    let range = range_of(cause);
    let count = count(cause, 0);
    Incident {
        id: 0,
        revision: 0,
        key: subject.key(cause.kind()),
        kind: cause.kind(),
        bot: subject.bot().cloned(),
        severity: cause.severity(),
        title: words::title(subject, cause, count),
        detail: words::detail(cause, range),
        since: now,
        reminded_at: None,
        count,
        recovered_at: None,
        memory: Memory {
            first: range.map(|(first, _)| first),
            last: range.map(|(_, last)| last),
            returns: before.map_or(0, |before| before.memory.returns.saturating_add(1)),
            ..Memory::default()
        },
    }
}

/// What it has come to, and whether that is anything new.
fn goes_on(open: &Incident, subject: &Subject, cause: &Cause) -> (Incident, bool) {
    let mut next = open.clone();
    next.count = count(cause, open.count);
    let range = wider(range_of(cause), &open.memory);
    (next.memory.first, next.memory.last) = (range.map(|(a, _)| a), range.map(|(_, b)| b));
    next.title = words::title(subject, cause, next.count);
    next.detail = words::detail(cause, range);
    next.severity = open.severity.max(cause.severity());
    if next.memory.calm_since.take().is_some() {
        next.memory.returns = next.memory.returns.saturating_add(1);
    }
    let is_news = next != *open;
    (next, is_news)
}

const fn range_of(cause: &Cause) -> Option<(Instant, Instant)> {
    match cause {
        Cause::Missed { first, last, .. } => Some((*first, *last)),
        _ => None,
    }
}

fn wider(range: Option<(Instant, Instant)>, memory: &Memory) -> Option<(Instant, Instant)> {
    let (first, last) = range?;
    Some((
        memory.first.map_or(first, |known| known.min(first)),
        memory.last.map_or(last, |known| known.max(last)),
    ))
}

fn count(cause: &Cause, so_far: u64) -> u64 {
    match cause {
        Cause::Failures { in_a_row, .. } => u64::from(*in_a_row),
        Cause::Missed { slots, .. } => so_far.saturating_add(*slots),
        Cause::DeadPosts { posts, .. } => *posts,
        _ => 1,
    }
}

/// How an incident is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// What was wrong is right.
    Recovered,
    /// It cannot come back, for this reason: its bot is not configured any more.
    Gone(&'a str),
    /// Another incident says more: only machines, where it would stay open, are told.
    Superseded(&'a str),
}

/// What was wrong is wrong no more. `None` if that is known.
#[must_use]
pub fn ends(open: &Incident, end: End<'_>, ground: Ground<'_>) -> Option<Step> {
    let returns = open.memory.returns;
    match end {
        _ if !open.is_open() => None,
        End::Recovered if open.memory.calm_since.is_some() => None,
        End::Recovered if returns >= FREE_RETURNS => {
            let mut incident = open.clone();
            incident.memory.calm_since = Some(ground.now);
            let tell = Vec::new();
            Some(Step { incident, tell })
        }
        End::Recovered => Some(over(open, None, |_| true, ground)),
        End::Gone(why) => Some(over(open, Some(why), |_| true, ground).closing(open)),
        End::Superseded(why) => {
            let keeps_state = |channel: &ChannelRules| channel.keeps_state;
            Some(over(open, Some(why), keeps_state, ground).closing(open))
        }
    }
}

impl Step {
    /// Nothing has become right: the title must not say so.
    fn closing(mut self, open: &Incident) -> Self {
        for (_, notice) in &mut self.tell {
            notice.title = words::closed(open);
        }
        self
    }
}

fn over(
    open: &Incident,
    why: Option<&str>,
    is_told: impl Fn(&ChannelRules) -> bool,
    ground: Ground<'_>,
) -> Step {
    let mut incident = open.clone();
    incident.recovered_at = Some(ground.now);
    incident.memory.calm_since = None;
    let names = open.memory.told.keys().filter(|name| {
        let channel = ground.rules.channel(name);
        channel.is_some_and(|channel| channel.recoveries && is_told(channel))
    });
    let names = names.cloned().collect();
    tell(incident, names, Stage::Recovered, why, ground)
}

/// Time has passed: what has been calm for long enough is over, and what lasts is told again. `None` if nothing is to be
/// done.
#[must_use]
pub fn goes_by(open: &Incident, ground: Ground<'_>) -> Option<Step> {
    if let Some(since) = open.memory.calm_since {
        let times = open.memory.returns;
        let why = format!("It came back {times} times before that.");
        let is_over = ground.now - since >= CALM;
        return is_over.then(|| over(open, Some(&why), |_| true, ground));
    }
    let rules = ground.rules;
    let is_due = |channel: &&ChannelRules| {
        let told = open.memory.told.get(&channel.name);
        let both = told.zip(channel.remind);
        both.is_some_and(|(told, remind)| ground.now - *told >= remind)
    };
    let channels = rules.channels.iter().filter(is_due);
    let channels = channels.filter(|channel| rules.tells(channel, open, ground.bot));
    let names: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    Some(tell(open.clone(), names, Stage::Reminder, None, ground))
}

/// Notes who is told, and writes what.
fn tell(
    mut incident: Incident,
    names: Vec<String>,
    stage: Stage,
    why: Option<&str>,
    ground: Ground<'_>,
) -> Step {
    let notice = notice(&incident, stage, why, ground);
    for name in &names {
        incident.memory.told.insert(name.clone(), ground.now);
        incident.reminded_at = Some(ground.now);
    }
    let tell = names.into_iter().map(|name| (name, notice.clone()));
    Step {
        tell: tell.collect(),
        incident,
    }
}

fn notice(incident: &Incident, stage: Stage, why: Option<&str>, ground: Ground<'_>) -> Notice {
    let (title, detail) = match stage {
        Stage::Recovered => (
            words::recovered(incident),
            words::looking_back(incident, why, ground.now),
        ),
        Stage::Raised | Stage::Reminder => (incident.title.clone(), incident.detail.clone()),
    };
    Notice {
        id: String::new(),
        incident: incident.key.clone(),
        kind: incident.kind,
        stage,
        severity: incident.severity,
        bot: incident.bot.clone(),
        title,
        detail,
        since: incident.since,
        at: ground.now,
        runbook: ground.rules.runbook(incident.kind),
    }
}

/// A notice that tells nothing but that alerts arrive; without its id.
#[must_use]
pub fn test_notice(now: Instant, rules: &AlertRules) -> Notice {
    Notice {
        id: String::new(),
        incident: "test".into(),
        kind: super::AlertKind::Test,
        stage: Stage::Raised,
        severity: Severity::Info,
        bot: None,
        title: "a test of actor-server's alerts".into(),
        detail: "Somebody wanted to see whether alerts arrive here. They do.".into(),
        since: now,
        at: now,
        runbook: rules.runbook(super::AlertKind::Test),
    }
}
