//! How long to wait between attempts: exponential, bounded, with jitter.

use std::time::Duration;

/// `[actors.retry]`: the attempts of a run, and those of a post.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included (3).
    pub max_attempts: u32,
    /// The wait before the second attempt (1 s).
    pub initial_backoff: Duration,
    /// The longest wait (60 s).
    pub max_backoff: Duration,
    /// The factor from one wait to the next (2).
    pub multiplier: f64,
    /// The share of a wait that is random, 0 to 1 (0.2: a wait of 10 s becomes 8 to 12 s).
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
            multiplier: 2.0,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    /// The wait after `failed` attempts, or `None` when there is no further attempt.
    ///
    /// `random` is a number from 0 to 1 that the caller draws; 0.5 gives the wait without jitter.
    #[must_use]
    pub fn backoff_after(&self, failed: u32, random: f64) -> Option<Duration> {
        if failed >= self.max_attempts {
            return None;
        }
        let doublings = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.max_backoff.as_secs_f64();
        let plain =
            (self.initial_backoff.as_secs_f64() * self.multiplier.powi(doublings)).min(longest);
        let spread = 1.0 + self.jitter * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        Some(Duration::from_secs_f64(
            (plain * spread).clamp(0.0, longest),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_up_to_the_bound_and_end_with_the_attempts() {
        let policy = RetryPolicy {
            max_attempts: 9,
            ..RetryPolicy::default()
        };
        let waits: Vec<u64> = (1..9)
            .filter_map(|n| policy.backoff_after(n, 0.5))
            .map(|d| d.as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.backoff_after(9, 0.5), None);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_bound(failed in 1u32..2000, random in 0.0f64..1.0, multiplier in 1.0f64..1e6) {
            let policy = RetryPolicy { max_attempts: u32::MAX, multiplier, ..RetryPolicy::default() };
            let wait = policy.backoff_after(failed, random).unwrap();
            prop_assert!(wait <= policy.max_backoff);
        }
    }
}
