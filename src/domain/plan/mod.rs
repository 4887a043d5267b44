//! What a configuration would change: the bots that are new, gone or different, compared by value with the bots at work and
//! with what is stored of them.
//!
//! A bot that is the same, and whose stored schedule is its own, is not in the plan at all: nothing of it is written,
//! armed or asked again.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{
    Instant,
    bot::{Bot, BotName},
    policy::Policy,
    registration::{Registration, register, retire},
    schedule::ScheduleSpec,
    state::BotState,
};

/// So many coming slots are shown.
const SLOTS: usize = 5;

/// All changes, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Bots that are added, changed or removed.
    pub changes: Vec<Change>,
    /// How many stay as they are.
    pub unchanged: usize,
}

/// What becomes of one bot.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub bot: BotName,
    /// In which way.
    pub kind: ChangeKind,
    /// The keys that differ, as the files call them.
    pub keys: Vec<&'static str>,
    /// What is stored.
    pub before: Option<BotState>,
    /// What is to be stored.
    pub registration: Registration,
}

/// In which way a bot changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new, or comes back.
    Added,
    /// It is different.
    Changed,
    /// It is gone.
    Removed,
}

/// What there is to compare.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// What is stored of each bot.
    pub stored: &'a HashMap<BotName, BotState>,
    /// The bots at work; without them only what is stored can be compared.
    pub at_work: Option<&'a HashMap<BotName, Arc<Bot>>>,
    /// The bots as they are to be.
    pub wanted: &'a HashMap<BotName, Arc<Bot>>,
    /// The moment: up to it the old schedules count, and after it the new ones.
    pub now: Instant,
}

impl Comparison<'_> {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let kept = self.wanted.values().filter_map(|bot| self.kept(bot));
        let gone = self.stored.values().filter_map(|state| self.gone(state));
        let mut changes: Vec<Change> = kept.chain(gone).collect();
        changes.sort_by(|a, b| a.bot.cmp(&b.bot));
        let different = changes
            .iter()
            .filter(|change| change.kind != ChangeKind::Removed)
            .count();
        Plan {
            unchanged: self.wanted.len() - different,
            changes,
        }
    }

    fn kept(&self, bot: &Bot) -> Option<Change> {
        let before = self.stored.get(&bot.name);
        let at_work = self.at_work.map(|bots| bots.get(&bot.name));
        let known = before.is_some_and(|state| !state.removed) && at_work != Some(None);
        let same = at_work.flatten().is_some_and(|mine| **mine == *bot);
        if known && same && before.is_some_and(|state| is_its_own(state, bot)) {
            return None;
        }
        let registration = register(before, bot, self.now);
        let keys = match (at_work.flatten(), before) {
            _ if !known => Vec::new(),
            (Some(mine), _) => differences(mine, bot),
            (None, Some(state)) => stored_differences(state, &registration.state),
            (None, None) => Vec::new(),
        };
        if known && self.at_work.is_none() && before == Some(&registration.state) {
            return None;
        }
        let kind = match known {
            true => ChangeKind::Changed,
            false => ChangeKind::Added,
        };
        Some(Change {
            bot: bot.name.clone(),
            kind,
            keys,
            before: before.cloned(),
            registration,
        })
    }

    fn gone(&self, state: &BotState) -> Option<Change> {
        let at_work = self
            .at_work
            .is_some_and(|bots| bots.contains_key(&state.bot));
        if self.wanted.contains_key(&state.bot) || (state.removed && !at_work) {
            return None;
        }
        Some(Change {
            bot: state.bot.clone(),
            kind: ChangeKind::Removed,
            keys: Vec::new(),
            before: Some(state.clone()),
            // Another replica may have closed its ledger already.
            registration: match state.removed {
                true => Registration::unowed(state.clone()),
                false => retire(state, self.now),
            },
        })
    }
}

impl Plan {
    /// What becomes of the bots, as a document.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "added": self.documents(ChangeKind::Added),
            "removed": self.documents(ChangeKind::Removed),
            "changed": self.documents(ChangeKind::Changed),
            "unchanged": self.unchanged,
        })
    }

    /// The changes of one kind.
    pub fn of(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.kind == kind)
    }

    fn documents(&self, kind: ChangeKind) -> Vec<Value> {
        self.of(kind).map(Change::document).collect()
    }
}

impl Change {
    fn document(&self) -> Value {
        let (schedule, slots) = (self.schedules(), self.next_slots());
        json!({
            "actor": self.bot.as_str(),
            "keys": self.keys,
            "schedule": { "before": schedule.0, "after": schedule.1 },
            "next_slots": { "before": times(&slots.0), "after": times(&slots.1) },
        })
    }

