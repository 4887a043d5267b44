//! Descriptions, warnings, and the stored form.

use actor_server::domain::schedule::ScheduleSpec;

use crate::support::plain;

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
