//! Every zone, every change of its offset from 2000 to 2037: slots against an oracle that walks the civil time of another
//! library with its own copy of the zone database.
//!
//! Where the two copies tell different offsets around a change they are of different age; those changes are left
//! out, counted, and there must be few of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and says what it left out"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actor_server::domain::{
    Instant,
    schedule::{DstFold, DstGap, Schedule, ScheduleKind, ScheduleSpec},
};
use chrono::{DateTime, Offset, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::{
    Timestamp,
    civil::{self, DateTime as Civil},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

const QUARTER: i64 = 900;
const WINDOW: i64 = 26 * 3600;
const FROM: i64 = 946_684_800; // 2000-01-01
const UNTIL: i64 = 2_145_916_800; // 2038-01-01

/// A change of the offset, as the other library tells it.
#[derive(Clone, Copy)]
struct Change {
    at: i64,
    before: i64,
    after: i64,
}

/// What an expression names each day: hours and minutes.
struct Pattern {
    hours: Hours,
    minutes: &'static [i8],
    /// Named in the text instead of `*`.
    date: Option<civil::Date>,
}

enum Hours {
    Every,
    Stepped(i8),
    Fixed(Vec<i8>),
}

impl Pattern {
    fn text(&self) -> String {
        let list = |set: &[i8]| {
            let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
            texts.join(",")
        };
        let hours = match &self.hours {
            Hours::Every => "*".into(),
            Hours::Stepped(step) => format!("*/{step}"),
            Hours::Fixed(hours) => list(hours),
        };
        let date = self.date.map_or("* *".into(), |date| {
            format!("{} {}", date.day(), date.month())
        });
        format!("0 {} {hours} {date} *", list(self.minutes))
    }

    fn names(&self, moment: Civil) -> bool {
        let hour = match &self.hours {
            Hours::Every => true,
            Hours::Stepped(step) => moment.hour() % step == 0,
            Hours::Fixed(hours) => hours.contains(&moment.hour()),
        };
        hour && self.minutes.contains(&moment.minute())
            && moment.second() == 0
            && self
                .date
                .is_none_or(|date| (date.day(), date.month()) == (moment.day(), moment.month()))
    }
}

fn other_offset(zone: &TimeZone, time: i64) -> i64 {
    let time = Timestamp::from_second(time).unwrap();
    zone.to_offset(time).seconds().into()
}

fn our_offset(zone: Tz, time: i64) -> i64 {
    let time = DateTime::from_timestamp(time, 0).unwrap().naive_utc();
    zone.offset_from_utc_datetime(&time)
        .fix()
        .local_minus_utc()
        .into()
}

fn changes(zone: &TimeZone) -> Vec<Change> {
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
fn walked(quarters: &[(i64, Civil)], pattern: &Pattern) -> Vec<i64> {
    quarters
        .iter()
        .filter(|(_, moment)| pattern.names(*moment))
        .map(|(time, _)| *time)
        .collect()
}

/// Fixed hours: every named civil time of the days around, placed by the other library.
fn placed(
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

fn place(zone: &TimeZone, moment: Civil, gap: DstGap, fold: DstFold, found: &mut BTreeSet<i64>) {
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

fn instant(time: i64) -> Instant {
    DateTime::from_timestamp(time, 0).unwrap()
}

/// Compiled schedules of one zone.
struct Compiled {
    zone: Tz,
    known: HashMap<(String, u8), Box<dyn Schedule>>,
}

impl Compiled {
    fn slots(
        &mut self,
        text: String,
        gap: DstGap,
        fold: DstFold,
        (first, last): (i64, i64),
    ) -> Vec<i64> {
        let key = (text, gap as u8 * 3 + fold as u8);
        let spec = |text: &str| ScheduleSpec {
            kind: ScheduleKind::Cron {
                expression: text.into(),
                timezone: self.zone,
                dst_gap: gap,
                dst_fold: fold,
            },
            starts_at: None,
            ends_at: None,
        };
        let compile = |text: &str| spec(text).compile(DateTime::UNIX_EPOCH).unwrap();
        let made = compile_once(&mut self.known, key, compile);
        let (first, last) = (instant(first), instant(last));
        let mut found = Vec::new();
        let mut next = made.next_from(first);
        while let Some(slot) = next.filter(|slot| *slot <= last) {
            found.push(slot.timestamp());
            next = made.next_after(slot);
        }
        assert_eq!(made.count(first, last), found.len() as u64);
        assert_eq!(
            made.latest(first, last).map(|slot| slot.timestamp()),
            found.last().copied()
        );
        found
    }
}

fn compile_once(
    known: &mut HashMap<(String, u8), Box<dyn Schedule>>,
    key: (String, u8),
    compile: impl Fn(&str) -> Box<dyn Schedule>,
) -> &dyn Schedule {
    let text = key.0.clone();
    &**known.entry(key).or_insert_with(|| compile(&text))
}

/// Patterns in and around the times that the change skips or repeats.
fn patterns(change: Change) -> (Vec<Pattern>, Vec<Pattern>) {
    let wall = |time: i64| {
        let seconds = time.div_euclid(QUARTER) * QUARTER;
        jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(seconds).unwrap())
    };
    let low = change.at + change.before.min(change.after);
    let high = change.at + change.before.max(change.after);
    let middle = wall(low + (high - low) / 2);
    let (hour, date) = (middle.hour(), middle.date());
    let around = |n: i8| (hour + n).rem_euclid(24);
    let fixed = |hours: Vec<i8>, minutes, date| Pattern {
        hours: Hours::Fixed(hours),
        minutes,
        date,
    };
    let real = |hours, minutes, date| Pattern {
        hours,
        minutes,
        date,
    };
    (
        vec![
            fixed(vec![hour], &[30], None),
            fixed(vec![wall(low).hour()], &[0, 15, 30, 45], Some(date)),
            fixed(vec![around(-1), hour, around(1)], &[0, 45], None),
        ],
        vec![
            real(Hours::Every, &[0, 30], None),
            real(Hours::Every, &[15], Some(date)),
            real(Hours::Stepped(2), &[0, 30], None),
        ],
    )
}

const POLICIES: [(DstGap, DstFold); 6] = [
    (DstGap::RunAfter, DstFold::First),
    (DstGap::RunAfter, DstFold::Second),
    (DstGap::RunAfter, DstFold::Both),
    (DstGap::Skip, DstFold::First),
    (DstGap::Skip, DstFold::Second),
    (DstGap::Skip, DstFold::Both),
];

fn compare(zone: &TimeZone, compiled: &mut Compiled, change: Change) {
    let window = (change.at - WINDOW, change.at + WINDOW);
    let first = (window.0 + QUARTER - 1).div_euclid(QUARTER) * QUARTER;
    let quarters: Vec<(i64, Civil)> = (first..=window.1)
        .step_by(QUARTER as usize)
        .map(|time| {
            (
                time,
                zone.to_datetime(Timestamp::from_second(time).unwrap()),
            )
        })
        .collect();
    let (fixed, real) = patterns(change);
    for pattern in real {
        let expected = walked(&quarters, &pattern);
        let text = pattern.text();
        let found = compiled.slots(text.clone(), DstGap::RunAfter, DstFold::First, window);
        assert_eq!(
            found, expected,
            "`{text}` in {} at {}",
            compiled.zone, change.at
        );
    }
    for pattern in fixed {
        for (gap, fold) in POLICIES {
            let expected = placed(zone, window, &pattern, gap, fold);
            let text = pattern.text();
            let found = compiled.slots(text.clone(), gap, fold, window);
            assert_eq!(
                found, expected,
                "`{text}` {gap:?} {fold:?} in {} at {}",
                compiled.zone, change.at
            );
        }
    }
}

/// Whether both copies tell the same offsets around the change.
fn agree(zone: Tz, other: &TimeZone, change: Change) -> bool {
    let edges = [change.at - 1, change.at];
    let grid = (change.at - WINDOW - 3 * 86_400..=change.at + WINDOW + 3 * 86_400)
        .step_by(4 * QUARTER as usize);
    edges
        .into_iter()
        .chain(grid)
        .all(|time| our_offset(zone, time) == other_offset(other, time))
}

#[derive(Default)]
struct Tally {
    zones: usize,
    compared: usize,
    left_out: BTreeMap<&'static str, usize>,
    differing: BTreeMap<&'static str, usize>,
}

fn compare_zone(zone: Tz, other: &TimeZone, tally: &mut Tally) {
    let mut compiled = Compiled {
        zone,
        known: HashMap::new(),
    };
    tally.zones += 1;
    let differing = (FROM..UNTIL)
        .step_by(86_400)
        .filter(|time| our_offset(zone, *time) != other_offset(other, *time))
        .count();
    if differing > 0 {
        tally.differing.insert(zone.name(), differing);
    }
    for change in changes(other) {
        assert_eq!(change.before % QUARTER, 0);
        assert_eq!(change.after % QUARTER, 0);
        if agree(zone, other, change) {
            compare(other, &mut compiled, change);
            tally.compared += 1;
        } else {
            *tally.left_out.entry(zone.name()).or_default() += 1;
        }
    }
}

fn compare_every(of: usize, share: usize) -> Tally {
    let database = TimeZoneDatabase::bundled();
    let mut tally = Tally::default();
    for zone in TZ_VARIANTS.iter().skip(share).step_by(of) {
        let other = database
            .get(zone.name())
            .unwrap_or_else(|_| panic!("the other copy has no {zone}"));
        compare_zone(*zone, &other, &mut tally);
    }
    tally
}

#[test]
fn every_change_of_every_zone_from_2000_to_2037_agrees_with_another_library() {
    const THREADS: usize = 4;
    let start = tokio::time::Instant::now();
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|share| scope.spawn(move || compare_every(THREADS, share)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let zones: usize = tallies.iter().map(|tally| tally.zones).sum();
    let compared: usize = tallies.iter().map(|tally| tally.compared).sum();
    let left_out: BTreeMap<_, _> = tallies.iter().flat_map(|tally| &tally.left_out).collect();
    let differing: BTreeMap<_, _> = tallies.iter().flat_map(|tally| &tally.differing).collect();
    println!(
        "{compared} changes of {zones} zones compared in {:?}",
        start.elapsed()
    );
    println!("changes left out: {left_out:?}");
    println!("days on which the copies differ: {differing:?}");
    assert_eq!(zones, TZ_VARIANTS.len());
    assert!(compared > 16_500, "{compared}");
    assert!(
        left_out.values().copied().sum::<usize>() <= 100,
        "{left_out:?}"
    );
    assert!(differing.len() <= 16, "{differing:?}");
    assert!(left_out.keys().all(|zone| differing.contains_key(*zone)));
}
