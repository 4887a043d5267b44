//! What becomes of the slots that have fallen due: the rules for late slots, holds and catching up.
//!
//! A plan accounts for slots from the cursor on without leaving one out: its gaps follow one another, the claim follows
//! the gaps, and `next` follows the claim. That is what makes every slot end up in the ledger once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Instant,
    bot::BotName,
    outcome::Gap,
    policy::{Misfire, OnResume, Policy},
    schedule::{Schedule, jitter},
};

/// What there is to decide about one bot at one moment.
#[derive(Clone, Copy)]
pub struct SlotsDue<'a> {
    /// Whose slots.
    pub bot: &'a BotName,
    /// When they are.
    pub schedule: &'a dyn Schedule,
    /// The bot's policy.
    pub policy: &'a Policy,
    /// The first slot that the ledger does not account for.
    pub cursor: Instant,
    /// The moment of deciding.
    pub now: Instant,
    /// How long before its due time a slot may be claimed.
    pub ahead: Duration,
}

/// Slots that did not run, as one row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRange {
    /// The first slot.
    pub first: Instant,
    /// The last slot, inclusive.
    pub last: Instant,
    /// How many slots.
    pub slots: u64,
    /// Why they did not run.
    pub gap: Gap,
}

/// A slot to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The slot.
    pub slot: Instant,
    /// Slot and jitter.
    pub due: Instant,
    /// Under `fire_all`, whether it is due already: such slots run one after another, and wait for a run that is on.
    pub catching_up: bool,
}

/// What becomes of a bot's slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPlan {
    /// Slots that will not run, oldest first.
    pub gaps: Vec<GapRange>,
    /// The slot to claim.
    pub claim: Option<Candidate>,
    /// The first slot that the ledger will not account for after this.
    pub next: Option<Instant>,
}

impl SlotPlan {
    /// Nothing to account for, and the cursor to go on from.
    const fn moved(next: Option<Instant>) -> Self {
        Self {
            gaps: Vec::new(),
            claim: None,
            next,
        }
    }
}

