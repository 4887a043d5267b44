//! Tables of what expressions mean: both clock changes of two zones, dates that do not exist, and crontab lines against
//! six fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use actor_server::domain::{
    Instant,
    schedule::{DstFold, DstGap, Schedule, ScheduleKind, ScheduleSpec},
};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn spec(expression: &str, zone: &str, dst_gap: DstGap, dst_fold: DstFold) -> ScheduleSpec {
    ScheduleSpec {
        kind: ScheduleKind::Cron {
            expression: expression.into(),
            timezone: zone.parse().unwrap(),
            dst_gap,
            dst_fold,
        },
        starts_at: None,
        ends_at: None,
    }
}

fn plain(expression: &str, zone: &str) -> ScheduleSpec {
    spec(expression, zone, DstGap::default(), DstFold::default())
}

fn error(expression: &str) -> String {
    match plain(expression, "UTC").compile(at("2026-01-01T00:00:00Z")) {
        Ok(_) => panic!("`{expression}` was taken"),
        Err(why) => why,
    }
}

/// The slots in `from..=to`, by stepping; the other questions must agree with them.
fn slots(spec: &ScheduleSpec, from: &str, to: &str) -> Vec<String> {
    let schedule = spec.compile(at("2026-01-01T00:00:00Z")).unwrap();
    let (from, to) = (at(from), at(to));
    let mut found = Vec::new();
    let mut next = schedule.next_from(from);
    while let Some(slot) = next.filter(|slot| *slot <= to) {
        found.push(slot);
        next = schedule.next_after(slot);
    }
    assert!(found.is_sorted_by(|a, b| a < b));
    assert_eq!(schedule.count(from, to), found.len() as u64);
    assert_eq!(schedule.latest(from, to), found.last().copied());
    found
        .iter()
        .map(|slot| slot.format("%m-%dT%H:%M:%S").to_string())
        .collect()
}

/// The slots of a day (or so) around a clock change.
fn changes(expression: &str, zone: &str, gap: DstGap, fold: DstFold, day: &str) -> Vec<String> {
    slots(
        &spec(expression, zone, gap, fold),
        &format!("{day}T00:00:00Z"),
        &format!("{day}T12:00:00Z"),
    )
}

#[test]
fn a_fixed_hour_in_the_new_york_gap_runs_right_after_it_or_not_at_all() {
    let around = |gap| {
        changes(
            "0 30 2 * * *",
            "America/New_York",
            gap,
            DstFold::First,
            "2026-03-08",
        )
    };
    assert_eq!(around(DstGap::RunAfter), ["03-08T07:00:00"]);
    assert!(around(DstGap::Skip).is_empty());
}

#[test]
fn a_fixed_hour_in_the_new_york_fold_runs_first_second_or_twice() {
    let around = |fold| {
        changes(
            "0 30 1 * * *",
            "America/New_York",
            DstGap::RunAfter,
            fold,
            "2026-11-01",
        )
    };
    assert_eq!(around(DstFold::First), ["11-01T05:30:00"]);
    assert_eq!(around(DstFold::Second), ["11-01T06:30:00"]);
    assert_eq!(around(DstFold::Both), ["11-01T05:30:00", "11-01T06:30:00"]);
}

#[test]
fn many_minutes_of_a_fixed_hour_in_the_berlin_gap_become_one_slot() {
    let around = |expression| {
        changes(
            expression,
            "Europe/Berlin",
            DstGap::RunAfter,
            DstFold::First,
            "2026-03-29",
        )
    };
    assert_eq!(around("0 */10 2 * * *"), ["03-29T01:00:00"]);
    assert_eq!(
        around("0 0,30 2,3 * * *"),
        ["03-29T01:00:00", "03-29T01:30:00"],
        "and the slot after the gap is named itself"
    );
    assert_eq!(around("15 15 2 * * *"), ["03-29T01:00:00"]);
}

