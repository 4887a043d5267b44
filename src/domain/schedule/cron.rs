//! Cron on the wall clock of a time zone, and what its clock changes do to it.
//!
//! An expression names moments of the wall clock. Between two changes of a zone's offset each of them is one moment in
//! UTC; at a change the rule depends on the hour field:
//!
//! * **Wildcard and stepped hours** (`*`, `*/2`, `0-23/3`, and a list or range of all 24) follow real time: a slot is
//!   every moment at which the wall clock shows a time that is named. In a fold both showings count; what lies in a
//!   gap is not shown, so it is no slot.
//! * **Fixed hours** (numbers, ranges and lists of them) mean one showing a day. All named moments inside one gap become
//!   one slot at the first moment after it (`run_after`; it may be a named moment itself), or none (`skip`). A named
//!   moment inside a fold is a slot at its first showing, at its second, or at both.
//!
//! The rule holds for every change of the offset, daylight saving or not, of whatever size: a gap of 30 minutes, one
//! over midnight, or a whole day that a zone skipped when it crossed the date line (its moments become one slot at the
//! next day's first moment).

use std::sync::Arc;

use chrono::{DateTime, Timelike};

use super::{
    DstFold, DstGap, Schedule,
    calendar::Calendar,
    zone::{Segment, Zone},
};
use crate::domain::Instant;

/// What a change of the offset means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtChange {
    /// Wildcard and stepped hours.
    RealTime,
    /// Fixed hours.
    Fixed(DstGap, DstFold),
}

/// A cron expression in a time zone.
#[derive(Debug)]
pub(super) struct Cron {
    /// What is named.
    pub(super) calendar: Calendar,
    /// Where.
    pub(super) zone: Arc<Zone>,
    /// The rule for gaps and folds.
    pub(super) at_change: AtChange,
}

impl Schedule for Cron {
    fn next_from(&self, from: Instant) -> Option<Instant> {
        let from = ceiling(from);
        let mut index = self.zone.index(from);
        while let Some(segment) = self.zone.segment(index) {
            if let Some(slot) = self.after_gap(segment).filter(|slot| *slot >= from) {
                return instant(slot);
            }
            let (low, high) = self.wall(segment);
            let low = low.max(from.saturating_add(segment.offset));
            if let Some(moment) = self.calendar.first(low, high) {
                return instant(moment - segment.offset);
            }
            index += 1;
        }
        None
    }

    fn latest(&self, first: Instant, last: Instant) -> Option<Instant> {
        let (first, last) = (ceiling(first), last.timestamp());
        let mut index = self.zone.index(last);
        loop {
            let segment = self.zone.segment(index)?;
            let (low, high) = self.part(segment, first, last);
            if let Some(moment) = self.calendar.last(low, high) {
                return instant(moment - segment.offset);
            }
            let after_gap = self.after_gap(segment);
            if let Some(slot) = after_gap.filter(|slot| (first..=last).contains(slot)) {
                return instant(slot);
            }
            if segment.start <= first {
                return None;
            }
            index = index.checked_sub(1)?;
        }
    }

    fn count(&self, first: Instant, last: Instant) -> u64 {
        let (first, last) = (ceiling(first), last.timestamp());
        if first > last {
            return 0;
        }
        (self.zone.index(first)..=self.zone.index(last))
            .filter_map(|index| self.zone.segment(index))
            .map(|segment| self.count_in(segment, first, last))
            .sum()
    }
}

impl Cron {
    fn count_in(&self, segment: Segment, first: i64, last: i64) -> u64 {
        let (low, high) = self.part(segment, first, last);
        let extra = self
            .after_gap(segment)
            .filter(|slot| (first..=last).contains(slot))
            .filter(|slot| !self.calendar.has(slot + segment.offset));
        self.calendar.count(low, high) + u64::from(extra.is_some())
    }

    /// The moments of the wall clock that count in this segment.
    fn wall(&self, segment: Segment) -> (i64, i64) {
        let Segment {
            start,
            end,
            offset,
            before,
            after,
        } = segment;
        match self.at_change {
            AtChange::Fixed(_, DstFold::First) => (start + offset.max(before), end + offset),
            AtChange::Fixed(_, DstFold::Second) => (start + offset, end + offset.min(after)),
            AtChange::Fixed(_, DstFold::Both) | AtChange::RealTime => {
                (start + offset, end + offset)
            }
        }
    }

    /// Those of them that are in `first..=last`.
    fn part(&self, segment: Segment, first: i64, last: i64) -> (i64, i64) {
        let (low, high) = self.wall(segment);
        (
            low.max(first.saturating_add(segment.offset)),
            high.min(last.saturating_add(1).saturating_add(segment.offset)),
        )
    }

    /// The slot at the segment's start that stands for everything named in the gap before it.
    fn after_gap(&self, segment: Segment) -> Option<i64> {
        let AtChange::Fixed(DstGap::RunAfter, _) = self.at_change else {
            return None;
        };
        let Segment {
            start,
            offset,
            before,
            ..
        } = segment;
        self.calendar
            .first(start + before, start + offset)
            .map(|_| start)
    }
}

/// The first whole second at or after.
fn ceiling(time: Instant) -> i64 {
    time.timestamp() + i64::from(time.nanosecond() > 0)
}

fn instant(second: i64) -> Option<Instant> {
    DateTime::from_timestamp(second, 0)
}
