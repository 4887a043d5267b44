//! What the scheduler knows of one bot, and what it wants of the store next.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{
    domain::{
        Instant,
        bot::Bot,
        hold::HoldKind,
        outcome::Gap,
        policy::{Misfire, OnResume, Policy},
        schedule::{Schedule, ScheduleSpec},
        slots::{SlotPlan, SlotsDue},
        state::BotState,
    },
    store::{Advance, Write},
};

/// How long before its due time a slot is claimed, so that the store is not on the path of a start.
pub(super) const AHEAD: Duration = Duration::from_millis(1500);

/// One bot.
pub(super) struct Entry {
    /// As configured.
    pub(super) bot: Arc<Bot>,
    /// Its slots; `None` when there are none (quarantined, or the stored schedule is another replica's).
    pub(super) schedule: Option<Box<dyn Schedule>>,
    /// As stored, as far as this process knows.
    pub(super) state: BotState,
    /// A change of this bot is on its way to the store.
    pub(super) pending: bool,
    /// The hold has just ended and `run_latest` wants the newest slot, however late.
    pub(super) resumed: bool,
    /// Which configuration this entry was made by: an answer to an earlier one is void.
    pub(super) epoch: u64,
}

impl Entry {
    pub(super) fn new(bot: Arc<Bot>, state: BotState, epoch: u64) -> Self {
        let mut entry = Self {
            bot,
            schedule: None,
            state,
            pending: false,
            resumed: false,
            epoch,
        };
        entry.compile();
        entry
    }

    /// Takes over a newer stored state.
    pub(super) fn update(&mut self, state: BotState) {
        let recompile = self.schedule.is_none()
            || state.schedule != self.state.schedule
            || state.anchor != self.state.anchor;
        self.resumed |= self.state.hold.is_some() && state.hold.is_none();
        self.state = state;
        if recompile {
            self.compile();
        }
    }

    /// A schedule that another replica has stored meanwhile is not this configuration's to run. A quarantined bot whose
    /// schedule cannot be read has slots by the stored one, all of them `invalid`.
    fn compile(&mut self) {
        let stored = self.state.schedule.as_deref();
        let spec = match &self.bot.schedule {
            Some(mine) => {
                Some(mine.clone()).filter(|spec| Some(spec.to_stored().as_str()) == stored)
            }
            None => stored.and_then(ScheduleSpec::from_stored),
        };
        self.schedule = spec.and_then(|spec| spec.compile(self.state.anchor).ok());
    }

    /// Why no slot of the bot may run now.
    pub(super) fn closed(&self) -> Option<Gap> {
        if self.bot.quarantine.is_some() {
            // Whatever the store says: it cannot run by what was read.
            return Some(Gap::Held(HoldKind::Invalid));
        }
        match &self.state.hold {
            Some(hold) => Some(Gap::Held(hold.kind)),
            None => (!self.bot.enabled).then_some(Gap::Disabled),
        }
    }

    /// When the scheduler has to look at this bot next; `None` while something else has to happen first.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let cursor = self.state.next_run?;
        if self.pending || self.state.removed {
            return None;
        }
        if let Some(hold) = &self.state.hold {
            return hold.until;
        }
        if self.closed().is_some() {
            return None;
        }
        let due = self.due(self.schedule.as_deref()?, cursor);
        Some(due - TimeDelta::from_std(AHEAD).unwrap_or_default())
    }

    /// What is to become of the slots that have fallen due.
    pub(super) fn plan(&self, now: Instant) -> Option<SlotPlan> {
        let (schedule, cursor) = (self.schedule.as_deref()?, self.state.next_run?);
        let lenient = Policy {
            misfire: Misfire::FireOnceNow,
            ..self.bot.policy.clone()
        };
        let policy = if self.resumed_leniently() {
            &lenient
        } else {
            &self.bot.policy
        };
        // The slots behind a hold's own end are not the hold's.
        let until = self.state.hold.as_ref().and_then(|hold| hold.until);
        let now = until.map_or(now, |until| until.min(now));
        let due = SlotsDue {
            bot: &self.bot.name,
            schedule,
            policy,
            cursor,
            now,
            ahead: AHEAD,
        };
        match self.closed() {
            Some(gap) => due.plan_closed(gap),
            None => due.plan(),
        }
    }

    /// Whether the next slot is one that `fire_all` runs late: such slots run one after another.
    pub(super) fn catches_up(&self, now: Instant) -> bool {
        let due = self.state.next_run.and_then(|cursor| self.due_of(cursor));
        self.closed().is_none()
            && self.bot.policy.misfire == Misfire::FireAll
            && due.is_some_and(|due| due <= now)
    }

    /// Whether a slot after the one claimed is due as well.
    pub(super) fn is_superseded(&self, now: Instant) -> bool {
        let Some((schedule, next)) = self.schedule.as_deref().zip(self.state.next_run) else {
            return false;
        };
        next <= now && self.due(schedule, next) <= now
    }

    /// The write that carries out `plan`, which holds only if the store still says what this entry says.
    pub(super) fn advance(&self, plan: &SlotPlan) -> Option<Write> {
        Some(Write::Advance(Advance {
            bot: self.bot.name.clone(),
            expected_next: self.state.next_run?,
            expected_schedule: self.state.schedule.clone(),
            expected_hold: self.hold_kind(),
            gaps: plan.gaps.clone(),
            claim: plan.claim.map(|candidate| candidate.slot),
            alone: plan.claim.is_some_and(|candidate| candidate.catching_up),
            next: plan.next,
        }))
    }

    pub(super) fn resumed_leniently(&self) -> bool {
        self.resumed && self.bot.policy.on_resume == OnResume::RunLatest
    }

    pub(super) fn hold_kind(&self) -> Option<HoldKind> {
        self.state.hold.as_ref().map(|hold| hold.kind)
    }

    /// Whether the newest slot under a hold is left for the resume to decide.
    pub(super) fn keeps_newest(&self, gap: Gap) -> bool {
        matches!(gap, Gap::Held(_)) && self.bot.policy.on_resume == OnResume::RunLatest
    }

    /// Slot and jitter; `None` for a bot without slots.
    pub(super) fn due_of(&self, slot: Instant) -> Option<Instant> {
        Some(self.due(self.schedule.as_deref()?, slot))
    }

    fn due(&self, schedule: &dyn Schedule, slot: Instant) -> Instant {
        let policy = &self.bot.policy;
        SlotsDue {
            bot: &self.bot.name,
            schedule,
            policy,
            cursor: slot,
            now: slot,
            ahead: AHEAD,
        }
        .due(slot)
    }
}
