//! What a schedule means, in words: for `check`, which prints it beside the next slots.

use super::{ScheduleKind, ScheduleSpec, bits, days::YEARS, expression::Expression};

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const MONTHS: [&str; 13] = [
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl ScheduleSpec {
    /// What the schedule means in one line, weekdays and months in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = match &self.kind {
            ScheduleKind::Cron {
                expression,
                timezone,
                ..
            } => match Expression::parse(expression) {
                Ok(found) => format!("{} ({timezone})", found.describe()),
                Err(_) => format!("`{}` ({timezone})", expression.escape_debug()),
            },
            ScheduleKind::Interval { seconds: 1 } => "every second".into(),
            ScheduleKind::Interval { seconds } => format!("every {seconds} seconds"),
            ScheduleKind::Once { at } => format!("once at {}", time(*at)),
            ScheduleKind::Immediate => "once at first registration".into(),
        };
        if let Some(first) = self.starts_at {
            text += &format!(", from {}", time(first));
        }
        if let Some(last) = self.ends_at {
            text += &format!(", until {}", time(last));
        }
        text
    }

    /// What may not mean what its author thought; it is no error.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let ScheduleKind::Cron { expression, .. } = &self.kind else {
            return Vec::new();
        };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let Some(weekday) = fields
            .get(5)
            .filter(|_| Expression::parse(expression).is_ok())
        else {
            return Vec::new();
        };
        if !numbered(weekday) {
            return Vec::new();
        }
        let days = Expression::parse(expression)
            .map(|found| words(found.calendar.days.of_week.into(), 6, &WEEKDAYS))
            .unwrap_or_default();
        vec![format!(
            "weekday `{weekday}` means {days}: with 6 and 7 fields 1 is Sunday, in a crontab line (5 fields) 1 is Monday; \
             write names (SUN, MON, …) to be clear"
        )]
    }
}

/// Whether a weekday field has numbers that are no steps.
fn numbered(field: &str) -> bool {
    field.split(',').any(|item| {
        item.split('/')
            .next()
            .is_some_and(|base| base.contains(|c: char| c.is_ascii_digit()))
    })
}

fn time(time: crate::domain::Instant) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

impl Expression {
    fn describe(&self) -> String {
        [self.times(), self.dates(), self.years()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn times(&self) -> String {
        let times = &self.calendar.times;
        let hours = u64::from(times.hours);
        let one = |set: u64| set.count_ones() == 1;
        if one(times.seconds) && one(times.minutes) && hours.count_ones() <= 4 {
            let seconds = match times.seconds.trailing_zeros() {
                0 => String::new(),
                second => format!(":{second:02}"),
            };
            let list: Vec<String> = bits::members(hours)
                .map(|hour| format!("{hour:02}:{:02}{seconds}", times.minutes.trailing_zeros()))
                .collect();
            return format!("at {}", list.join(", "));
        }
        let second = match times.seconds {
            1 => String::new(),
            set => format!("second {} of ", numbers(set, 59)),
        };
        format!(
            "at {second}minute {} of hour {}",
            numbers(times.minutes, 59),
            numbers(hours, 23)
        )
    }

    fn dates(&self) -> String {
        let days = &self.calendar.days;
        let of_month = u64::from(days.of_month);
        let any_day = of_month == bits::range(1, 31);
        let any_weekday = days.of_week == 0x7f;
        let day = format!("on day {} of the month", numbers(of_month, 31));
        let weekday = words(days.of_week.into(), 6, &WEEKDAYS);
        let text = match (any_day, any_weekday) {
            (true, true) => "every day".into(),
            (false, true) if !days.either => day,
            (true, false) if !days.either => format!("on {weekday}"),
            _ if days.either => format!("{day} and on every {weekday}"),
            _ => format!("{day} if it is a {weekday}"),
        };
        match days.months {
            0x1ffe => text,
            months => format!("{text} in {}", words(months.into(), 12, &MONTHS)),
        }
    }

    fn years(&self) -> String {
        let named: Vec<String> = YEARS
            .filter(|year| self.calendar.days.years.has(*year))
            .map(|year| year.to_string())
            .collect();
        match named.as_slice() {
            all if all.len() == YEARS.count() => String::new(),
            [first, .., last] if named.len() > 4 => format!("in years from {first} to {last}"),
            few => format!("in {}", few.join(", ")),
        }
    }
}

/// A set as `every`, or as numbers and ranges.
fn numbers(set: u64, last: u32) -> String {
    if set == bits::range(u32::from(last == 31), last) {
        return "every".into();
    }
    ranges(set, last)
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect::<Vec<_>>()
        .join(",")
}

/// A set as names and ranges of names.
fn words(set: u64, last: u32, names: &[&str]) -> String {
    let name = |n: u32| names.get(n as usize).copied().unwrap_or_default();
    ranges(set, last)
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => name(first).to_owned(),
            1 => format!("{}, {}", name(first), name(last)),
            _ => format!("{} to {}", name(first), name(last)),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The runs of members that follow one another.
fn ranges(set: u64, last: u32) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for n in bits::members(set).filter(|n| *n <= last) {
        match found.last_mut() {
            Some((_, end)) if *end + 1 == n => *end = n,
            _ => found.push((n, n)),
        }
    }
    found
}
