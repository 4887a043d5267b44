//! The times of day that an expression names: every combination of its hours, minutes and seconds.

use super::bits::{at_or_after, at_or_before, below, has};

/// Seconds in a day of the wall clock.
pub(super) const DAY: i64 = 86_400;

/// Three sets whose product is the set of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// 0 to 59.
    pub(super) seconds: u64,
    /// 0 to 59.
    pub(super) minutes: u64,
    /// 0 to 23.
    pub(super) hours: u32,
}

/// A second of the day as hour, minute and second.
const fn split(second: u32) -> (u32, u32, u32) {
    (second / 3600, second / 60 % 60, second % 60)
}

impl Times {
    /// The first time at or after `second` of the day.
    pub(super) fn first_from(&self, second: u32) -> Option<u32> {
        let (h, m, s) = split(second);
        let hours = u64::from(self.hours);
        if has(hours, h) {
            if has(self.minutes, m)
                && let Some(s) = at_or_after(self.seconds, s)
            {
                return Some(h * 3600 + m * 60 + s);
            }
            if let Some(m) = at_or_after(self.minutes, m + 1) {
                return Some(h * 3600 + m * 60 + self.seconds.trailing_zeros());
            }
        }
        let h = at_or_after(hours, h + 1)?;
        Some(h * 3600 + self.minutes.trailing_zeros() * 60 + self.seconds.trailing_zeros())
    }

    /// The last time at or before `second` of the day.
    pub(super) fn last_until(&self, second: u32) -> Option<u32> {
        let (h, m, s) = split(second);
        let hours = u64::from(self.hours);
        let last_second = at_or_before(self.seconds, 59)?;
        let last_minute = at_or_before(self.minutes, 59)?;
        if has(hours, h) {
            if has(self.minutes, m)
                && let Some(s) = at_or_before(self.seconds, s)
            {
                return Some(h * 3600 + m * 60 + s);
            }
            if let Some(m) = m.checked_sub(1).and_then(|m| at_or_before(self.minutes, m)) {
                return Some(h * 3600 + m * 60 + last_second);
            }
        }
        let h = at_or_before(hours, h.checked_sub(1)?)?;
        Some(h * 3600 + last_minute * 60 + last_second)
    }

    /// How many times a whole day has.
    pub(super) fn in_a_day(&self) -> u64 {
        u64::from(self.hours.count_ones())
            * u64::from(self.minutes.count_ones())
            * u64::from(self.seconds.count_ones())
    }

    /// How many times are before `second` of the day.
    pub(super) fn before(&self, second: u32) -> u64 {
        let (h, m, s) = split(second);
        let hours = u64::from(self.hours);
        let a_minute = u64::from(self.seconds.count_ones());
        let an_hour = u64::from(self.minutes.count_ones()) * a_minute;
        let mut n = below(hours, h) * an_hour;
        if has(hours, h) {
            n += below(self.minutes, m) * a_minute;
            if has(self.minutes, m) {
                n += below(self.seconds, s);
            }
        }
        n
    }
}
