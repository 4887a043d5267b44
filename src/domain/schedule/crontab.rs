//! Lines of crontab(5): five fields, minutes first.
//!
//! Weekdays count from Sunday, which is 0 and 7. If neither day of month nor day of week starts with `*`, a date
//! needs to match just one of them; otherwise it must match both (and the one that is just `*` matches always).

use super::{
    bits::range,
    calendar::Calendar,
    days::{Days, YearSet},
    times::Times,
};

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names, the first of which means `first`.
    names: &'static [&'static str],
}

const MINUTES: Field = Field {
    name: "minutes (0-59)",
    first: 0,
    last: 59,
    names: &[],
};
const HOURS: Field = Field {
    name: "hours (0-23)",
    first: 0,
    last: 23,
    names: &[],
};
const DAYS_OF_MONTH: Field = Field {
    name: "day of month (1-31)",
    first: 1,
    last: 31,
    names: &[],
};
const MONTHS: Field = Field {
    name: "month (1-12 or JAN-DEC)",
    first: 1,
    last: 12,
    names: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
};
const DAYS_OF_WEEK: Field = Field {
    name: "day of week (0-7 with 0 and 7 = Sunday, or SUN-SAT)",
    first: 0,
    last: 7,
    names: &[
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ],
};

/// Reads the five fields of a line.
///
/// # Errors
/// Which field is wrong, and what would be right.
pub(super) fn parse(fields: &[&str]) -> Result<Calendar, String> {
    let [minutes, hours, of_month, months, of_week] = fields else {
        return Err("a crontab line has five fields".into());
    };
    let weekdays = DAYS_OF_WEEK.set(of_week)?;
    Ok(Calendar {
        times: Times {
            seconds: 1,
            minutes: MINUTES.set(minutes)?,
            hours: HOURS.set(hours)? as u32,
        },
        days: Days {
            of_month: DAYS_OF_MONTH.set(of_month)? as u32,
            months: MONTHS.set(months)? as u16,
            of_week: ((weekdays | (weekdays >> 7)) & 0x7f) as u8,
            either: !of_month.starts_with('*') && !of_week.starts_with('*'),
            years: YearSet::ALL,
        },
    })
}

impl Field {
    fn set(&self, text: &str) -> Result<u64, String> {
        text.split(',')
            .try_fold(0, |set, item| Ok(set | self.item(item)?))
            .map_err(|why: String| {
                format!("{} cannot be `{}`: {why}", self.name, text.escape_debug())
            })
    }

    fn item(&self, item: &str) -> Result<u64, String> {
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(self.step(step)?)),
            None => (item, None),
        };
        let (first, last) = match base.split_once('-') {
            _ if base == "*" => (self.first, self.last),
            Some((first, last)) => self.range(first, last)?,
            None => self.single(base, step)?,
        };
        let values = (first..=last).step_by(step.unwrap_or(1) as usize);
        Ok(values.fold(0, |set, n| set | range(n, n)))
    }

    fn range(&self, first: &str, last: &str) -> Result<(u32, u32), String> {
        let (from, to) = (self.value(first)?, self.end(last)?);
        if from <= to {
            return Ok((from, to));
        }
        Err(format!(
            "the range `{first}-{last}` runs backwards; write two, such as `{first}-{},{}-{last}`",
            self.last, self.first
        ))
    }

    fn single(&self, text: &str, step: Option<u32>) -> Result<(u32, u32), String> {
        let value = self.value(text)?;
        match step {
            None => Ok((value, value)),
            Some(step) => Err(format!(
                "crontab(5) has steps after * and after a range only; write `{text}-{}/{step}`",
                self.last
            )),
        }
    }

    fn step(&self, text: &str) -> Result<u32, String> {
        number(text)
            .filter(|step| (1..=self.last).contains(step))
            .ok_or_else(|| {
                format!(
                    "a step is 1 to {}, and not `{}`",
                    self.last,
                    text.escape_debug()
                )
            })
    }

    /// The end of a range; Sunday is the last day there.
    fn end(&self, text: &str) -> Result<u32, String> {
        let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
        match self.value(text)? {
            0 if named => Ok(self.last),
            value => Ok(value),
        }
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let value = match number(text) {
            Some(value) => Some(value),
            None => self.named(text),
        };
        value
            .filter(|value| (self.first..=self.last).contains(value))
            .ok_or_else(|| {
                format!(
                    "`{}` is none of its values; use those, ranges (1-5), lists (1,3), steps (*/10) or *",
                    text.escape_debug()
                )
            })
    }

    /// Names count in full and by their first three letters.
    fn named(&self, text: &str) -> Option<u32> {
        let text = text.to_ascii_lowercase();
        let found = self
            .names
            .iter()
            .position(|name| *name == text || name.get(..3) == Some(text.as_str()))?;
        Some(self.first + u32::try_from(found).ok()?)
    }
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
