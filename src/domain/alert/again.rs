//! When a notice that a channel did not take is tried again, and when no more.

use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::Instant;

/// The first wait, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(900));
/// Waits are longer or shorter by up to this share.
const JITTER: f64 = 0.2;
/// The longest that a channel's own wish is heeded.
const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// What is older than this is news no more.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// When the next attempt is, after `attempts` of them, the last of which ended at `now`; `None` if there is none.
/// `random` is from 0 to 1; `wish` is what the channel asked for.
#[must_use]
pub fn next_attempt(
    created_at: Instant,
    attempts: u32,
    wish: Option<Duration>,
    now: Instant,
    random: f64,
) -> Option<Instant> {
    let (first, longest) = WAITS;
    let doubled = 2u32.saturating_pow(attempts.saturating_sub(1).min(16));
    let wait = first.saturating_mul(doubled).min(longest);
    let wait = wait.mul_f64(1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0));
    let wait = wait.max(wish.unwrap_or_default().min(LONGEST_WISH));
    let next = now + TimeDelta::from_std(wait).unwrap_or(LONGEST);
    (next - created_at <= LONGEST).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn wait(attempts: u32, wish: Option<u64>, random: f64) -> i64 {
        let wish = wish.map(Duration::from_secs);
        let next = next_attempt(at(0), attempts, wish, at(0), random).unwrap();
        (next - at(0)).num_seconds()
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=10).map(|attempts| wait(attempts, None, 0.5)).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(wait(u32::MAX, None, 0.5), 900);
        assert_eq!((wait(1, None, 0.0), wait(1, None, 1.0)), (4, 6));
    }

    #[test]
    fn a_channels_wish_is_heeded_up_to_an_hour() {
        assert_eq!(wait(1, Some(60), 0.5), 60);
        assert_eq!(wait(1, Some(1), 0.5), 5);
        assert_eq!(wait(1, Some(u64::MAX), 0.5), 3600);
    }

    #[test]
    fn after_a_day_it_is_given_up() {
        let day = 24 * 3600;
        assert!(next_attempt(at(0), 100, None, at(day - 1000), 0.5).is_some());
        assert!(next_attempt(at(0), 100, None, at(day - 100), 0.5).is_none());
    }
}
