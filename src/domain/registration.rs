//! What becomes of the stored state when a bot is added, changed or removed.
//!
//! At one moment, the reload, the old schedule ends and the new one begins: slots up to it are the old schedule's and are
//! accounted for with the registration, slots of the new one are later than it. Only a first registration may begin
//! with a slot at or before that moment, because nothing came before it.

use chrono::{SubsecRound, TimeDelta};

use super::{
    Instant,
    bot::Bot,
    hold::{Hold, HoldKind},
    outcome::Gap,
    policy::Policy,
    schedule::{Schedule, ScheduleKind, ScheduleSpec},
    slots::{GapRange, SlotsDue},
    state::BotState,
};

/// The state to store, and the slots that the old schedule still owes the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The state as it will be.
    pub state: BotState,
    /// Slots of the old schedule that did not run.
    pub gaps: Vec<GapRange>,
}

impl Registration {
    /// Nothing is owed to the ledger.
    pub(super) const fn unowed(state: BotState) -> Self {
        Self {
            state,
            gaps: Vec::new(),
        }
    }
}

/// Adds a bot, or takes up what is stored of it. The old schedule counts up to `now`, the new one after it.
///
/// A quarantined bot whose schedule cannot be read keeps the one that is stored, so that its slots go on being recorded.
#[must_use]
pub fn register(stored: Option<&BotState>, bot: &Bot, now: Instant) -> Registration {
    let Some(old) = stored else {
        return first(bot, now);
    };
    let state = taken_up(old, bot);
    let Some(spec) = &bot.schedule else {
        return Registration::unowed(state);
    };
    match &old.schedule {
        None => Registration::unowed(BotState {
            schedule: Some(spec.to_stored()),
            next_run: first_slot(spec, old.anchor, now),
            ..state
        }),
        Some(schedule) if *schedule == spec.to_stored() => unchanged(state, old, bot, spec, now),
        Some(_) => edited(state, old, bot, spec, now),
    }
}

/// What does not depend on the schedule.
fn taken_up(old: &BotState, bot: &Bot) -> BotState {
    BotState {
        actor_name: title(bot).unwrap_or_else(|| old.actor_name.clone()),
        hold: hold(old, bot),
        removed: false,
        ..old.clone()
    }
}

/// Closes the ledger of a bot that the configuration no longer names.
#[must_use]
pub fn retire(stored: &BotState, now: Instant) -> Registration {
    let state = BotState {
        next_run: None,
        removed: true,
        ..stored.clone()
    };
    Registration {
        state,
        gaps: owed(stored, &Policy::default(), now),
    }
}

fn first(bot: &Bot, now: Instant) -> Registration {
    let anchor = now.trunc_subsecs(0);
    let spec = bot.schedule.as_ref();
    Registration::unowed(BotState {
        bot: bot.name.clone(),
        actor_name: title(bot).unwrap_or_else(|| bot.name.to_string()),
        schedule: spec.map(ScheduleSpec::to_stored),
        anchor,
        next_run: spec.and_then(|spec| first_slot(spec, anchor, now)),
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: quarantine(bot),
        removed: false,
    })
}

/// The first slot of a bot that had no schedule before: a one-time slot counts even if it is past already.
fn first_slot(spec: &ScheduleSpec, anchor: Instant, now: Instant) -> Option<Instant> {
    let from = match spec.kind {
        ScheduleKind::Once { at } => at.min(anchor),
        ScheduleKind::Interval { .. } | ScheduleKind::Immediate => anchor,
        ScheduleKind::Cron { .. } => now,
    };
    spec.compile(anchor).ok()?.next_from(from)
}

fn unchanged(
    state: BotState,
    old: &BotState,
    bot: &Bot,
    spec: &ScheduleSpec,
    now: Instant,
) -> Registration {
    let next_run = if spent(old, bot) {
        None
    } else if old.removed {
        // Slots while it was away do not exist, and a one-time slot does not come again.
        after(spec, old.anchor, now)
    } else if old.next_run.is_none() {
        unfinished(spec, old.anchor, now)
    } else {
        return going_on(state, old, bot, spec, now);
    };
    Registration {
        state: BotState { next_run, ..state },
        gaps: owed(old, &bot.policy, now),
    }
}

/// A bot that had had all its runs and may have more now. The last slot of a schedule does not count: it may be
/// claimed already, ahead of its time.
fn unfinished(spec: &ScheduleSpec, anchor: Instant, now: Instant) -> Option<Instant> {
    let schedule = spec.compile(anchor).ok()?;
    let next = schedule.next_after(now)?;
    schedule.next_after(next).map(|_| next)
}

