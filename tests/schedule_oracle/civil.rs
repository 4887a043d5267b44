//! The oracle: what another library says that the civil time is, and where it places a civil time.

use std::collections::BTreeSet;

use actor_server::domain::schedule::{DstFold, DstGap};
use jiff::{
    Timestamp,
    civil::DateTime as Civil,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::{
    FROM, QUARTER, UNTIL,
    patterns::{Hours, Pattern},
};

/// A change of the offset, as the other library tells it.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) at: i64,
    pub(crate) before: i64,
    pub(crate) after: i64,
}

pub(crate) fn other_offset(zone: &TimeZone, time: i64) -> i64 {
    let time = Timestamp::from_second(time).unwrap();
    zone.to_offset(time).seconds().into()
}

pub(crate) fn changes(zone: &TimeZone) -> Vec<Change> {
    let start = Timestamp::from_second(FROM).unwrap();
    let mut before = other_offset(zone, FROM);
    let mut found = Vec::new();
    for change in zone.following(start) {
        let at = change.timestamp().as_second();
        let after = change.offset().seconds().into();
        if at >= UNTIL {
            break;
        }
        if after != before {
            found.push(Change { at, before, after });
        }
        before = after;
    }
    found
}

/// Real time: every quarter of an hour whose civil time is named.
pub(crate) fn walked(quarters: &[(i64, Civil)], pattern: &Pattern) -> Vec<i64> {
    quarters
        .iter()
        .filter(|(_, moment)| pattern.names(*moment))
        .map(|(time, _)| *time)
        .collect()
}

/// Fixed hours: every named civil time of the days around, placed by the other library.
pub(crate) fn placed(
    zone: &TimeZone,
    (first, last): (i64, i64),
    pattern: &Pattern,
    gap: DstGap,
    fold: DstFold,
) -> Vec<i64> {
    let Hours::Fixed(hours) = &pattern.hours else {
        panic!("no fixed hours");
    };
    let mut found = BTreeSet::new();
    let day = |time: i64| {
        Timestamp::from_second(time)
            .unwrap()
            .to_zoned(zone.clone())
            .date()
    };
    let mut date = day(first - 2 * 86_400);
    let end = day(last + 2 * 86_400);
    while date <= end {
        for hour in hours {
            for minute in pattern.minutes {
                let moment = date.at(*hour, *minute, 0, 0);
                if pattern.names(moment) {
                    place(zone, moment, gap, fold, &mut found);
                }
            }
        }
        date = date.tomorrow().unwrap();
    }
    found.range(first..=last).copied().collect()
}

pub(crate) fn place(
    zone: &TimeZone,
    moment: Civil,
    gap: DstGap,
    fold: DstFold,
    found: &mut BTreeSet<i64>,
) {
    let with = |offset: jiff::tz::Offset| offset.to_timestamp(moment).unwrap();
    match zone.to_ambiguous_timestamp(moment).offset() {
        AmbiguousOffset::Unambiguous { offset } => {
            found.insert(with(offset).as_second());
        }
        AmbiguousOffset::Gap { before, .. } => {
            if gap == DstGap::RunAfter {
                // `before` places it after the change, by as much as it lies inside the gap.
                let later = with(before).as_second() + 1;
                let later = Timestamp::from_second(later).unwrap();
                let change = zone.preceding(later).next().unwrap();
                found.insert(change.timestamp().as_second());
            }
        }
        AmbiguousOffset::Fold { before, after } => {
            if fold != DstFold::Second {
                found.insert(with(before).as_second());
            }
            if fold != DstFold::First {
                found.insert(with(after).as_second());
            }
        }
    }
}

/// Every quarter of an hour of a window, with its civil time.
pub(crate) fn quarters(zone: &TimeZone, window: (i64, i64)) -> Vec<(i64, Civil)> {
    let first = (window.0 + QUARTER - 1).div_euclid(QUARTER) * QUARTER;
    (first..=window.1)
        .step_by(QUARTER as usize)
        .map(|time| {
            (
                time,
                zone.to_datetime(Timestamp::from_second(time).unwrap()),
            )
        })
        .collect()
}
