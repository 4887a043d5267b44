//! From the text of a cron expression to the dates and times that it names.
//!
//! Five fields are a line of crontab(5); with six or seven the seconds come first and the `cron` crate says what they
//! mean. The two differ in more than the seconds: in what weekday numbers mean, and in whether a date must match
//! both day of month and day of week. A shorthand stands for a crontab line.

use super::{bits, calendar::Calendar, crontab, days::Days, with_seconds};

/// Longer texts are refused; all values of all fields written out are shorter.
const LONGEST: usize = 2_000;

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
        let (calendar, hours) = read(&fields)?;
        let wildcard = hours.contains(['*', '?', '/']) || calendar.times.hours.count_ones() == 24;
        possible(&calendar.days)?;
        Ok(Self {
            calendar,
            fixed_hours: !wildcard,
        })
    }
}

/// What the fields name, and the text of the hours among them.
fn read<'a>(fields: &[&'a str]) -> Result<(Calendar, &'a str), String> {
    unspaced(fields)?;
    match fields {
        [_, hours, _, _, _] => Ok((crontab::parse(fields)?, hours)),
        [_, _, hours, _, _, _] | [_, _, hours, _, _, _, _] => {
            Ok((with_seconds::parse(fields)?, hours))
        }
        _ => Err(wrong_number(fields)),
    }
}

fn possible(days: &Days) -> Result<(), String> {
    if days.first(0, i64::MAX).is_some() {
        return Ok(());
    }
    let list = |set: u64| {
        let texts: Vec<String> = bits::members(set).map(|n| n.to_string()).collect();
        texts.join(",")
    };
    let weekday = if days.of_week == 0x7f {
        ""
    } else {
        " on that weekday"
    };
    Err(format!(
        "no such date exists: day {} of month {}{weekday} in the years that are named; choose a day that the month has",
        list(days.of_month.into()),
        list(days.months.into()),
    ))
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
