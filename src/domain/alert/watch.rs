//! A bot that silently stops: its next slot is past, and nothing was done about it.

use chrono::TimeDelta;

use crate::domain::Instant;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
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
