//! Days as the clocks of a time zone show them: 23, 24 or 25 hours long, and not always with a midnight.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::Instant;

/// Longer than clocks were ever put forward at once: a zone that changes sides of the date line skips a day.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// The date there.
#[must_use]
pub fn date(zone: Tz, at: Instant) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The time of day there.
#[must_use]
pub fn time(zone: Tz, at: Instant) -> NaiveTime {
    at.with_timezone(&zone).time()
}

/// The first moment of a date: its midnight, the first of two, or the end of the gap that midnight falls in.
#[must_use]
pub fn start_of(zone: Tz, date: NaiveDate) -> Instant {
    let midnight = date.and_time(NaiveTime::MIN);
    let minutes = (0..=LONGEST_GAP_MINUTES).filter_map(TimeDelta::try_minutes);
    minutes
        .filter_map(|later| midnight.checked_add_signed(later))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| Utc.from_utc_datetime(&midnight), |start| start.to_utc())
}

/// A moment for people: date, time to the minute, and zone.
#[must_use]
pub fn shown(zone: Tz, at: Instant) -> String {
    let local = at.with_timezone(&zone);
    format!("{} {}", local.format("%Y-%m-%d %H:%M"), zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(zone: Tz, date: &str) -> String {
        let start = start_of(zone, date.parse().unwrap());
        start.format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn a_day_begins_at_its_first_moment_even_without_a_midnight() {
        use chrono_tz::{Africa::Cairo, America::Havana, Europe::Berlin, Pacific::Apia};
        for (zone, date, expected) in [
            (Tz::UTC, "2026-03-29", "2026-03-29 00:00"),
            (Berlin, "2026-03-29", "2026-03-28 23:00"),
            (Berlin, "2026-03-30", "2026-03-29 22:00"),
            // Midnight is skipped: the day begins at one.
            (Cairo, "2026-04-24", "2026-04-23 22:00"),
            // Midnight comes twice: the day begins with the first.
            (Havana, "2026-11-01", "2026-11-01 04:00"),
            // The whole day is skipped.
            (Apia, "2011-12-30", "2011-12-30 10:00"),
            (Apia, "2011-12-31", "2011-12-30 10:00"),
        ] {
            assert_eq!(start(zone, date), expected, "{zone} {date}");
        }
    }
}
