//! The offsets of a time zone as a list of changes, found once per zone and kept.
//!
//! The time zone crate answers what the offset is at a moment, and not when it changes next; the changes are found by
//! probing every few days and halving the interval. No zone goes to another offset and back within one step; a test
//! compares every zone with another implementation.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::{days::END_OF_DAYS, times::DAY};

/// No slot is before or after these, in any zone; seconds in UTC.
const START: i64 = -2 * DAY;
const END: i64 = (END_OF_DAYS + 2) * DAY;

const STEP: i64 = 4 * DAY;

static ZONES: LazyLock<Mutex<HashMap<Tz, Arc<Zone>>>> = LazyLock::new(Mutex::default);

/// The offsets of one zone, in seconds east of UTC.
#[derive(Debug)]
pub(super) struct Zone {
    first: i32,
    /// From when (seconds in UTC) which offset holds.
    changes: Box<[(i64, i32)]>,
}

/// A stretch of time with one offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first second, in UTC.
    pub(super) start: i64,
    /// The second after the last one, in UTC.
    pub(super) end: i64,
    /// The offset.
    pub(super) offset: i64,
    /// The offset before `start`; the same as `offset` if there is nothing before.
    pub(super) before: i64,
    /// The offset from `end` on; the same as `offset` if there is nothing after.
    pub(super) after: i64,
}

impl Zone {
    /// The offsets of `tz`.
    pub(super) fn of(tz: Tz) -> Arc<Self> {
        let mut zones = ZONES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(zones.entry(tz).or_insert_with(|| Arc::new(Self::found(tz))))
    }

    fn found(tz: Tz) -> Self {
        let first = offset(tz, START);
        let mut changes = Vec::new();
        let (mut time, mut current) = (START, first);
        while time < END {
            let step = time + STEP;
            let new = offset(tz, step);
            if new == current {
                time = step;
            } else {
                time = change(tz, time, step, current);
                current = offset(tz, time);
                changes.push((time, current));
            }
        }
        Self {
            first,
            changes: changes.into(),
        }
    }

    /// The number of the segment that holds `time`.
    pub(super) fn index(&self, time: i64) -> usize {
        self.changes.partition_point(|(from, _)| *from <= time)
    }

    /// The segment of that number.
    pub(super) fn segment(&self, index: usize) -> Option<Segment> {
        let at = |n: usize| self.changes.get(n).copied();
        let previous = index.checked_sub(1);
        let (start, offset) = match previous {
            None => (START, self.first),
            Some(n) => at(n)?,
        };
        let before = match previous {
            None => offset,
            Some(n) => n.checked_sub(1).and_then(at).map_or(self.first, |c| c.1),
        };
        let (end, after) = at(index).unwrap_or((END, offset));
        Some(Segment {
            start,
            end,
            offset: offset.into(),
            before: before.into(),
            after: after.into(),
        })
    }
}

fn offset(tz: Tz, time: i64) -> i32 {
    let time = DateTime::from_timestamp(time, 0).unwrap_or_default();
    tz.offset_from_utc_datetime(&time.naive_utc())
        .fix()
        .local_minus_utc()
}

/// The first second after `low` whose offset is not `current` any more; at `high` it is another.
fn change(tz: Tz, mut low: i64, mut high: i64, current: i32) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(tz, middle) == current {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, tz::TimeZoneDatabase};

    fn offset_by_segment(zone: &Zone, time: i64) -> i64 {
        zone.segment(zone.index(time)).unwrap().offset
    }

    #[test]
    fn no_change_that_another_library_knows_of_is_stepped_over() {
        let other = TimeZoneDatabase::bundled();
        for tz in chrono_tz::TZ_VARIANTS {
            let zone = Zone::of(tz);
            let start = Timestamp::from_second(START).unwrap();
            let changes = other.get(tz.name()).unwrap();
            for known in changes.following(start) {
                let time = known.timestamp().as_second();
                if time >= END {
                    break;
                }
                for time in [time - 1, time, time + 1] {
                    let expected = i64::from(offset(tz, time));
                    assert_eq!(offset_by_segment(&zone, time), expected, "{tz} {time}");
                }
            }
        }
    }

    #[test]
    fn segments_join_and_are_longer_than_any_gap_or_fold() {
        for tz in chrono_tz::TZ_VARIANTS {
            let zone = Zone::of(tz);
            let segments: Vec<_> = (0..).map_while(|n| zone.segment(n)).collect();
            assert_eq!(segments.first().unwrap().start, START);
            assert_eq!(segments.last().unwrap().end, END);
            for pair in segments.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!(pair[0].after, pair[1].offset);
                assert_eq!(pair[0].offset, pair[1].before);
                assert_ne!(pair[0].offset, pair[1].offset);
                assert!(pair[1].end - pair[1].start > 2 * DAY, "{tz} {pair:?}");
            }
        }
    }
}