#[test]
fn many_minutes_of_a_fixed_hour_in_the_berlin_fold_keep_to_one_showing() {
    let around = |fold| {
        changes(
            "0 */30 2 * * *",
            "Europe/Berlin",
            DstGap::Skip,
            fold,
            "2026-10-25",
        )
    };
    assert_eq!(around(DstFold::First), ["10-25T00:00:00", "10-25T00:30:00"]);
    assert_eq!(
        around(DstFold::Second),
        ["10-25T01:00:00", "10-25T01:30:00"]
    );
    assert_eq!(around(DstFold::Both).len(), 4);
}

#[test]
fn wildcard_and_stepped_hours_follow_real_time() {
    for expression in ["0 */30 * * * *", "*/30 * * * *", "0 */30 0-23 * * *"] {
        for day in ["2026-03-29", "2026-10-25", "2026-06-01"] {
            let found = changes(
                expression,
                "Europe/Berlin",
                DstGap::RunAfter,
                DstFold::First,
                day,
            );
            assert_eq!(found.len(), 25, "{expression} on {day}");
        }
    }
    let stepped = |day| {
        changes(
            "0 0 */2 * * *",
            "Europe/Berlin",
            DstGap::RunAfter,
            DstFold::First,
            day,
        )
    };
    assert_eq!(
        stepped("2026-03-29")[..2],
        ["03-29T02:00:00", "03-29T04:00:00"],
        "what lies in the gap does not exist"
    );
    assert_eq!(
        stepped("2026-10-25")[..3],
        ["10-25T00:00:00", "10-25T01:00:00", "10-25T03:00:00"],
        "both showings of 02:00"
    );
}

#[test]
fn a_gap_of_half_an_hour_moves_only_what_is_in_it() {
    // 2026-10-04 02:00+10:30 becomes 02:30+11:00.
    let found = slots(
        &plain("0 15,45 2 * * *", "Australia/Lord_Howe"),
        "2026-10-03T12:00:00Z",
        "2026-10-03T20:00:00Z",
    );
    assert_eq!(found, ["10-03T15:30:00", "10-03T15:45:00"]);
}

#[test]
fn a_gap_over_midnight_keeps_the_days_slot() {
    let found = slots(
        &plain("0 0 0 * * *", "America/Sao_Paulo"),
        "2018-11-03T00:00:00Z",
        "2018-11-05T12:00:00Z",
    );
    assert_eq!(
        found,
        ["11-03T03:00:00", "11-04T03:00:00", "11-05T02:00:00"]
    );
}

#[test]
fn a_day_that_a_zone_skipped_becomes_one_slot_or_none() {
    let around = |gap| {
        slots(
            &spec("0 0 9,17 * * *", "Pacific/Apia", gap, DstFold::First),
            "2011-12-30T00:00:00Z",
            "2011-12-31T10:00:00Z",
        )
    };
    assert_eq!(
        around(DstGap::RunAfter),
        [
            "12-30T03:00:00",
            "12-30T10:00:00",
            "12-30T19:00:00",
            "12-31T03:00:00"
        ]
    );
    assert_eq!(
        around(DstGap::Skip),
        ["12-30T03:00:00", "12-30T19:00:00", "12-31T03:00:00"]
    );
}

#[test]
fn impossible_dates_are_refused_when_read() {
    for expression in [
        "0 0 0 30 2 *",
        "0 0 30 2 *",
        "0 0 0 31 4,6,9,11 * *",
        "0 0 0 29 2 * 2025",
        "0 0 0 29 2 * 2100",
        "0 0 0 29 2 MON 2024",
    ] {
        assert!(
            error(expression).contains("no such date exists"),
            "{expression}"
        );
    }
}

#[test]
fn rare_dates_are_found_far_ahead() {
    let rare = plain("0 0 12 29 2 SUN", "UTC");
    let next = rare
        .compile(at("2026-01-01T00:00:00Z"))
        .unwrap()
        .next_from(at("2026-01-01T00:00:00Z"));
    assert_eq!(next, Some(at("2032-02-29T12:00:00Z")));
}

#[test]
fn a_schedule_whose_dates_have_passed_still_tells_its_slots() {
    let past = plain("0 0 9 1 1 * 2020", "UTC")
        .compile(at("2026-01-01T00:00:00Z"))
        .unwrap();
    assert_eq!(past.next_from(at("2026-01-01T00:00:00Z")), None);
    assert_eq!(
        past.latest(at("2000-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")),
        Some(at("2020-01-01T09:00:00Z"))
    );
}

