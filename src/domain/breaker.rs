//! Circuit breaker of one downstream: when to stop asking it, and when to try again.
//!
//! Closed, it counts failures in a row. Open, it refuses until its cool-down is over. Half-open, it lets one probe at a time
//! through: so many good ones close it, a bad one opens it anew. A probe that never tells how it ended is given up after
//! another cool-down, so that nothing stays shut for want of an answer.

use std::time::Duration;

use chrono::TimeDelta;

use super::Instant;

/// `[breaker]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row open it.
    pub failure_threshold: u32,
    /// The cool-down.
    pub timeout: Duration,
    /// So many good probes close it.
    pub success_threshold: u32,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            timeout: Duration::from_secs(30),
            success_threshold: 3,
        }
    }
}

/// The cool-down is longer by up to this share of it, so that processes do not probe in step.
const JITTER: f64 = 0.2;

/// A breaker as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBreaker {
    /// Whose: `discord`, `discord:1234567890`.
    pub dependency: String,
    /// As it was stored last.
    pub breaker: Breaker,
    /// The credentials that the platform does not accept, as [`ContentPoster::credential`] names them; `None` if the breaker
    /// tells of something else.
    ///
    /// [`ContentPoster::credential`]: crate::platforms::ContentPoster::credential
    pub credential: Option<String>,
    /// Grows by one each time that it is stored, whoever does so.
    pub revision: i64,
    /// When it was stored last.
    pub updated_at: Instant,
}

/// A breaker in columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerColumns<'a> {
    /// See [`Breaker::as_str`].
    pub state: &'a str,
    /// Until when it is open, or until when a probe may take.
    pub until: Option<Instant>,
    /// Failures in a row while it is closed.
    pub failures: i64,
    /// Good probes in a row while it is half-open.
    pub successes: i64,
}

/// One breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// All is well, but for so many failures in a row.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// Nothing is asked.
    Open {
        /// Until then.
        until: Instant,
    },
    /// One probe at a time.
    HalfOpen {
        /// Good probes in a row.
        successes: u32,
        /// Until when the probe on its way may take; `None` if there is none.
        probe_until: Option<Instant>,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// `closed`, `half_open` or `open`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }

    /// Whether nothing is the matter with its downstream, as far as it knows.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Whether the cool-down lasts at `now`: nothing is asked then, not even by a probe.
    #[must_use]
    pub fn is_cooling_down(&self, now: Instant) -> bool {
        matches!(self, Self::Open { until } if *until > now)
    }

    /// What a store keeps of it.
    #[must_use]
    pub fn columns(&self) -> BreakerColumns<'static> {
        let state = self.as_str();
        let blank = BreakerColumns {
            state,
            ..BreakerColumns::default()
        };
        match *self {
            Self::Closed { failures } => BreakerColumns {
                failures: failures.into(),
                ..blank
            },
            Self::Open { until } => BreakerColumns {
                until: Some(until),
                ..blank
            },
            Self::HalfOpen {
                successes,
                probe_until,
            } => BreakerColumns {
                until: probe_until,
                successes: successes.into(),
                ..blank
            },
        }
    }

    /// The breaker that was kept so. What makes no sense is closed: whoever is asked then tells how it is.
    #[must_use]
    pub fn of_columns(columns: &BreakerColumns<'_>) -> Self {
        let count = |count: i64| u32::try_from(count).unwrap_or_default();
        match (columns.state, columns.until) {
            ("open", Some(until)) => Self::Open { until },
            ("half_open", probe_until) => Self::HalfOpen {
                successes: count(columns.successes),
                probe_until,
            },
            _ => Self::Closed {
                failures: count(columns.failures),
            },
        }
    }

    /// Whether something may be asked at `now`, without taking the probe.
    #[must_use]
    pub fn would_let_through(&self, now: Instant) -> bool {
        match self {
            Self::Closed { .. } => true,
            Self::Open { until } => *until <= now,
            Self::HalfOpen { probe_until, .. } => probe_until.is_none_or(|until| until <= now),
        }
    }

    /// Whether something may be asked at `now`; if so, and it is not closed, this is the probe.
    pub fn let_through(&mut self, now: Instant, rules: &BreakerRules) -> bool {
        if !self.would_let_through(now) {
            return false;
        }
        let successes = match self {
            Self::Closed { .. } => return true,
            Self::Open { .. } => 0,
            Self::HalfOpen { successes, .. } => *successes,
        };
        *self = Self::HalfOpen {
            successes,
            probe_until: Some(after(now, rules.timeout, 0.0)),
        };
        true
    }

    /// The downstream has answered as it should.
    pub const fn succeeded(&mut self, rules: &BreakerRules) {
        *self = match *self {
            Self::Closed { .. } => Self::Closed { failures: 0 },
            // An answer to something that was asked before it opened says little of now.
            Self::Open { until } => Self::Open { until },
            Self::HalfOpen { successes, .. } if successes + 1 >= rules.success_threshold => {
                Self::Closed { failures: 0 }
            }
            Self::HalfOpen { successes, .. } => Self::HalfOpen {
                successes: successes + 1,
                probe_until: None,
            },
        };
    }

    /// It has not. `random` is from 0 to 1.
    pub fn failed(&mut self, now: Instant, rules: &BreakerRules, random: f64) {
        *self = match *self {
            Self::Closed { failures } if failures + 1 < rules.failure_threshold => Self::Closed {
                failures: failures + 1,
            },
            Self::Open { until } => Self::Open { until },
            Self::Closed { .. } | Self::HalfOpen { .. } => Self::opened(now, rules, random),
        };
    }

    /// Open from now on, whatever was counted (Discord: 401).
    #[must_use]
    pub fn opened(now: Instant, rules: &BreakerRules, random: f64) -> Self {
        Self::Open {
            until: after(now, rules.timeout, random * JITTER),
        }
    }
}

