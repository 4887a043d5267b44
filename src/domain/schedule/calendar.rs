//! The moments of the wall clock that an expression names, as if no zone ever changed its offset.
//!
//! A moment is counted in seconds from 1970-01-01 00:00:00 of the wall clock. What daylight saving makes of these
//! moments is not decided here.

use super::{
    days::Days,
    times::{DAY, Times},
};

/// Dates and times of day; every combination is a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    /// On which dates.
    pub(super) days: Days,
    /// At which times.
    pub(super) times: Times,
}

/// Day and second of the day.
fn split(moment: i64) -> (i64, u32) {
    let second = u32::try_from(moment.rem_euclid(DAY)).unwrap_or(0);
    (moment.div_euclid(DAY), second)
}

impl Calendar {
    /// Whether the moment is named.
    pub(super) fn has(&self, moment: i64) -> bool {
        let (day, second) = split(moment);
        self.times.first_from(second) == Some(second) && self.days.has(day)
    }

    /// The first moment in `from..to`.
    pub(super) fn first(&self, from: i64, to: i64) -> Option<i64> {
        if from >= to {
            return None;
        }
        let (day, second) = split(from);
        let today = self.times.first_from(second).filter(|_| self.days.has(day));
        let found = if let Some(time) = today {
            day * DAY + i64::from(time)
        } else {
            let later = self.days.first(day + 1, split(to - 1).0 + 1)?;
            later * DAY + i64::from(self.times.first_from(0)?)
        };
        Some(found).filter(|moment| *moment < to)
    }

    /// The last moment in `from..to`.
    pub(super) fn last(&self, from: i64, to: i64) -> Option<i64> {
        if from >= to {
            return None;
        }
        let (day, second) = split(to - 1);
        let today = self.times.last_until(second).filter(|_| self.days.has(day));
        let found = if let Some(time) = today {
            day * DAY + i64::from(time)
        } else {
            let earlier = self.days.last(split(from).0, day)?;
            earlier * DAY + i64::from(self.times.last_until(86_399)?)
        };
        Some(found).filter(|moment| *moment >= from)
    }

    /// How many moments are in `from..to`.
    pub(super) fn count(&self, from: i64, to: i64) -> u64 {
        if from >= to {
            return 0;
        }
        let ((first, start), (last, end)) = (split(from), split(to));
        let whole = self.days.count(first, last) * self.times.in_a_day();
        let at_end = if self.days.has(last) {
            self.times.before(end)
        } else {
            0
        };
        let at_start = if self.days.has(first) {
            self.times.before(start)
        } else {
            0
        };
        whole + at_end - at_start
    }
}
