//! What becomes of the stored state when a bot is added, changed or removed.

use chrono::SubsecRound;

use super::{
    Instant,
    bot::{Bot, BotName},
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

/// Adds a bot, or takes up what is stored of it. The old schedule counts up to `now`, the new one after it.
#[must_use]
pub fn register(stored: Option<&BotState>, bot: &Bot, now: Instant) -> Registration {
    let schedule = bot.schedule.as_ref().map(ScheduleSpec::to_stored);
    let Some(old) = stored else {
        return first(bot, schedule, now);
    };
    let mut state = BotState {
        actor_name: bot.behaviour.title.clone(),
        hold: hold(old, bot),
        schedule,
        removed: false,
        ..old.clone()
    };
    if state.schedule == old.schedule {
        if old.removed {
            state.next_run = resumed(bot, old.anchor, now);
        }
        return Registration {
            state,
            gaps: Vec::new(),
        };
    }
    let gaps = owed(old, now);
    if moves_anchor(old, bot) {
        state.anchor = now.trunc_subsecs(0);
    }
    state.next_run = after_edit(bot, state.anchor, now);
    Registration { state, gaps }
}

/// Closes the ledger of a bot that the configuration no longer names.
#[must_use]
pub fn retire(stored: &BotState, now: Instant) -> Registration {
    let gaps = owed(stored, now);
    Registration {
        state: BotState {
            next_run: None,
            removed: true,
            ..stored.clone()
        },
        gaps,
    }
}

fn first(bot: &Bot, schedule: Option<String>, now: Instant) -> Registration {
    let anchor = now.trunc_subsecs(0);
    let from = match bot.schedule.as_ref().map(|spec| &spec.kind) {
        Some(ScheduleKind::Once { at }) => (*at).min(anchor),
        Some(ScheduleKind::Cron { .. }) => now,
        Some(ScheduleKind::Interval { .. } | ScheduleKind::Immediate) | None => anchor,
    };
    let state = BotState {
        bot: bot.name.clone(),
        actor_name: bot.behaviour.title.clone(),
        schedule,
        anchor,
        next_run: compiled(bot, anchor).and_then(|schedule| schedule.next_from(from)),
        last_run: None,
        consecutive_failures: 0,
        runs: 0,
        hold: quarantine(bot),
        removed: false,
    };
    Registration {
        state,
        gaps: Vec::new(),
    }
}

/// A configuration file cannot clear a hold, but for `invalid`, which is about that very file.
fn hold(old: &BotState, bot: &Bot) -> Option<Hold> {
    match &old.hold {
        Some(hold) if hold.kind != HoldKind::Invalid => Some(hold.clone()),
        _ => quarantine(bot),
    }
}

fn quarantine(bot: &Bot) -> Option<Hold> {
    bot.quarantine
        .as_ref()
        .map(|reason| Hold::by_server(HoldKind::Invalid, reason.clone()))
}

fn compiled(bot: &Bot, anchor: Instant) -> Option<Box<dyn Schedule>> {
    bot.schedule.as_ref()?.compile(anchor).ok()
}

/// A removed bot that comes back: slots while it was away do not exist, and a one-time slot does not come again.
fn resumed(bot: &Bot, anchor: Instant, now: Instant) -> Option<Instant> {
    compiled(bot, anchor)?.next_from(now)
}

fn after_edit(bot: &Bot, anchor: Instant, now: Instant) -> Option<Instant> {
    let schedule = compiled(bot, anchor)?;
    let immediate = matches!(
        bot.schedule.as_ref()?.kind,
        ScheduleKind::Immediate | ScheduleKind::Interval { .. }
    );
    if immediate && anchor == now.trunc_subsecs(0) {
        schedule.next_from(anchor)
    } else {
        schedule.next_after(now)
    }
}

/// An interval's grid stays unless its `seconds` change.
fn moves_anchor(old: &BotState, bot: &Bot) -> bool {
    let before = old
        .schedule
        .as_deref()
        .and_then(ScheduleSpec::from_stored)
        .map(|spec| spec.kind);
    match (before, bot.schedule.as_ref().map(|spec| &spec.kind)) {
        (
            Some(ScheduleKind::Interval { seconds: before }),
            Some(ScheduleKind::Interval { seconds }),
        ) => before != *seconds,
        (Some(ScheduleKind::Immediate), Some(ScheduleKind::Immediate)) => false,
        (_, Some(ScheduleKind::Interval { .. } | ScheduleKind::Immediate)) => true,
        _ => false,
    }
}

/// The slots that the stored schedule had up to `now` and that nothing accounts for.
fn owed(old: &BotState, now: Instant) -> Vec<GapRange> {
    let schedule = old
        .schedule
        .as_deref()
        .and_then(ScheduleSpec::from_stored)
        .and_then(|spec| spec.compile(old.anchor).ok());
    let (Some(schedule), Some(cursor)) = (schedule, old.next_run) else {
        return Vec::new();
    };
    let policy = Policy::default();
    let closed = old.hold.as_ref().map(|hold| Gap::Held(hold.kind));
    let due = SlotsDue {
        bot: &BotName::clone(&old.bot),
        schedule: schedule.as_ref(),
        policy: &policy,
        cursor,
        now,
        ahead: std::time::Duration::ZERO,
    };
    due.plan_final(closed)
}
