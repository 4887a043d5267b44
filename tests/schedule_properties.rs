//! Random expressions in random zones: no slot lost or doubled over any two years, by an oracle that asks for each named
//! wall-clock time of each day what the zone makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use actor_server::domain::{
    Instant,
    schedule::{DstFold, DstGap, Schedule, ScheduleKind, ScheduleSpec},
};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

/// A random expression, as sets and as text.
#[derive(Clone, Debug)]
struct Random {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    fixed: bool,
    of_month: Option<Vec<u32>>,
    months: Option<Vec<u32>>,
    /// 0 is Sunday.
    of_week: Option<Vec<u32>>,
    crontab: bool,
    zone: Tz,
    gap: DstGap,
    fold: DstFold,
}

fn list(set: &[u32]) -> String {
    let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
    texts.join(",")
}

impl Random {
    fn text(&self) -> String {
        let or_any = |set: &Option<Vec<u32>>| set.as_deref().map_or("*".into(), list);
        let hours = match (self.fixed, self.hours.len()) {
            (true, _) => list(&self.hours),
            (false, 24) => "*".into(),
            (false, n) => format!("*/{}", 24 / n),
        };
        let shift = u32::from(!self.crontab);
        let of_week = self.of_week.as_deref();
        let of_week = of_week.map(|set| set.iter().map(|n| n + shift).collect());
        format!(
            "{}{} {hours} {} {} {}",
            if self.crontab { "" } else { "0 " },
            list(&self.minutes),
            or_any(&self.of_month),
            or_any(&self.months),
            or_any(&of_week),
        )
    }

    fn spec(&self) -> ScheduleSpec {
        ScheduleSpec {
            kind: ScheduleKind::Cron {
                expression: self.text(),
                timezone: self.zone,
                dst_gap: self.gap,
                dst_fold: self.fold,
            },
            starts_at: None,
            ends_at: None,
        }
    }

    fn names(&self, date: NaiveDate) -> bool {
        let has = |set: &Option<Vec<u32>>, n| set.as_ref().is_none_or(|set| set.contains(&n));
        let by_month = has(&self.of_month, date.day());
        let by_week = has(&self.of_week, date.weekday().num_days_from_sunday());
        let both_restricted = self.of_month.is_some() && self.of_week.is_some();
        has(&self.months, date.month())
            && if self.crontab && both_restricted {
                by_month || by_week
            } else {
                by_month && by_week
            }
    }

    /// Every slot in `first..=last`.
    fn walked(&self, first: Instant, last: Instant) -> Vec<Instant> {
        let mut found = BTreeSet::new();
        let mut date = first.date_naive() - Days::new(3);
        while date <= last.date_naive() + Days::new(3) {
            if self.names(date) {
                for hour in &self.hours {
                    for minute in &self.minutes {
                        self.place(date.and_hms_opt(*hour, *minute, 0).unwrap(), &mut found);
                    }
                }
            }
            date = date + Days::new(1);
        }
        found.range(first..=last).copied().collect()
    }

    fn place(&self, moment: NaiveDateTime, found: &mut BTreeSet<Instant>) {
        let placed = self.zone.from_local_datetime(&moment);
        match (placed, self.fixed) {
            (chrono::LocalResult::Single(time), _) => {
                found.insert(time.to_utc());
            }
            (chrono::LocalResult::Ambiguous(one, two), fixed) => {
                if !fixed || self.fold != DstFold::Second {
                    found.insert(one.to_utc().min(two.to_utc()));
                }
                if !fixed || self.fold != DstFold::First {
                    found.insert(one.to_utc().max(two.to_utc()));
                }
            }
            (chrono::LocalResult::None, true) if self.gap == DstGap::RunAfter => {
                found.insert(self.after_gap(moment));
            }
            (chrono::LocalResult::None, _) => {}
        }
    }

    fn after_gap(&self, mut moment: NaiveDateTime) -> Instant {
        loop {
            moment += TimeDelta::minutes(1);
            if let Some(time) = self.zone.from_local_datetime(&moment).earliest() {
                return time.to_utc();
            }
        }
    }
}

fn hours() -> impl Strategy<Value = (Vec<u32>, bool)> {
    let every = |n: u32| (0..24).step_by(n as usize).collect::<Vec<_>>();
    prop_oneof![
        3 => subsequence((0..24).collect::<Vec<_>>(), 1..6).prop_map(|set| (set, true)),
        2 => subsequence((0..5).collect::<Vec<_>>(), 1..4).prop_map(|set| (set, true)),
        2 => select(vec![1, 2, 3, 6]).prop_map(move |n| (every(n), false)),
    ]
}

fn some_of(first: u32, last: u32, most: usize) -> impl Strategy<Value = Option<Vec<u32>>> {
    let all: Vec<u32> = (first..=last).collect();
    prop::option::weighted(0.4, subsequence(all, 1..=most))
}

fn randoms() -> impl Strategy<Value = Random> {
    let minutes = subsequence(vec![0, 1, 15, 29, 30, 45, 59], 1..4);
    let gap = select(vec![DstGap::RunAfter, DstGap::Skip]);
    let fold = select(vec![DstFold::First, DstFold::Second, DstFold::Both]);
    let dates = (some_of(1, 31, 8), some_of(1, 12, 8), some_of(0, 6, 5));
    let zone = select(TZ_VARIANTS.to_vec());
    (minutes, hours(), dates, any::<bool>(), zone, gap, fold).prop_map(
        |(minutes, (hours, fixed), (of_month, months, of_week), crontab, zone, gap, fold)| Random {
            minutes,
            hours,
            fixed,
            of_month,
            months,
            of_week,
            crontab,
            zone,
            gap,
            fold,
        },
    )
}