/// A restart. If a file has been mended while nothing ran, the slots until now passed under its hold.
fn going_on(
    state: BotState,
    old: &BotState,
    bot: &Bot,
    spec: &ScheduleSpec,
    now: Instant,
) -> Registration {
    let (Some(ended), None, Some(cursor)) = (&old.hold, &state.hold, old.next_run) else {
        return Registration::unowed(state);
    };
    let plan = spec.compile(old.anchor).ok().and_then(|schedule| {
        slots(old, schedule.as_ref(), &bot.policy, cursor, now).plan_closed(Gap::Held(ended.kind))
    });
    let Some(plan) = plan else {
        return Registration::unowed(state);
    };
    Registration {
        state: BotState {
            next_run: plan.next,
            ..state
        },
        gaps: plan.gaps,
    }
}

fn edited(
    state: BotState,
    old: &BotState,
    bot: &Bot,
    spec: &ScheduleSpec,
    now: Instant,
) -> Registration {
    let before = old.schedule.as_deref().and_then(ScheduleSpec::from_stored);
    let anchor = anchor(before.as_ref(), spec, old, now);
    let next_run = if spent(old, bot) || had_its_slot(before.as_ref(), spec, old) {
        None
    } else {
        after(spec, anchor, now)
    };
    Registration {
        state: BotState {
            schedule: Some(spec.to_stored()),
            anchor,
            next_run,
            ..state
        },
        gaps: owed(old, &bot.policy, now),
    }
}

/// `Immediate` has one slot ever, wherever its bounds are moved to.
fn had_its_slot(before: Option<&ScheduleSpec>, spec: &ScheduleSpec, old: &BotState) -> bool {
    old.next_run.is_none()
        && spec.kind == ScheduleKind::Immediate
        && before.is_some_and(|before| before.kind == ScheduleKind::Immediate)
}

/// An interval's grid stays unless its `seconds` change; it then begins at the reload, and its first slot is one
/// interval later. A bot that becomes `Immediate` runs within a second.
fn anchor(
    before: Option<&ScheduleSpec>,
    spec: &ScheduleSpec,
    old: &BotState,
    now: Instant,
) -> Instant {
    if before.is_some_and(|before| before.kind == spec.kind) {
        return old.anchor;
    }
    let second = now.trunc_subsecs(0);
    match spec.kind {
        ScheduleKind::Interval { .. } => second,
        ScheduleKind::Immediate => second + TimeDelta::seconds(1),
        ScheduleKind::Cron { .. } | ScheduleKind::Once { .. } => old.anchor,
    }
}

fn after(spec: &ScheduleSpec, anchor: Instant, now: Instant) -> Option<Instant> {
    spec.compile(anchor).ok()?.next_after(now)
}

/// Whether the bot has had all its runs.
fn spent(old: &BotState, bot: &Bot) -> bool {
    bot.policy.max_runs.is_some_and(|most| old.runs >= most)
}

/// A configuration file cannot clear a hold, but for `invalid`, which is about that very file.
fn hold(old: &BotState, bot: &Bot) -> Option<Hold> {
    match &old.hold {
        Some(hold) if hold.kind != HoldKind::Invalid => Some(hold.clone()),
        _ => quarantine(bot),
    }
}

/// A file that cannot be read gives no title.
fn title(bot: &Bot) -> Option<String> {
    Some(bot.behaviour.title.clone()).filter(|title| !title.is_empty())
}

fn quarantine(bot: &Bot) -> Option<Hold> {
    bot.quarantine
        .as_ref()
        .map(|reason| Hold::by_server(HoldKind::Invalid, reason.clone()))
}

/// The slots that the stored schedule had up to `now` and that nothing accounts for: those under the hold with its reason,
/// the others as missed.
fn owed(old: &BotState, policy: &Policy, now: Instant) -> Vec<GapRange> {
    let spec = old.schedule.as_deref().and_then(ScheduleSpec::from_stored);
    let schedule = spec.and_then(|spec| spec.compile(old.anchor).ok());
    let (Some(schedule), Some(cursor)) = (schedule, old.next_run) else {
        return Vec::new();
    };
    let due = |cursor, now| slots(old, schedule.as_ref(), policy, cursor, now);
    let Some(hold) = &old.hold else {
        return due(cursor, now).plan_final(None);
    };
    let until = hold.until.map_or(now, |until| until.min(now));
    let mut gaps = due(cursor, until).plan_final(Some(Gap::Held(hold.kind)));
    let rest = match gaps.last() {
        Some(held) => schedule.next_after(held.last),
        None => Some(cursor),
    };
    if let Some(rest) = rest {
        gaps.extend(due(rest, now).plan_final(None));
    }
    gaps
}

fn slots<'a>(
    old: &'a BotState,
    schedule: &'a dyn Schedule,
    policy: &'a Policy,
    cursor: Instant,
    now: Instant,
) -> SlotsDue<'a> {
    SlotsDue {
        bot: &old.bot,
        schedule,
        policy,
        cursor,
        now,
        ahead: std::time::Duration::ZERO,
    }
}
