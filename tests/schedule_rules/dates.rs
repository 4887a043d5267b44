//! Dates that do not exist, are rare, or have passed; and moments far away.

use actor_server::domain::schedule::{DstFold, DstGap, Schedule};
use chrono::{DateTime, Utc};

use crate::support::{at, error, plain, spec};

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
    for text in ["* * * * * *", "0 30 2 * * *", "0 0 29 2 *"] {
        let schedule = plain(text, "Australia/Lord_Howe")
            .compile(at("2026-01-01T00:00:00Z"))
            .unwrap();
        assert_eq!(schedule.next_from(DateTime::<Utc>::MAX_UTC), None);
        assert!(schedule.next_from(DateTime::<Utc>::MIN_UTC).is_some());
        let all = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(schedule.count(all.0, all.1) > 0);
        assert!(schedule.latest(all.0, all.1).is_some());
        assert_eq!(schedule.count(all.1, all.0), 0);
        assert_eq!(schedule.latest(all.1, all.0), None);
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
