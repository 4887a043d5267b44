//! Six and seven fields, read by the `cron` crate: seconds first, weekday 1 is Sunday, and a date must match both day of
//! month and day of week.
//!
//! The crate reads two fields out of one word such as `9*`; the words are checked before, so that what a field is
//! never depends on its neighbour.

use cron::TimeUnitSpec;

use super::{
    bits,
    calendar::Calendar,
    days::{Days, YearSet},
    times::Times,
};

/// The fields of six and seven, with the values that each may have.
const FIELDS: [&str; 7] = [
    "seconds (0-59)",
    "minutes (0-59)",
    "hours (0-23)",
    "day of month (1-31)",
    "month (1-12 or JAN-DEC)",
    "day of week (1-7 with 1 = Sunday, or SUN-SAT)",
    "year (1970-2100)",
];

/// Reads the fields.
///
/// # Errors
/// Which field is wrong, and what would be right.
pub(super) fn parse(fields: &[&str]) -> Result<Calendar, String> {
    for (field, name) in fields.iter().zip(FIELDS) {
        if !field.split(',').all(is_item) {
            return Err(unreadable(
                name,
                field,
                "use numbers, names, ranges (1-5), lists (1,3), steps (*/10) or *",
            ));
        }
    }
    fields
        .join(" ")
        .parse::<cron::Schedule>()
        .map(|schedule| sets(&schedule))
        .map_err(|error| blame(fields).unwrap_or_else(|| last_line(&error)))
}

/// Whether a list's item has the shape that the `cron` crate reads as one; it would take some others, such as `9*`, for
/// two fields.
fn is_item(item: &str) -> bool {
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (item, None),
    };
    let word = |text: &str| {
        !text.is_empty()
            && (text.bytes().all(|b| b.is_ascii_digit())
                || text.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    step.is_none_or(word)
        && (matches!(base, "*" | "?")
            || match base.split_once('-') {
                Some((first, last)) => word(first) && word(last),
                None => word(base),
            })
}

/// The message about the first field that is wrong by itself.
fn blame(fields: &[&str]) -> Option<String> {
    fields
        .iter()
        .zip(FIELDS)
        .enumerate()
        .find_map(|(n, (field, name))| {
            let mut alone = ["*"; 7];
            *alone.get_mut(n)? = field;
            let error = alone.join(" ").parse::<cron::Schedule>().err()?;
            Some(unreadable(name, field, &last_line(&error)))
        })
}

fn unreadable(name: &str, field: &str, why: &str) -> String {
    format!("{name} cannot be `{}`: {why}", field.escape_debug())
}

fn last_line(error: &cron::error::Error) -> String {
    let text = error.to_string();
    let line = text.lines().rfind(|line| !line.trim().is_empty());
    line.unwrap_or("it cannot be read")
        .trim()
        .trim_end_matches('.')
        .to_owned()
}

fn sets(schedule: &cron::Schedule) -> Calendar {
    let years = schedule.years();
    Calendar {
        times: Times {
            seconds: set(schedule.seconds()),
            minutes: set(schedule.minutes()),
            hours: set(schedule.hours()) as u32,
        },
        days: Days {
            of_month: set(schedule.days_of_month()) as u32,
            months: set(schedule.months()) as u16,
            of_week: (set(schedule.days_of_week()) >> 1) as u8,
            either: false,
            years: if years.is_all() {
                YearSet::ALL
            } else {
                YearSet::of(years.iter())
            },
        },
    }
}

fn set(values: &impl TimeUnitSpec) -> u64 {
    values.iter().fold(0, |set, n| set | bits::range(n, n))
}
