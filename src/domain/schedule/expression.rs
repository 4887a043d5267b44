//! From the text of a cron expression to the dates and times that it names.
//!
//! Six and seven fields are read by the `cron` crate and mean what it says they mean: seconds first, weekday 1 is Sunday,
//! a date must match both day of month and day of week. Five fields are a line of crontab(5), which
//! [`super::crontab`] reads. A shorthand stands for such a line.

use cron::TimeUnitSpec;

use super::{
    calendar::Calendar,
    crontab,
    days::{Days, YearSet},
    times::Times,
};

/// Longer texts are refused; all values of all fields written out are shorter.
const LONGEST: usize = 2_000;

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

/// What an expression names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    /// The dates and times.
    pub(super) calendar: Calendar,
    /// Whether the hours are numbers, and not a wildcard, a step, or all 24.
    pub(super) fixed_hours: bool,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!(
                "the expression is longer than {LONGEST} characters"
            ));
        }
        let line = if text.starts_with('@') {
            shorthand(text)?
        } else {
            text
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        unspaced(&fields)?;
        let (calendar, hours) = match fields.as_slice() {
            [_, hours, _, _, _] => (crontab::parse(&fields)?, *hours),
            [_, _, hours, _, _, _] | [_, _, hours, _, _, _, _] => (with_seconds(&fields)?, *hours),
            _ => return Err(wrong_number(&fields)),
        };
        let fixed_hours =
            !hours.contains(['*', '?', '/']) && calendar.times.hours.count_ones() < 24;
        let found = Self {
            calendar,
            fixed_hours,
        };
        found.possible().map(|()| found)
    }

    fn possible(&self) -> Result<(), String> {
        let Days {
            of_month,
            months,
            of_week,
            ..
        } = self.calendar.days;
        if self.calendar.days.first(0, i64::MAX).is_some() {
            return Ok(());
        }
        let list = |set: u64| {
            super::bits::members(set)
                .map(|n| n.to_string())
                .collect::<Vec<_>>()
                .join(",")
        };
        Err(format!(
            "no such date exists: day {} of month {}{} in the years that are named; choose a day that the month has",
            list(of_month.into()),
            list(months.into()),
            if of_week == 0x7f {
                ""
            } else {
                " on that weekday"
            },
        ))
    }
}

/// The line that a shorthand stands for.
fn shorthand(text: &str) -> Result<&'static str, String> {
    match text.to_ascii_lowercase().split_whitespace().next() {
        Some("@yearly" | "@annually") if single(text) => Ok("0 0 1 1 *"),
        Some("@monthly") if single(text) => Ok("0 0 1 * *"),
        Some("@weekly") if single(text) => Ok("0 0 * * 0"),
        Some("@daily" | "@midnight") if single(text) => Ok("0 0 * * *"),
        Some("@hourly") if single(text) => Ok("0 * * * *"),
        Some("@reboot") => Err(
            "`@reboot` is no schedule of slots; use type = \"Immediate\" for one run at first registration".into(),
        ),
        Some("@every") => Err(
            "`@every` is no cron expression; use type = \"Interval\" with `seconds`".into(),
        ),
        _ => Err(format!(
            "`{}` is no shorthand; use @yearly, @annually, @monthly, @weekly, @daily, @midnight or @hourly",
            text.escape_debug()
        )),
    }
}

fn single(text: &str) -> bool {
    text.split_whitespace().count() == 1
}

fn wrong_number(fields: &[&str]) -> String {
    format!(
        "an expression has 5 fields (minute hour day-of-month month day-of-week), 6 (second first) or 7 (year last), \
         and this one has {}",
        fields.len()
    )
}

/// Spaces inside a field would make two of it.
fn unspaced(fields: &[&str]) -> Result<(), String> {
    let sign = [',', '-', '/'];
    match fields
        .iter()
        .find(|field| field.starts_with(sign) || field.ends_with(sign))
    {
        Some(field) => Err(format!(
            "`{}` is no field; write lists, ranges and steps in one word (1,15 or 9-17 or */10)",
            field.escape_debug()
        )),
        None => Ok(()),
    }
}

/// Six or seven fields.
fn with_seconds(fields: &[&str]) -> Result<Calendar, String> {
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
    let set =
        |values: &mut dyn Iterator<Item = u32>| values.fold(0_u64, |set, n| set | 1 << (n % 64));
    Calendar {
        times: Times {
            seconds: set(&mut schedule.seconds().iter()),
            minutes: set(&mut schedule.minutes().iter()),
            hours: set(&mut schedule.hours().iter()) as u32,
        },
        days: Days {
            of_month: set(&mut schedule.days_of_month().iter()) as u32,
            months: set(&mut schedule.months().iter()) as u16,
            of_week: (set(&mut schedule.days_of_week().iter()) >> 1) as u8,
            either: false,
            years: if schedule.years().is_all() {
                YearSet::ALL
            } else {
                YearSet::of(schedule.years().iter())
            },
        },
    }
}
