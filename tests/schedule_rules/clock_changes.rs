//! Gaps and folds.

use actor_server::domain::schedule::{DstFold, DstGap};

use crate::support::{changes, plain, slots, spec};

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