fn after(now: Instant, wait: Duration, longer: f64) -> Instant {
    let wait = wait.mul_f64(1.0 + longer.clamp(0.0, 1.0));
    now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: BreakerRules = BreakerRules {
        failure_threshold: 3,
        timeout: Duration::from_secs(10),
        success_threshold: 2,
    };

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(at(0), &RULES, 0.0);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not_let_them_add_up() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.failed(at(0), &RULES, 0.0);
        }
        breaker.succeeded(&RULES);
        for _ in 0..2 {
            breaker.failed(at(0), &RULES, 0.0);
        }
        assert_eq!(breaker.as_str(), "closed");
        breaker.failed(at(0), &RULES, 0.0);
        assert_eq!(breaker, Breaker::Open { until: at(10) });
    }

    #[test]
    fn after_the_cool_down_one_probe_goes_through_at_a_time() {
        let mut breaker = open();
        assert!(!breaker.let_through(at(9), &RULES));
        assert!(breaker.let_through(at(10), &RULES));
        assert!(
            !breaker.let_through(at(11), &RULES),
            "a probe is on its way"
        );
        breaker.succeeded(&RULES);
        assert_eq!(breaker.as_str(), "half_open");
        assert!(breaker.let_through(at(12), &RULES));
        breaker.succeeded(&RULES);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_bad_probe_opens_it_anew_and_a_lost_one_makes_room_for_another() {
        let mut breaker = open();
        assert!(breaker.let_through(at(10), &RULES));
        assert!(
            breaker.let_through(at(20), &RULES),
            "the first one was lost"
        );
        breaker.failed(at(21), &RULES, 0.5);
        assert_eq!(breaker, Breaker::Open { until: at(32) });
    }

    #[test]
    fn every_state_comes_back_from_its_columns_and_nonsense_is_closed() {
        let probe_until = Some(at(5));
        let half_open = |probe_until| Breaker::HalfOpen {
            successes: 2,
            probe_until,
        };
        let open = Breaker::Open { until: at(5) };
        let closed = Breaker::Closed { failures: 2 };
        for breaker in [closed, open, half_open(None), half_open(probe_until)] {
            assert_eq!(Breaker::of_columns(&breaker.columns()), breaker);
        }
        for state in ["open", "ajar", ""] {
            let nonsense = BreakerColumns {
                state,
                failures: -1,
                ..BreakerColumns::default()
            };
            assert_eq!(Breaker::of_columns(&nonsense), Breaker::default());
        }
    }

    proptest! {
        #[test]
        fn it_never_stays_shut_for_longer_than_two_cool_downs(steps in prop::collection::vec(0..4_u8, 0..60)) {
            let mut breaker = Breaker::default();
            let mut now = at(0);
            for step in steps {
                now += TimeDelta::seconds(1);
                match step {
                    0 => breaker.succeeded(&RULES),
                    1 => breaker.failed(now, &RULES, 1.0),
                    2 => breaker = Breaker::opened(now, &RULES, 1.0),
                    _ => { breaker.let_through(now, &RULES); }
                }
            }
            prop_assert!(breaker.let_through(now + TimeDelta::seconds(20), &RULES));
        }
    }
}
