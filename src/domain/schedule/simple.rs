//! Schedules without a calendar: a grid of equal intervals, and a single slot.

use chrono::{DateTime, TimeDelta};

use super::Schedule;
use crate::domain::Instant;

/// Every so many seconds from the anchor on; the anchor is the first slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// The first slot.
    pub(super) anchor: Instant,
    /// At least 1.
    pub(super) seconds: u32,
}

impl Interval {
    fn slot(&self, number: i128) -> Option<Instant> {
        let seconds = i64::try_from(number * i128::from(self.seconds)).ok()?;
        self.anchor
            .checked_add_signed(TimeDelta::try_seconds(seconds)?)
    }

    /// The number of the last slot at or before `time`; negative if there is none.
    fn number(&self, time: Instant) -> i128 {
        nanos(time - self.anchor).div_euclid(i128::from(self.seconds) * 1_000_000_000)
    }
}

impl Schedule for Interval {
    fn next_from(&self, from: Instant) -> Option<Instant> {
        let number = self.number(from);
        if number >= 0 && self.slot(number) == Some(from) {
            return Some(from);
        }
        self.slot((number + 1).max(0))
    }

    fn latest(&self, first: Instant, last: Instant) -> Option<Instant> {
        let number = self.number(last);
        (number >= 0)
            .then(|| self.slot(number))?
            .filter(|slot| *slot >= first)
    }

    fn count(&self, first: Instant, last: Instant) -> u64 {
        if first > last {
            return 0;
        }
        let until = (self.number(last) + 1).max(0);
        let before = match self.next_from(first) {
            Some(slot) => self.number(slot),
            None => return 0,
        };
        u64::try_from(until - before).unwrap_or(0)
    }
}

fn nanos(delta: TimeDelta) -> i128 {
    i128::from(delta.num_seconds()) * 1_000_000_000 + i128::from(delta.subsec_nanos())
}

/// One slot ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single {
    /// The slot.
    pub(super) at: Instant,
}

impl Schedule for Single {
    fn next_from(&self, from: Instant) -> Option<Instant> {
        (self.at >= from).then_some(self.at)
    }

    fn latest(&self, first: Instant, last: Instant) -> Option<Instant> {
        (first..=last).contains(&self.at).then_some(self.at)
    }

    fn count(&self, first: Instant, last: Instant) -> u64 {
        u64::from((first..=last).contains(&self.at))
    }
}

/// The slots of another schedule that are in a range, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounded<S> {
    /// The other schedule.
    pub(super) inner: S,
    /// No slot is earlier.
    pub(super) first: Instant,
    /// No slot is later.
    pub(super) last: Instant,
}

impl<S> Bounded<S> {
    /// Within `starts_at` and `ends_at`.
    pub(super) fn new(inner: S, first: Option<Instant>, last: Option<Instant>) -> Self {
        Self {
            inner,
            first: first.unwrap_or(DateTime::<chrono::Utc>::MIN_UTC),
            last: last.unwrap_or(DateTime::<chrono::Utc>::MAX_UTC),
        }
    }
}

impl<S: Schedule> Schedule for Bounded<S> {
    fn next_from(&self, from: Instant) -> Option<Instant> {
        self.inner
            .next_from(from.max(self.first))
            .filter(|slot| *slot <= self.last)
    }

    fn latest(&self, first: Instant, last: Instant) -> Option<Instant> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        if first > last {
            return None;
        }
        self.inner.latest(first, last)
    }

    fn count(&self, first: Instant, last: Instant) -> u64 {
        let (first, last) = (first.max(self.first), last.min(self.last));
        if first > last {
            return 0;
        }
        self.inner.count(first, last)
    }
}