fn stepped(schedule: &dyn Schedule, first: Instant, last: Instant) -> Vec<Instant> {
    let next = schedule.next_from(first);
    let later = |slot: &Instant| schedule.next_after(*slot);
    std::iter::successors(next, later)
        .take_while(|slot| *slot <= last)
        .collect()
}

fn moment() -> impl Strategy<Value = Instant> {
    // From 1970 to 2099, to the microsecond.
    (0_i64..4_100_000_000, 0_u32..1_000_000)
        .prop_map(|(second, micros)| DateTime::from_timestamp(second, micros * 1_000).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_slot_is_lost_or_doubled_over_any_two_years_in_any_zone(
        random in randoms(),
        first in 1972_i32..2_036,
        parts in (0.0..1.0, 0.0..1.0),
    ) {
        let start = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let (first, last) = (start(first), start(first + 2));
        let Ok(schedule) = random.spec().compile(first) else {
            prop_assert!(random.walked(first, last).is_empty());
            return Ok(());
        };
        let expected = random.walked(first, last);
        prop_assert_eq!(&stepped(schedule.as_ref(), first, last), &expected, "{}", random.text());
        let length = (last - first).num_seconds() as f64;
        let cut = |part: f64| first + TimeDelta::seconds((length * part) as i64);
        let (from, to) = (cut(parts.0).min(cut(parts.1)), cut(parts.0).max(cut(parts.1)));
        let within: Vec<Instant> = expected.into_iter().filter(|slot| (from..=to).contains(slot)).collect();
        prop_assert_eq!(schedule.count(from, to), within.len() as u64);
        prop_assert_eq!(schedule.latest(from, to), within.last().copied());
    }
}

proptest! {
    #[test]
    fn the_next_slot_is_at_or_after_the_moment_and_nothing_lies_between(
        random in randoms(),
        from in moment(),
    ) {
        let Ok(schedule) = random.spec().compile(from) else { return Ok(()) };
        let Some(slot) = schedule.next_from(from) else { return Ok(()) };
        prop_assert!(slot >= from);
        prop_assert_eq!(schedule.count(from, slot), 1);
        prop_assert_eq!(schedule.latest(from, slot), Some(slot));
        prop_assert_eq!(schedule.next_from(slot), Some(slot));
        if let Some(later) = schedule.next_after(slot) {
            prop_assert!(later > slot);
            prop_assert_eq!(schedule.count(from, later), 2);
        }
        let micro = TimeDelta::microseconds(1);
        if slot > from {
            prop_assert_eq!(schedule.latest(from, slot - micro), None);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(
        text in prop_oneof!["\\PC{0,40}", "[0-9*/,@a-zA-Z? -]{0,40}", "([0-9*/,-]{1,4} ){4,7}"],
    ) {
        let spec = ScheduleSpec {
            kind: ScheduleKind::Cron {
                expression: text,
                timezone: Tz::UTC,
                dst_gap: DstGap::RunAfter,
                dst_fold: DstFold::First,
            },
            starts_at: None,
            ends_at: None,
        };
        let _ = (spec.describe(), spec.warnings());
        if let Ok(schedule) = spec.compile(DateTime::UNIX_EPOCH) {
            prop_assert!(schedule.next_from(DateTime::UNIX_EPOCH).is_some());
        }
    }

    #[test]
    fn six_fields_name_what_the_cron_crate_says_they_name(
        second in "(\\*|\\*/7|[0-5]?[0-9]|0-5|1,30)",
        minute in "(\\*|0/15|[0-5]?[0-9]|10-50/20)",
        hour in "(\\*|[01]?[0-9]|9-17|0,12)",
        day in "(\\*|\\?|[1-9]|1-15|10,20)",
        month in "(\\*|[1-9]|JAN-JUN|feb,AUG|December)",
        weekday in "(\\*|\\?|[1-7]|MON-FRI|sun,Thurs|2-6/2)",
        year in "(| \\*| 2026-2030| 2024/2)",
        from in 1_767_225_600_i64..1_800_000_000,
    ) {
        let text = format!("{second} {minute} {hour} {day} {month} {weekday}{year}");
        let Ok(theirs) = text.parse::<cron::Schedule>() else {
            return Ok(());
        };
        let spec = ScheduleSpec {
            kind: ScheduleKind::Cron {
                expression: text,
                timezone: Tz::UTC,
                dst_gap: DstGap::RunAfter,
                dst_fold: DstFold::First,
            },
            starts_at: None,
            ends_at: None,
        };
        let Ok(ours) = spec.compile(DateTime::UNIX_EPOCH) else {
            prop_assert_eq!(theirs.after(&DateTime::UNIX_EPOCH).next(), None);
            return Ok(());
        };
        let from = DateTime::from_timestamp(from, 0).unwrap();
        let expected: Vec<Instant> = theirs.after(&from).take(20).collect();
        let found: Vec<Instant> = std::iter::successors(ours.next_after(from), |slot| ours.next_after(*slot))
            .take(20)
            .collect();
        prop_assert_eq!(found, expected);
    }
}