impl SlotsDue<'_> {
    /// Slot and jitter.
    #[must_use]
    pub fn due(&self, slot: Instant) -> Instant {
        if self.policy.jitter.is_zero() {
            return slot;
        }
        let next = self.schedule.next_after(slot);
        let delay = jitter(self.bot, slot, next, self.policy.jitter);
        later(slot, delay)
    }

    /// The plan for a bot that may run; `None` when no slot is due or nearly due.
    #[must_use]
    pub fn plan(&self) -> Option<SlotPlan> {
        self.on_a_slot(Self::open)
    }

    /// The plan for a bot that may not run: every slot up to now is recorded with that reason, but for the newest
    /// when `on_resume` may want it.
    #[must_use]
    pub fn plan_closed(&self, gap: Gap) -> Option<SlotPlan> {
        self.on_a_slot(|due| due.closed(gap))
    }

    /// When a plan has something to say again, after one had nothing; `None` if it never has.
    #[must_use]
    pub fn wake(&self, closed: Option<Gap>) -> Option<Instant> {
        let due = self.due(self.cursor);
        match closed {
            None => due.checked_sub_signed(TimeDelta::from_std(self.ahead).ok()?),
            Some(gap) if self.keeps_newest(gap) => {
                Some(self.due(self.schedule.next_after(self.cursor)?))
            }
            Some(_) => Some(due),
        }
    }

    /// What a schedule that ends at `now` (edited, or its bot removed) still owes the ledger: every slot up to now, one
    /// that its jitter still holds back included, because the schedule that follows has its slots after now.
    #[must_use]
    pub fn plan_final(&self, closed: Option<Gap>) -> Vec<GapRange> {
        let Some(due) = self.aligned() else {
            return Vec::new();
        };
        let Some(newest) = due.schedule.latest(due.cursor, due.now) else {
            return Vec::new();
        };
        match closed {
            Some(gap) => due.range(due.cursor, newest, gap).into_iter().collect(),
            None => due.missed(newest),
        }
    }

    /// With the cursor on the first slot at or after it. It is on one unless what the schedule means has changed under the
    /// stored cursor, by a newer zone database.
    fn aligned(&self) -> Option<Self> {
        let cursor = self.schedule.next_from(self.cursor)?;
        Some(Self { cursor, ..*self })
    }

    fn on_a_slot(&self, plan: impl Fn(&Self) -> Option<SlotPlan>) -> Option<SlotPlan> {
        let Some(due) = self.aligned() else {
            return Some(SlotPlan::moved(None));
        };
        let moved = due.cursor != self.cursor;
        plan(&due).or_else(|| moved.then(|| SlotPlan::moved(Some(due.cursor))))
    }

    fn open(&self) -> Option<SlotPlan> {
        match self.newest_due() {
            Some(newest) if self.policy.misfire == Misfire::FireAll => {
                Some(self.oldest_first(newest))
            }
            Some(newest) => Some(self.newest_only(newest)),
            None if self.due(self.cursor) <= later(self.now, self.ahead) => Some(SlotPlan {
                gaps: Vec::new(),
                claim: Some(self.candidate(self.cursor)),
                next: self.schedule.next_after(self.cursor),
            }),
            None => None,
        }
    }

    fn closed(&self, gap: Gap) -> Option<SlotPlan> {
        let newest = self.newest_due()?;
        if self.keeps_newest(gap) {
            return self.range_before(newest, gap).map(|range| SlotPlan {
                gaps: vec![range],
                claim: None,
                next: Some(newest),
            });
        }
        Some(SlotPlan {
            gaps: self.range(self.cursor, newest, gap).into_iter().collect(),
            claim: None,
            next: self.schedule.next_after(newest),
        })
    }

    /// Whether the newest slot stays undecided, for the resume to decide.
    fn keeps_newest(&self, gap: Gap) -> bool {
        self.policy.on_resume == OnResume::RunLatest && matches!(gap, Gap::Held(_))
    }

    /// Jitter keeps a slot before the next one, so at most the last slot up to now is not due yet.
    fn newest_due(&self) -> Option<Instant> {
        let newest = self.schedule.latest(self.cursor, self.now)?;
        if self.due(newest) <= self.now {
            return Some(newest);
        }
        self.before(newest)
    }

    fn newest_only(&self, newest: Instant) -> SlotPlan {
        let candidate = self.candidate(newest);
        let lateness = (self.now - candidate.due).to_std().unwrap_or_default();
        let late = lateness > self.policy.misfire_threshold;
        let runs = self.oldest_in_window(newest).is_some()
            && !(late && self.policy.misfire == Misfire::DoNothing);
        let last = if runs {
            self.before(newest)
        } else {
            Some(newest)
        };
        SlotPlan {
            gaps: last.map(|last| self.missed(last)).unwrap_or_default(),
            claim: runs.then_some(candidate),
            next: self.schedule.next_after(newest),
        }
    }

    fn oldest_first(&self, newest: Instant) -> SlotPlan {
        let Some(oldest) = self.oldest_in_window(newest) else {
            return SlotPlan {
                gaps: self.missed(newest),
                claim: None,
                next: self.schedule.next_after(newest),
            };
        };
        SlotPlan {
            gaps: self.range_before(oldest, Gap::Window).into_iter().collect(),
            claim: Some(Candidate {
                catching_up: true,
                ..self.candidate(oldest)
            }),
            next: self.schedule.next_after(oldest),
        }
    }

    /// The slots up to `last` as missed: by the window, then by being late.
    fn missed(&self, last: Instant) -> Vec<GapRange> {
        let ranges = match self.oldest_in_window(last) {
            Some(first) => [
                self.range_before(first, Gap::Window),
                self.range(first, last, Gap::Late),
            ],
            None => [self.range(self.cursor, last, Gap::Window), None],
        };
        ranges.into_iter().flatten().collect()
    }

    /// The first slot up to `last` that was due inside the catch-up window, its beginning included. Only the last slot
    /// before the window can have been due inside it, by its jitter.
    fn oldest_in_window(&self, last: Instant) -> Option<Instant> {
        let start = self.window_start();
        self.schedule
            .latest(self.cursor, start)
            .filter(|slot| self.due(*slot) >= start)
            .or_else(|| self.schedule.next_from(start.max(self.cursor)))
            .filter(|slot| *slot <= last)
    }

    fn range_before(&self, slot: Instant, gap: Gap) -> Option<GapRange> {
        self.range(self.cursor, self.before(slot)?, gap)
    }

    fn range(&self, first: Instant, last: Instant, gap: Gap) -> Option<GapRange> {
        let slots = self.schedule.count(first, last);
        (slots > 0).then_some(GapRange {
            first,
            last,
            slots,
            gap,
        })
    }

    fn before(&self, slot: Instant) -> Option<Instant> {
        let last = slot.checked_sub_signed(TimeDelta::microseconds(1))?;
        self.schedule.latest(self.cursor, last)
    }

    fn candidate(&self, slot: Instant) -> Candidate {
        Candidate {
            slot,
            due: self.due(slot),
            catching_up: false,
        }
    }

    fn window_start(&self) -> Instant {
        TimeDelta::from_std(self.policy.catchup_window)
            .ok()
            .and_then(|window| self.now.checked_sub_signed(window))
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

fn later(time: Instant, delay: Duration) -> Instant {
    TimeDelta::from_std(delay)
        .ok()
        .and_then(|delay| time.checked_add_signed(delay))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
