//! What expressions may look like, and what their fields mean.

use crate::support::{error, plain, slots, week};

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
