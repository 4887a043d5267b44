//! Whether a claimed run may start now.

use std::time::Duration;

use super::{
    Instant,
    hold::HoldKind,
    outcome::Gap,
    policy::{Misfire, Overlap},
};

/// What is known at the moment when a claim's run would start.
#[derive(Clone, Copy, Debug)]
pub struct StartFacts {
    /// The moment.
    pub now: Instant,
    /// When the run should have started.
    pub due: Instant,
    /// Whether a newer slot of the bot is due as well.
    pub superseded: bool,
    /// Whether the bot is switched on.
    pub enabled: bool,
    /// Why the bot may not run.
    pub hold: Option<HoldKind>,
    /// Whether the breaker of the bot's downstream is open.
    pub breaker_open: bool,
    /// Whether a run of this bot is on.
    pub busy: bool,
    /// Whether a claim of this bot waits already (`buffer_one`).
    pub waiting: bool,
    /// Whether this claim is the one that waited; no misfire rule holds for it.
    pub waited: bool,
    /// The bot's policy.
    pub overlap: Overlap,
    /// The bot's policy.
    pub misfire: Misfire,
    /// The bot's policy.
    pub misfire_threshold: Duration,
}

/// What becomes of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartDecision {
    /// Run.
    Run,
    /// Cancel the run that is on, then run.
    CancelOther,
    /// Wait for the run that is on to end.
    Wait,
    /// Do not run; record why.
    Decline(Gap),
}

impl StartFacts {
    /// The decision for a scheduled claim.
    ///
    /// A standing reason comes before lateness and lateness before overlap: what an operator did explains most.
    #[must_use]
    pub fn decide(&self) -> StartDecision {
        match self.closed().or_else(|| self.too_late()) {
            Some(gap) => StartDecision::Decline(gap),
            None if self.busy => self.overlapping(),
            None => StartDecision::Run,
        }
    }

    fn closed(&self) -> Option<Gap> {
        if let Some(kind) = self.hold {
            return Some(Gap::Held(kind));
        }
        if !self.enabled {
            return Some(Gap::Disabled);
        }
        self.breaker_open.then_some(Gap::BreakerOpen)
    }

    fn too_late(&self) -> Option<Gap> {
        if self.waited || self.misfire == Misfire::FireAll {
            return None;
        }
        let late = (self.now - self.due).to_std().unwrap_or_default() > self.misfire_threshold;
        (self.superseded || (late && self.misfire == Misfire::DoNothing)).then_some(Gap::Late)
    }

    const fn overlapping(&self) -> StartDecision {
        match self.overlap {
            Overlap::AllowAll => StartDecision::Run,
            Overlap::CancelOther => StartDecision::CancelOther,
            Overlap::BufferOne if !self.waiting => StartDecision::Wait,
            Overlap::BufferOne | Overlap::Skip => StartDecision::Decline(Gap::Overlap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn on_time() -> StartFacts {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        StartFacts {
            now,
            due: now,
            superseded: false,
            enabled: true,
            hold: None,
            breaker_open: false,
            busy: false,
            waiting: false,
            waited: false,
            overlap: Overlap::Skip,
            misfire: Misfire::FireOnceNow,
            misfire_threshold: Duration::from_secs(60),
        }
    }

    #[test]
    fn a_free_bot_on_time_runs() {
        assert_eq!(on_time().decide(), StartDecision::Run);
    }

    #[test]
    fn each_overlap_policy_has_its_own_answer() {
        let busy = StartFacts {
            busy: true,
            ..on_time()
        };
        let answer = |overlap, waiting| {
            StartFacts {
                overlap,
                waiting,
                ..busy
            }
            .decide()
        };
        assert_eq!(
            answer(Overlap::Skip, false),
            StartDecision::Decline(Gap::Overlap)
        );
        assert_eq!(answer(Overlap::BufferOne, false), StartDecision::Wait);
        assert_eq!(
            answer(Overlap::BufferOne, true),
            StartDecision::Decline(Gap::Overlap)
        );
        assert_eq!(
            answer(Overlap::CancelOther, false),
            StartDecision::CancelOther
        );
        assert_eq!(answer(Overlap::AllowAll, false), StartDecision::Run);
    }

    #[test]
    fn a_hold_explains_more_than_lateness_or_overlap() {
        let all = StartFacts {
            hold: Some(HoldKind::Manual),
            superseded: true,
            busy: true,
            ..on_time()
        };
        assert_eq!(
            all.decide(),
            StartDecision::Decline(Gap::Held(HoldKind::Manual))
        );
        assert_eq!(
            StartFacts { hold: None, ..all }.decide(),
            StartDecision::Decline(Gap::Late)
        );
    }

    #[test]
    fn only_do_nothing_drops_a_late_claim_that_no_newer_slot_replaces() {
        let late = StartFacts {
            due: on_time().now - TimeDelta::seconds(61),
            ..on_time()
        };
        assert_eq!(late.decide(), StartDecision::Run);
        let dropped = StartFacts {
            misfire: Misfire::DoNothing,
            ..late
        };
        assert_eq!(dropped.decide(), StartDecision::Decline(Gap::Late));
        assert_eq!(
            StartFacts {
                waited: true,
                ..dropped
            }
            .decide(),
            StartDecision::Run
        );
    }
}