#[test]
fn a_fixed_time_that_only_a_skipped_gap_shows_is_refused() {
    let never = spec(
        "0 30 2 29 3 * 2026",
        "Europe/Berlin",
        DstGap::Skip,
        DstFold::First,
    );
    assert!(never.compile(at("2026-01-01T00:00:00Z")).is_err());
}

/// Slots of the week from Sunday 2026-02-01 to Saturday 2026-02-07, as dates.
fn week(expression: &str) -> Vec<u32> {
    slots(
        &plain(expression, "UTC"),
        "2026-02-01T00:00:00Z",
        "2026-02-07T23:59:59Z",
    )
    .iter()
    .map(|slot| slot[3..5].parse().unwrap())
    .collect()
}

#[test]
fn weekday_numbers_differ_between_crontab_lines_and_six_fields() {
    assert_eq!(week("0 9 * * 0"), [1]);
    assert_eq!(week("0 9 * * 1"), [2]);
    assert_eq!(week("0 9 * * 7"), [1]);
    assert_eq!(week("0 9 * * 5-7"), [1, 6, 7]);
    assert_eq!(week("0 9 * * 0-7"), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(week("0 9 * * FRI-SUN"), [1, 6, 7]);
    assert_eq!(week("0 9 * * sun,Wed"), [1, 4]);
    assert_eq!(week("0 9 * * 1-5/2"), [2, 4, 6]);
    assert_eq!(week("0 0 9 * * 1"), [1]);
    assert_eq!(week("0 0 9 * * 7"), [7]);
    assert_eq!(week("0 0 9 * * MON-FRI"), [2, 3, 4, 5, 6]);
    assert!(error("0 0 9 * * 0").contains("day of week"));
}

#[test]
fn a_crontab_line_needs_one_of_two_restricted_days_and_six_fields_need_both() {
    assert_eq!(week("0 9 3 * FRI"), [3, 6], "either");
    assert_eq!(week("0 0 9 6 * FRI"), [6], "both");
    assert!(week("0 0 9 3 * FRI").is_empty());
    assert_eq!(week("0 9 * * FRI"), [6]);
    assert_eq!(week("0 9 3 * *"), [3]);
    assert_eq!(
        week("0 9 */2 * 1-5"),
        [3, 5],
        "a step from a star restricts nothing by itself, so both must match"
    );
}

#[test]
fn shorthands_mean_their_crontab_lines() {
    for (shorthand, line) in [
        ("@yearly", "0 0 0 1 1 *"),
        ("@annually", "0 0 0 1 1 *"),
        ("@monthly", "0 0 0 1 * *"),
        ("@weekly", "0 0 0 * * SUN"),
        ("@daily", "0 0 0 * * *"),
        ("@midnight", "0 0 0 * * * *"),
        ("@hourly", "0 0 * * * *"),
    ] {
        let year = |expression| {
            slots(
                &plain(expression, "Europe/Paris"),
                "2026-01-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            )
        };
        assert_eq!(year(shorthand), year(line), "{shorthand}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_what_would_be_right() {
    for (expression, hint) in [
        ("", "5 fields"),
        ("* * *", "has 3"),
        ("* * * * * * * *", "has 8"),
        ("0 9 1, 15 * *", "in one word"),
        ("0 0 9 1, 15 * * * *", "in one word"),
        ("@reboot", "Immediate"),
        ("@every 5m", "Interval"),
        ("@fortnightly", "@weekly"),
        ("@daily @daily", "@daily"),
        ("60 * * * *", "minutes (0-59)"),
        ("0 24 * * *", "hours (0-23)"),
        ("0 0 0 * *", "day of month (1-31)"),
        ("0 0 * 13 *", "month"),
        ("0 0 * * 8", "day of week"),
        ("0 0 * * MOX", "`MOX`"),
        ("5/10 * * * *", "5-59/10"),
        ("*/0 * * * *", "a step is 1 to 59"),
        ("*/90 * * * *", "a step is 1 to 59"),
        ("0 17-9 * * *", "17-23,0-9"),
        ("0 0 L * *", "`L`"),
        ("0 0 ? * *", "`?`"),
        ("1-2-3 * * * *", "`2-3`"),
        (", * * * *", "`,`"),
        ("-5 * * * *", "`-5`"),
        ("99999999999999999999 * * * *", "minutes"),
        ("61 * * * * *", "seconds (0-59)"),
        ("0 0 25 * * *", "hours (0-23)"),
        ("0 0 9*  * * *", "hours (0-23)"),
        ("0 0 9 1JAN * *", "day of month"),
        ("0 0 9 * FEBTEMBER *", "month"),
        ("0 0 9 L * *", "day of month"),
        ("0 0 9 * * 5L", "day of week"),
        ("0 0 9 * * MON#1", "day of week"),
        ("0 0 9 * * * 1969", "year"),
        ("0 0 9 * * * 2101", "year"),
        ("0 0 */0 * * *", "hours"),
        ("０ 0 9 * * *", "seconds"),
        ("0 0 9 * * \u{7f}", "day of week"),
    ] {
        let why = error(expression);
        assert!(why.contains(hint), "`{expression}`: {why}");
        assert!(!why.contains('\n'), "`{expression}`: {why}");
    }
    assert!(error(&"1,".repeat(5_000)).contains("longer than"));
}

#[test]
fn spaces_and_tabs_between_fields_do_not_matter() {
    assert_eq!(week("  0\t9  * *   1 "), [2]);
    assert_eq!(week("\t0 0 9 * * MON\n"), [2]);
}

#[test]
fn bounds_include_their_ends_and_close_everything_else_out() {
    let bounded = ScheduleSpec {
        starts_at: Some(at("2026-02-02T09:00:00Z")),
        ends_at: Some(at("2026-02-04T09:00:00Z")),
        ..plain("0 9 * * *", "UTC")
    };
    assert_eq!(
        slots(&bounded, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ["02-02T09:00:00", "02-03T09:00:00", "02-04T09:00:00"]
    );
    assert!(slots(&bounded, "2026-02-05T00:00:00Z", "2026-03-01T00:00:00Z").is_empty());
    let backwards = ScheduleSpec {
        ends_at: Some(at("2026-02-01T00:00:00Z")),
        ..bounded.clone()
    };
    assert!(backwards.compile(at("2026-01-01T00:00:00Z")).is_err());
    let between = ScheduleSpec {
        starts_at: Some(at("2026-02-02T10:00:00Z")),
        ends_at: Some(at("2026-02-02T11:00:00Z")),
        ..bounded
    };
    assert!(between.compile(at("2026-01-01T00:00:00Z")).is_err());
}

fn kind(kind: ScheduleKind, starts_at: Option<&str>) -> ScheduleSpec {
    ScheduleSpec {
        kind,
        starts_at: starts_at.map(at),
        ends_at: None,
    }
}

#[test]
fn an_interval_keeps_its_grid_from_the_anchor_on() {
    let grid = kind(ScheduleKind::Interval { seconds: 7 }, None);
    assert_eq!(
        slots(&grid, "2025-12-31T00:00:00Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:00", "01-01T00:00:07", "01-01T00:00:14"]
    );
    assert_eq!(
        slots(&grid, "2026-01-01T00:00:07.000001Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:14"]
    );
    let later = kind(
        ScheduleKind::Interval { seconds: 7 },
        Some("2026-01-01T00:00:10Z"),
    );
    assert_eq!(
        slots(&later, "2025-12-31T00:00:00Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:14"],
        "the grid stays on the anchor"
    );
    let never = kind(ScheduleKind::Interval { seconds: 0 }, None);
    assert!(never.compile(at("2026-01-01T00:00:00Z")).is_err());
}

#[test]
fn once_and_immediate_have_one_slot_ever() {
    let (long_ago, far) = ("2000-01-01T00:00:00Z", "2090-01-01T00:00:00Z");
    let once = ScheduleKind::Once {
        at: at("2026-05-05T05:05:05Z"),
    };
    assert_eq!(slots(&kind(once, None), long_ago, far), ["05-05T05:05:05"]);
    let immediate = |starts_at| kind(ScheduleKind::Immediate, starts_at);
    assert_eq!(slots(&immediate(None), long_ago, far), ["01-01T00:00:00"]);
    assert_eq!(
        slots(&immediate(Some("2026-03-03T03:03:03Z")), long_ago, far),
        ["03-03T03:03:03"]
    );
    assert_eq!(
        slots(&immediate(Some("2020-03-03T03:03:03Z")), long_ago, far),
        ["01-01T00:00:00"]
    );
}

#[test]
fn every_second_of_a_year_is_counted_at_once() {
    let schedule = plain("* * * * * *", "Europe/Berlin")
        .compile(at("2026-01-01T00:00:00Z"))
        .unwrap();
    let n = (0..1_000)
        .map(|_| schedule.count(at("2025-01-01T00:00:00Z"), at("2025-12-31T23:59:59Z")))
        .sum::<u64>();
    assert_eq!(n, 365 * 86_400 * 1_000);
}

#[test]
fn far_away_moments_have_no_slots_and_break_nothing() {
    use chrono::DateTime;
    for text in ["* * * * * *", "0 30 2 * * *", "0 0 29 2 *"] {
        let schedule = plain(text, "Australia/Lord_Howe")
            .compile(at("2026-01-01T00:00:00Z"))
            .unwrap();
        assert_eq!(schedule.next_from(DateTime::<chrono::Utc>::MAX_UTC), None);
        assert!(
            schedule
                .next_from(DateTime::<chrono::Utc>::MIN_UTC)
                .is_some()
        );
        let all = (
            DateTime::<chrono::Utc>::MIN_UTC,
            DateTime::<chrono::Utc>::MAX_UTC,
        );
        assert!(schedule.count(all.0, all.1) > 0);
        assert!(schedule.latest(all.0, all.1).is_some());
        assert_eq!(schedule.count(all.1, all.0), 0);
        assert_eq!(schedule.latest(all.1, all.0), None);
    }
}

#[test]
fn a_stored_schedule_reads_back_the_same() {
    let stored = plain("0 0 9 * * MON *", "Pacific/Chatham");
    assert_eq!(ScheduleSpec::from_stored(&stored.to_stored()), Some(stored));
}

#[test]
fn a_description_says_weekdays_in_words_and_bare_numbers_are_warned_about() {
    let numbers = plain("0 0 9 * * 2-6", "Europe/Berlin");
    assert_eq!(
        numbers.describe(),
        "at 09:00, on Monday to Friday (Europe/Berlin)"
    );
    assert!(numbers.warnings()[0].contains("`2-6` means Monday to Friday"));
    for clear in [
        "0 9 * * 1-5",
        "0 0 9 * * MON-FRI",
        "0 0 9 * * */2",
        "@weekly",
    ] {
        assert!(plain(clear, "UTC").warnings().is_empty(), "{clear}");
    }
    for (expression, words) in [
        ("0 9 * * 1-5", "at 09:00, on Monday to Friday (UTC)"),
        (
            "*/30 * * * *",
            "at minute 0,30 of every hour, every day (UTC)",
        ),
        (
            "* * * * * *",
            "every second of every minute of every hour, every day (UTC)",
        ),
        (
            "0 0 13 * 5",
            "at 00:00, on day 13 of the month and on every Friday (UTC)",
        ),
        (
            "0 0 0 13 * FRI",
            "at 00:00, on day 13 of the month if it is a Friday (UTC)",
        ),
        (
            "30 0 6,18 1 1,2 * 2026-2028",
            "at 06:00:30, 18:00:30, on day 1 of the month in January, February, in 2026-2028 (UTC)",
        ),
        ("broken", "`broken` (UTC)"),
    ] {
        assert_eq!(plain(expression, "UTC").describe(), words);
    }
}

#[test]
fn compiled_schedules_are_small() {
    let compiled = plain("0 0 9 * * *", "UTC")
        .compile(at("2026-01-01T00:00:00Z"))
        .unwrap();
    let schedule: &dyn Schedule = compiled.as_ref();
    assert!(std::mem::size_of_val(schedule) < 256);
}
