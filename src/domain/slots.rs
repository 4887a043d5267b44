//! What becomes of the slots that have fallen due: the rules for late slots, holds and catching up.

use std::time::Duration;

use super::{
    Instant,
    bot::BotName,
    outcome::Gap,
    policy::{Misfire, OnResume, Policy},
    schedule::{Schedule, jitter},
};

/// What there is to decide about one bot at one moment.
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
    /// Under `fire_all`, whether newer slots are due already and wait for this one to end.
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

impl SlotsDue<'_> {
    /// Slot and jitter.
    #[must_use]
    pub fn due(&self, slot: Instant) -> Instant {
        if self.policy.jitter.is_zero() {
            return slot;
        }
        slot + jitter(
            self.bot,
            slot,
            self.schedule.next_after(slot),
            self.policy.jitter,
        )
    }

    /// The plan for a bot that may run; `None` when no slot is due or nearly due.
    #[must_use]
    pub fn plan(&self) -> Option<SlotPlan> {
        match self.newest_due() {
            Some(newest) if self.policy.misfire == Misfire::FireAll => {
                Some(self.oldest_within_window(newest))
            }
            Some(newest) => Some(self.newest_or_none(newest)),
            None if self.due(self.cursor) <= self.now + self.ahead => Some(SlotPlan {
                gaps: Vec::new(),
                claim: Some(self.candidate(self.cursor)),
                next: self.after(self.cursor),
            }),
            None => None,
        }
    }

    /// The plan for a bot that may not run: every slot up to now is recorded with that reason, but for the newest
    /// when `on_resume` may want it.
    #[must_use]
    pub fn plan_closed(&self, gap: Gap) -> Option<SlotPlan> {
        let newest = self.newest_due()?;
        if self.policy.on_resume == OnResume::RunLatest && matches!(gap, Gap::Held(_)) {
            let gaps: Vec<GapRange> = self.range_before(newest, gap).into_iter().collect();
            return (!gaps.is_empty()).then_some(SlotPlan {
                gaps,
                claim: None,
                next: Some(newest),
            });
        }
        let gaps = self.range(self.cursor, newest, gap).into_iter().collect();
        Some(SlotPlan {
            gaps,
            claim: None,
            next: self.after(newest),
        })
    }

    /// What a schedule that ends at `now` (edited, or its bot removed) still owes the ledger.
    #[must_use]
    pub fn plan_final(&self, closed: Option<Gap>) -> Vec<GapRange> {
        let Some(newest) = self.newest_due() else {
            return Vec::new();
        };
        match closed {
            Some(gap) => self.range(self.cursor, newest, gap).into_iter().collect(),
            None => self.missed_until(newest, true),
        }
    }

    fn newest_due(&self) -> Option<Instant> {
        let newest = self.schedule.latest(self.cursor, self.now)?;
        if self.due(newest) <= self.now {
            return Some(newest);
        }
        self.schedule
            .latest(self.cursor, newest - chrono::TimeDelta::microseconds(1))
    }

    fn newest_or_none(&self, newest: Instant) -> SlotPlan {
        let candidate = self.candidate(newest);
        let late =
            (self.now - candidate.due).to_std().unwrap_or_default() > self.policy.misfire_threshold;
        let runs =
            newest >= self.window_start() && !(late && self.policy.misfire == Misfire::DoNothing);
        SlotPlan {
            gaps: self.missed_until(newest, !runs),
            claim: runs.then_some(candidate),
            next: self.after(newest),
        }
    }

    fn oldest_within_window(&self, newest: Instant) -> SlotPlan {
        let start = self.cursor.max(self.window_start());
        match self
            .schedule
            .next_from(start)
            .filter(|oldest| *oldest <= newest)
        {
            Some(oldest) => SlotPlan {
                gaps: self.range_before(oldest, Gap::Window).into_iter().collect(),
                claim: Some(Candidate {
                    catching_up: oldest < newest,
                    ..self.candidate(oldest)
                }),
                next: self.after(oldest),
            },
            None => SlotPlan {
                gaps: self.missed_until(newest, true),
                claim: None,
                next: self.after(newest),
            },
        }
    }

    /// The slots up to `newest`, itself included when asked, as missed: by the window, then by being late.
    fn missed_until(&self, newest: Instant, inclusive: bool) -> Vec<GapRange> {
        let Some(last) = (if inclusive {
            Some(newest)
        } else {
            self.before(newest)
        }) else {
            return Vec::new();
        };
        let Some(old) = self.schedule.latest(
            self.cursor,
            last.min(self.window_start() - chrono::TimeDelta::microseconds(1)),
        ) else {
            return self
                .range(self.cursor, last, Gap::Late)
                .into_iter()
                .collect();
        };
        let window = self.range(self.cursor, old, Gap::Window);
        let late = self
            .after(old)
            .filter(|first| *first <= last)
            .and_then(|first| self.range(first, last, Gap::Late));
        window.into_iter().chain(late).collect()
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
        self.schedule
            .latest(self.cursor, slot - chrono::TimeDelta::microseconds(1))
    }

    fn after(&self, slot: Instant) -> Option<Instant> {
        self.schedule.next_after(slot)
    }

    fn candidate(&self, slot: Instant) -> Candidate {
        Candidate {
            slot,
            due: self.due(slot),
            catching_up: false,
        }
    }

    fn window_start(&self) -> Instant {
        self.now
            - chrono::TimeDelta::from_std(self.policy.catchup_window)
                .unwrap_or(chrono::TimeDelta::MAX / 4)
    }
}