    /// Whether there is anything to store.
    #[must_use]
    pub fn is_to_be_stored(&self) -> bool {
        self.before.as_ref() != Some(&self.registration.state) || !self.registration.gaps.is_empty()
    }

    /// The stored schedule in words, before and after; `None` where there is none.
    #[must_use]
    pub fn schedules(&self) -> (Option<String>, Option<String>) {
        let words = |state: &BotState| spec(state).map(|spec| spec.describe());
        let before = self.before.as_ref().filter(|state| !state.removed);
        let after = Some(&self.registration.state).filter(|state| !state.removed);
        (before.and_then(words), after.and_then(words))
    }

    /// The next slots, before and after.
    #[must_use]
    pub fn next_slots(&self) -> (Vec<Instant>, Vec<Instant>) {
        let before = self.before.as_ref().map(next_slots);
        (
            before.unwrap_or_default(),
            next_slots(&self.registration.state),
        )
    }
}

fn times(slots: &[Instant]) -> Vec<String> {
    let shown = |slot: &Instant| slot.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    slots.iter().map(shown).collect()
}

/// The slots that a stored state has before it.
fn next_slots(state: &BotState) -> Vec<Instant> {
    let schedule = spec(state).and_then(|spec| spec.compile(state.anchor).ok());
    let Some((schedule, next)) = schedule.zip(state.next_run) else {
        return Vec::new();
    };
    let slots = std::iter::successors(Some(next), |slot| schedule.next_after(*slot));
    slots.take(SLOTS).collect()
}

fn spec(state: &BotState) -> Option<ScheduleSpec> {
    state
        .schedule
        .as_deref()
        .and_then(ScheduleSpec::from_stored)
}

/// Whether the stored schedule is the bot's: another replica may have stored another one.
fn is_its_own(state: &BotState, bot: &Bot) -> bool {
    let mine = bot.schedule.as_ref().map(ScheduleSpec::to_stored);
    mine.is_none() || mine == state.schedule
}

/// What can be told from the stored states alone.
fn stored_differences(before: &BotState, after: &BotState) -> Vec<&'static str> {
    named([
        ("schedule", before.schedule == after.schedule),
        ("name", before.actor_name == after.actor_name),
        ("hold", before.hold == after.hold),
        ("next_run", before.next_run == after.next_run),
    ])
}

/// The keys in which two versions of a bot differ.
fn differences(old: &Bot, new: &Bot) -> Vec<&'static str> {
    let (a, b) = (&old.behaviour, &new.behaviour);
    let mut keys = named([
        ("enabled", old.enabled == new.enabled),
        ("quarantine", old.quarantine == new.quarantine),
        (
            "channel_id",
            old.target.channel_id() == new.target.channel_id(),
        ),
        ("webhook", old.target.webhook() == new.target.webhook()),
        ("platform", own(old).0 == own(new).0),
        ("destination", own(old).1 == own(new).1),
        ("schedule", old.schedule == new.schedule),
        ("actor.name", a.title == b.title),
        ("actor.description", a.description == b.description),
        ("actor.knowledge", a.knowledge == b.knowledge),
        ("actor.skills", a.skills == b.skills),
        ("actor.config", a.config == b.config),
        ("actor.execution", a.execution == b.execution),
    ]);
    keys.extend(policy_differences(&old.policy, &new.policy));
    keys
}

/// Platform and destination that are a program's own; empty if there are none.
fn own(bot: &Bot) -> (&str, &str) {
    bot.target.own().unwrap_or_default()
}

fn policy_differences(old: &Policy, new: &Policy) -> Vec<&'static str> {
    let keys = named([
        ("timeout_seconds", old.timeout == new.timeout),
        ("overlap", old.overlap == new.overlap),
        ("misfire", old.misfire == new.misfire),
        (
            "misfire_threshold_seconds",
            old.misfire_threshold == new.misfire_threshold,
        ),
        (
            "catchup_window_seconds",
            old.catchup_window == new.catchup_window,
        ),
        ("jitter_seconds", old.jitter == new.jitter),
        (
            "recover_in_flight",
            old.recover_in_flight == new.recover_in_flight,
        ),
        ("on_resume", old.on_resume == new.on_resume),
        ("retry", old.retry == new.retry),
        ("starts_at", old.starts_at == new.starts_at),
        ("ends_at", old.ends_at == new.ends_at),
        ("max_runs", old.max_runs == new.max_runs),
        ("on_event", old.on_event == new.on_event),
    ]);
    match keys.is_empty() && old != new {
        true => vec!["policy"],
        false => keys,
    }
}

fn named<const N: usize>(keys: [(&'static str, bool); N]) -> Vec<&'static str> {
    let different = keys.into_iter().filter(|(_, same)| !same);
    different.map(|(key, _)| key).collect()
}
