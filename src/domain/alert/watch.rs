//! A bot that silently stops: its next slot is past, and nothing was done about it.

use chrono::TimeDelta;

use crate::domain::{Instant, schedule::ScheduleSpec, state::BotState};

/// What is nearer than this may be claimed already.
const NEAR: TimeDelta = TimeDelta::seconds(60);

/// What is seen of a bot.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The slot that is claimed and waits, if there is one.
    pub claimed: Option<Instant>,
    /// The first slot that the ledger does not account for.
    pub next_run: Option<Instant>,
    /// Slots are due this much after their time at most.
    pub jitter: TimeDelta,
    /// Whether nothing but a fault keeps it from running: it is switched on, not held, and no run of it is on.
    pub should_run: bool,
}

impl Seen {
    /// The slot that is past by more than `after`.
    #[must_use]
    pub fn stalled(&self, after: TimeDelta, now: Instant) -> Option<Instant> {
        let slot = self.claimed.or(self.next_run).filter(|_| self.should_run)?;
        let due = slot.checked_add_signed(self.jitter)?;
        (now - due > after).then_some(slot)
    }
}

/// The first slot from `after` on that the bot will not run because its next run is noted for a later one, and that one.
///
/// Such a run follows from a clock that was in the future for a while, or from a hand in the database. It is long until a
/// slot is past, and nothing else would tell.
#[must_use]
pub fn passed_over(state: &BotState, after: TimeDelta, now: Instant) -> Option<(Instant, Instant)> {
    let from = now.checked_add_signed(after.max(NEAR))?;
    let next = state.next_run.filter(|next| *next > from)?;
    let spec = ScheduleSpec::from_stored(state.schedule.as_deref()?)?;
    let slot = spec.compile(state.anchor).ok()?.next_from(from)?;
    (slot < next && !state.removed).then_some((slot, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{bot::BotName, schedule::ScheduleKind};

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn hourly(next_run: i64) -> BotState {
        let kind = ScheduleKind::Interval { seconds: 3600 };
        let (starts_at, ends_at) = (Some(at(0)), Some(at(36_000)));
        let spec = ScheduleSpec {
            kind,
            starts_at,
            ends_at,
        };
        BotState {
            schedule: Some(spec.to_stored()),
            next_run: Some(at(next_run)),
            bot: BotName::parse("hourly").unwrap(),
            actor_name: String::new(),
            anchor: at(0),
            last_run: None,
            last_success: None,
            consecutive_failures: 0,
            runs: 0,
            hold: None,
            removed: false,
        }
    }

    #[test]
    fn a_bot_is_passed_over_if_its_schedule_has_a_slot_before_its_next_run() {
        let minute = TimeDelta::seconds(60);
        let passed = |next, now| passed_over(&hourly(next), minute, at(now));
        assert_eq!(passed(7200, 1800), Some((at(3600), at(7200))));
        assert_eq!(passed(3600, 1800), None, "that is its slot");
        assert_eq!(passed(1800, 1800), None, "it is due");
        assert_eq!(passed(0, -90_000), None, "it has not begun");
        assert_eq!(passed(7200, 3590), None, "the slot may be claimed ahead");
        assert_eq!(passed(360_000, 40_000), None, "its schedule is over");
        let removed = BotState {
            removed: true,
            ..hourly(7200)
        };
        assert_eq!(passed_over(&removed, minute, at(1800)), None);
    }

    #[test]
    fn only_a_bot_that_should_have_run_is_stalled() {
        let seen = Seen {
            claimed: None,
            next_run: Some(at(0)),
            jitter: TimeDelta::seconds(20),
            should_run: true,
        };
        let stalled = |seen: Seen, now| seen.stalled(TimeDelta::seconds(60), at(now)).is_some();
        assert!(!stalled(seen, 80), "the jitter is not over before");
        assert!(stalled(seen, 81));
        let (claimed, next_run) = (Some(at(50)), None);
        for (what, seen) in [
            (
                "held, off or at work",
                Seen {
                    should_run: false,
                    ..seen
                },
            ),
            ("finished", Seen { next_run, ..seen }),
            ("claimed", Seen { claimed, ..seen }),
        ] {
            assert!(!stalled(seen, 100), "{what}");
        }
        assert!(
            stalled(Seen { claimed, ..seen }, 131),
            "a claim that never starts"
        );
    }
}
