//! The ledger of one bot, which checks each plan against the rules as it is carried out.

use std::time::Duration;

use actor_server::domain::{
    Instant,
    bot::BotName,
    hold::HoldKind,
    outcome::Gap,
    policy::{Misfire, Policy},
    schedule::Schedule,
    slots::{SlotPlan, SlotsDue},
};
use chrono::TimeDelta;

pub(crate) const AHEAD: Duration = Duration::from_secs(2);
const PAUSED: Gap = Gap::Held(HoldKind::Manual);

/// What happens next to a bot.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// So many milliseconds pass, then a plan is made.
    Plan(i64),
    /// A hold is set at once.
    Hold,
    /// The hold ends after so many milliseconds, and what passed under it is recorded first.
    Resume(i64),
}

/// The ledger of one bot, checked as it grows.
pub(crate) struct Ledger<'a> {
    pub(crate) bot: BotName,
    pub(crate) schedule: &'a dyn Schedule,
    pub(crate) policy: &'a Policy,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) cursor: Option<Instant>,
    pub(crate) held: bool,
    pub(crate) slots: u64,
}

impl Ledger<'_> {
    fn due(&self, cursor: Instant) -> SlotsDue<'_> {
        SlotsDue {
            bot: &self.bot,
            schedule: self.schedule,
            policy: self.policy,
            cursor,
            now: self.now,
            ahead: AHEAD,
        }
    }

    pub(crate) fn happens(&mut self, event: &Event) {
        match event {
            Event::Plan(wait) => {
                self.now += TimeDelta::milliseconds(*wait);
                self.plan();
            }
            Event::Hold => self.held = true,
            Event::Resume(wait) => {
                self.now += TimeDelta::milliseconds(*wait);
                self.plan();
                self.held = false;
                self.plan();
            }
        }
    }

    fn plan(&mut self) {
        for _ in 0..10_000 {
            let Some(cursor) = self.cursor else { return };
            let Some(plan) = self.planned(self.due(cursor)) else {
                return self.check_wake(self.due(cursor));
            };
            self.check(&plan, cursor);
            self.cursor = plan.next;
        }
        panic!("planning does not end");
    }

    fn planned(&self, due: SlotsDue<'_>) -> Option<SlotPlan> {
        if self.held {
            due.plan_closed(PAUSED)
        } else {
            due.plan()
        }
    }

    /// Nothing is missed by sleeping until then, and there is something to do then.
    fn check_wake(&self, due: SlotsDue<'_>) {
        let wake = due.wake(self.held.then_some(PAUSED));
        let at = |now| self.planned(SlotsDue { now, ..due });
        match wake {
            Some(wake) => {
                assert!(wake > self.now);
                assert_eq!(at(wake - TimeDelta::milliseconds(1)), None);
                assert!(at(wake).is_some());
            }
            None => assert_eq!(at(self.now + TimeDelta::days(4_000)), None),
        }
    }

    fn check(&mut self, plan: &SlotPlan, cursor: Instant) {
        let mut expected = Some(cursor);
        for gap in &plan.gaps {
            assert_eq!(Some(gap.first), expected);
            assert_eq!(self.schedule.next_from(gap.last), Some(gap.last));
            assert_eq!(gap.slots, self.schedule.count(gap.first, gap.last));
            assert!(self.due(cursor).due(gap.last) <= self.now);
            self.check_reason(gap.gap, gap.first, gap.last);
            self.slots += gap.slots;
            expected = self.schedule.next_after(gap.last);
        }
        if let Some(claim) = plan.claim {
            assert_eq!(Some(claim.slot), expected);
            assert_eq!(claim.due, self.due(cursor).due(claim.slot));
            self.check_claim(claim.slot, claim.due, claim.catching_up);
            self.slots += 1;
            expected = self.schedule.next_after(claim.slot);
        }
        assert!(plan.claim.is_some() || !plan.gaps.is_empty());
        assert_eq!(plan.next, expected);
    }

    fn check_reason(&self, gap: Gap, first: Instant, last: Instant) {
        let window = self.now - TimeDelta::from_std(self.policy.catchup_window).unwrap();
        let due = |slot| self.due(self.start).due(slot);
        match gap {
            Gap::Window => assert!(!self.held && due(last) < window),
            Gap::Late => {
                assert!(!self.held && due(first) >= window);
                assert_ne!(self.policy.misfire, Misfire::FireAll);
            }
            reason => assert!(self.held && reason == PAUSED),
        }
    }

    fn check_claim(&self, slot: Instant, due: Instant, catching_up: bool) {
        assert!(!self.held);
        assert!(due <= self.now + TimeDelta::from_std(AHEAD).unwrap());
        let lateness = (self.now - due).to_std().unwrap_or_default();
        assert!(lateness <= self.policy.catchup_window);
        let next = self.schedule.next_after(slot);
        let newer = next.is_some_and(|next| self.due(self.start).due(next) <= self.now);
        match self.policy.misfire {
            Misfire::FireAll => assert_eq!(catching_up, due <= self.now),
            Misfire::FireOnceNow => assert!(!newer && !catching_up),
            Misfire::DoNothing => {
                assert!(!newer && !catching_up);
                assert!(lateness <= self.policy.misfire_threshold);
            }
        }
    }

    /// At any moment the ledger's sum is the number of slots before the cursor.
    pub(crate) fn check_sum(&self) {
        let before = match self.cursor {
            Some(cursor) => cursor - TimeDelta::microseconds(1),
            None => self.now + TimeDelta::days(1),
        };
        assert_eq!(self.slots, self.schedule.count(self.start, before));
        if let Some(cursor) = self.cursor {
            assert_eq!(self.schedule.next_from(cursor), Some(cursor));
        }
    }
}
