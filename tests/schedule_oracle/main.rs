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

mod civil;
mod patterns;

use std::collections::{BTreeMap, HashMap};

use actor_server::domain::{
    Instant,
    schedule::{DstFold, DstGap, Schedule, ScheduleKind, ScheduleSpec},
};
use chrono::{DateTime, Offset, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use civil::{Change, changes, other_offset, placed, quarters, walked};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use patterns::patterns;

/// A quarter of an hour: every offset since 2000 is a multiple of it.
const QUARTER: i64 = 900;
const WINDOW: i64 = 26 * 3600;
const FROM: i64 = 946_684_800; // 2000-01-01
const UNTIL: i64 = 2_145_916_800; // 2038-01-01

fn our_offset(zone: Tz, time: i64) -> i64 {
    let time = DateTime::from_timestamp(time, 0).unwrap().naive_utc();
    zone.offset_from_utc_datetime(&time)
        .fix()
        .local_minus_utc()
        .into()
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
    let quarters = quarters(zone, window);
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
