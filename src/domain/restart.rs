//! Restart intensity, after Erlang/OTP's supervisors: so many restarts within a window, then the child is given up.

use std::{collections::VecDeque, time::Duration};

/// `[supervision]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Restarts within [`RestartPolicy::window`] that are still fine (5).
    pub max_restarts: u32,
    /// The window that restarts are counted over (60 s).
    pub window: Duration,
    /// The wait before the first restart (100 ms).
    pub min_backoff: Duration,
    /// The longest wait (30 s).
    pub max_backoff: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            max_restarts: 5,
            window: Duration::from_secs(60),
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
        }
    }
}

/// What to do about a child that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Build it anew after this wait.
    Restart(Duration),
    /// The budget is spent.
    GiveUp,
}

/// The deaths of one child that still count.
#[derive(Clone, Debug, Default)]
pub struct RestartBudget {
    /// Moments of death on a clock that never goes back, oldest first.
    deaths: VecDeque<Duration>,
}

impl RestartBudget {
    /// Records a death at `now` (time since any fixed moment) and says what to do.
    pub fn died(&mut self, now: Duration, policy: &RestartPolicy) -> Verdict {
        self.forget_old(now, policy);
        self.deaths.push_back(now);
        let deaths = u32::try_from(self.deaths.len()).unwrap_or(u32::MAX);
        if deaths > policy.max_restarts {
            return Verdict::GiveUp;
        }
        let factor = 2u32.saturating_pow(deaths.saturating_sub(1));
        Verdict::Restart(
            policy
                .min_backoff
                .saturating_mul(factor)
                .min(policy.max_backoff),
        )
    }

    /// Restarts left at `now`.
    pub fn left(&mut self, now: Duration, policy: &RestartPolicy) -> u32 {
        self.forget_old(now, policy);
        policy
            .max_restarts
            .saturating_sub(u32::try_from(self.deaths.len()).unwrap_or(u32::MAX))
    }

    fn forget_old(&mut self, now: Duration, policy: &RestartPolicy) {
        while self
            .deaths
            .front()
            .is_some_and(|death| now.saturating_sub(*death) > policy.window)
        {
            self.deaths.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn backoff_doubles_and_the_sixth_death_within_the_window_is_the_last() {
        let (mut budget, policy) = (RestartBudget::default(), RestartPolicy::default());
        let verdicts: Vec<Verdict> = (0..6).map(|n| budget.died(seconds(n), &policy)).collect();
        let wait = |ms| Verdict::Restart(Duration::from_millis(ms));
        assert_eq!(
            verdicts,
            [
                wait(100),
                wait(200),
                wait(400),
                wait(800),
                wait(1600),
                Verdict::GiveUp
            ]
        );
    }

    #[test]
    fn deaths_outside_the_window_are_forgotten() {
        let (mut budget, policy) = (RestartBudget::default(), RestartPolicy::default());
        for n in 0..100 {
            assert_ne!(budget.died(seconds(n * 13), &policy), Verdict::GiveUp);
        }
        assert_eq!(budget.left(seconds(10_000), &policy), policy.max_restarts);
    }

    proptest! {
        #[test]
        fn no_window_ever_sees_more_restarts_than_the_budget(gaps in proptest::collection::vec(0u64..30_000, 1..60)) {
            let (mut budget, policy) = (RestartBudget::default(), RestartPolicy::default());
            let (mut now, mut restarts) = (Duration::ZERO, Vec::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                if budget.died(now, &policy) != Verdict::GiveUp { restarts.push(now); }
            }
            for start in &restarts {
                let inside = restarts.iter().filter(|t| **t >= *start && **t - *start <= policy.window).count();
                prop_assert!(inside <= policy.max_restarts as usize);
            }
        }
    }
}
