//! Windows on ordinary days and on those on which clocks change.

use chrono_tz::{Africa::Cairo, America::New_York, Australia::Lord_Howe, Europe::Berlin};
use proptest::prelude::*;

use super::*;
use crate::domain::schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn window(start: &str, end: &str, zone: Tz) -> Window {
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    Window {
        start: time(start),
        end: time(end),
        zone,
    }
}

fn cron(expression: &str, timezone: Tz) -> Box<dyn Schedule> {
    let kind = ScheduleKind::Cron {
        expression: expression.into(),
        timezone,
        dst_gap: DstGap::default(),
        dst_fold: DstFold::default(),
    };
    let spec = ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    };
    spec.compile(at("2026-01-01T00:00:00Z")).unwrap()
}

fn bot() -> BotName {
    BotName::parse("herald").unwrap()
}

#[test]
fn the_first_minute_is_in_the_window_and_the_last_is_not() {
    let window = window("09:00", "17:00", Tz::UTC);
    for (time, open) in [
        ("08:59:59.999", false),
        ("09:00:00", true),
        ("16:59:59.999", true),
        ("17:00:00", false),
    ] {
        let at = at(&format!("2026-03-04T{time}Z"));
        assert_eq!(window.day(at).is_some(), open, "{time}");
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_opens() {
    let window = window("22:00", "02:00", Tz::UTC);
    for (time, day) in [
        ("2026-03-04T21:59:00Z", None),
        ("2026-03-04T22:00:00Z", Some("2026-03-04")),
        ("2026-03-05T01:59:59Z", Some("2026-03-04")),
        ("2026-03-05T02:00:00Z", None),
    ] {
        let day = day.map(|day| day.parse().unwrap());
        assert_eq!(window.day(at(time)), day, "{time}");
    }
}

#[test]
fn equal_times_are_a_whole_day() {
    for start in ["00:00", "09:00"] {
        let window = window(start, start, Berlin);
        for hour in 0..24 {
            let at = at(&format!("2026-03-29T{hour:02}:30:00Z"));
            assert!(window.day(at).is_some(), "{start} {at}");
        }
    }
}

#[test]
fn clocks_that_change_open_a_window_by_what_they_show() {
    for (zone, start, end, expected) in [
        // Two to three does not exist on that day.
        (Berlin, "01:30", "02:30", "00:30-01:00"),
        (Berlin, "02:15", "02:45", ""),
        (Berlin, "02:30", "03:30", "01:00-01:30"),
        // Midnight to one does not exist.
        (Cairo, "23:00", "01:30", "21:00-22:30"),
    ] {
        let day = if zone == Cairo {
            "2026-04-23"
        } else {
            "2026-03-29"
        };
        assert_eq!(
            open(zone, start, end, day),
            expected,
            "{zone} {start}-{end}"
        );
    }
    for (start, end, expected) in [
        // Two to three comes twice: once in summer time, once in winter time.
        ("02:00", "03:00", "00:00-02:00"),
        ("01:00", "02:30", "23:00-00:30 01:00-01:30"),
        ("02:30", "04:00", "00:30-01:00 01:30-03:00"),
    ] {
        assert_eq!(
            open(Berlin, start, end, "2026-10-25"),
            expected,
            "{start}-{end}"
        );
    }
    assert_eq!(
        open(Lord_Howe, "01:00", "02:00", "2026-04-05"),
        "14:00-15:30"
    );
}

/// When the window of that day is open, in UTC.
fn open(zone: Tz, start: &str, end: &str, day: &str) -> String {
    let pieces = window(start, end, zone).pieces(day.parse().unwrap());
    let shown: Vec<String> = pieces
        .iter()
        .map(|piece| {
            format!(
                "{}-{}",
                piece.start.format("%H:%M"),
                piece.end.format("%H:%M")
            )
        })
        .collect();
    shown.join(" ")
}

#[test]
fn the_next_opening_is_a_minute_in_the_window() {
    for (zone, start, now, next) in [
        (
            Tz::UTC,
            "09:00",
            "2026-03-04T17:00:30Z",
            "2026-03-05T09:00:00Z",
        ),
        (
            Tz::UTC,
            "09:00",
            "2026-03-04T08:59:59Z",
            "2026-03-04T09:00:00Z",
        ),
        // Clocks jump over the opening.
        (
            Berlin,
            "02:30",
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            New_York,
            "09:00",
            "2026-03-08T03:00:00Z",
            "2026-03-08T13:00:00Z",
        ),
    ] {
        let window = window(start, "10:00", zone);
        assert_eq!(window.opens_after(at(now)), Some(at(next)), "{zone} {now}");
    }
}

#[test]
fn a_chosen_moment_is_one_of_the_slots_and_each_is_chosen_at_times() {
    let (window, slots) = (
        window("09:00", "17:00", Berlin),
        cron("0 0 * * * *", Berlin),
    );
    let mut hours = std::collections::BTreeMap::new();
    for day in at("2026-01-01T00:00:00Z")
        .date_naive()
        .iter_days()
        .take(800)
    {
        let chosen = window.choose(&bot(), day, Some(&*slots)).unwrap();
        assert_eq!(window.day(chosen), Some(day));
        assert_eq!(slots.next_from(chosen), Some(chosen));
        *hours.entry(wall::time(Berlin, chosen)).or_insert(0) += 1;
    }
    assert_eq!(hours.len(), 8, "{hours:?}");
    assert!(
        hours.values().all(|days| (60..=140).contains(days)),
        "{hours:?}"
    );
}

#[test]
fn a_choice_is_the_same_for_all_who_ask_and_another_for_another_bot() {
    let window = window("09:00", "17:00", Tz::UTC);
    let choose = |bot: &str, day: &str| {
        let bot = BotName::parse(bot).unwrap();
        window.choose(&bot, day.parse().unwrap(), None).unwrap()
    };
    assert_eq!(choose("a", "2026-03-04"), choose("a", "2026-03-04"));
    assert_ne!(choose("a", "2026-03-04"), choose("b", "2026-03-04"));
    assert_ne!(choose("a", "2026-03-04"), choose("a", "2026-03-05"));
    // Written down: no version may choose anew.
    assert_eq!(
        choose("a", "2026-03-04").to_rfc3339(),
        "2026-03-04T12:22:53+00:00"
    );
}

#[test]
fn a_window_without_a_slot_has_a_moment_and_one_that_never_opens_has_none() {
    let window_at_noon = window("12:00", "12:30", Tz::UTC);
    let slots = cron("0 45 * * * *", Tz::UTC);
    let day = "2026-03-04".parse().unwrap();
    let chosen = window_at_noon.choose(&bot(), day, Some(&*slots)).unwrap();
    assert_eq!(window_at_noon.day(chosen), Some(day));
    let never = window("02:15", "02:45", Berlin);
    let skipped = "2026-03-29".parse().unwrap();
    assert_eq!(never.choose(&bot(), skipped, Some(&*slots)), None);
}

fn some_window() -> impl Strategy<Value = Window> {
    let minute = || (0..1440_u32).prop_map(|n| NaiveTime::from_hms_opt(n / 60, n % 60, 0).unwrap());
    let zone = prop::sample::select(vec![Tz::UTC, Berlin, New_York, Cairo, Lord_Howe]);
    (minute(), minute(), zone).prop_map(|(start, end, zone)| Window { start, end, zone })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_chosen_slot_is_in_the_window_and_is_there_whenever_the_window_has_one(
        window in some_window(),
        day in 0..730_u64,
        step in prop::sample::select(vec!["*/7", "13", "0,30"]),
    ) {
        let day = "2026-01-01".parse::<NaiveDate>().unwrap() + chrono::Days::new(day);
        let slots = cron(&format!("0 {step} * * * *"), window.zone);
        let pieces = window.pieces(day);
        let all: Vec<Instant> = pieces
            .iter()
            .flat_map(|piece| {
                let first = slots.next_from(piece.start);
                std::iter::successors(first, |slot| slots.next_after(*slot))
                    .take_while(|slot| *slot < piece.end)
            })
            .collect();
        let chosen = window.choose(&bot(), day, Some(&*slots));
        match chosen {
            _ if !all.is_empty() => prop_assert!(all.contains(&chosen.unwrap())),
            Some(moment) => prop_assert_eq!(window.day(moment), Some(day)),
            None => prop_assert!(pieces.is_empty()),
        }
    }

    #[test]
    fn no_minute_between_now_and_the_next_opening_is_open(
        window in some_window(),
        minute in 0..1_000_000_i64,
    ) {
        let now = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(minute);
        let next = window.opens_after(now).unwrap();
        prop_assert!(window.day(next).is_some());
        let between = (next - now).num_minutes();
        for n in 1..between {
            prop_assert!(window.day(now + TimeDelta::minutes(n)).is_none());
        }
    }
}
