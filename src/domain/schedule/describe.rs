//! What a schedule means, in words: for `check`, which prints it beside the next slots.

use super::{ScheduleKind, ScheduleSpec, bits, days::YEARS, expression::Expression, times::Times};

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
        let first = self
            .starts_at
            .map(|first| format!(", from {}", time(first)));
        let last = self.ends_at.map(|last| format!(", until {}", time(last)));
        self.kind.describe() + &first.unwrap_or_default() + &last.unwrap_or_default()
    }

    /// What may not mean what its author thought; it is no error.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let ScheduleKind::Cron { expression, .. } = &self.kind else {
            return Vec::new();
        };
        let weekday = expression.split_whitespace().nth(5);
        match (weekday, Expression::parse(expression)) {
            (Some(weekday), Ok(found)) if numbered(weekday) => vec![format!(
                "weekday `{weekday}` means {}: with 6 and 7 fields 1 is Sunday, in a crontab line (5 fields) 1 is \
                 Monday; write names (SUN, MON, …) to be clear",
                words(found.calendar.days.of_week.into(), &WEEKDAYS)
            )],
            _ => Vec::new(),
        }
    }
}

impl ScheduleKind {
    fn describe(&self) -> String {
        match self {
            Self::Cron {
                expression,
                timezone,
                ..
            } => match Expression::parse(expression) {
                Ok(found) => format!("{} ({timezone})", found.describe()),
                Err(_) => format!("`{}` ({timezone})", expression.escape_debug()),
            },
            Self::Interval { seconds: 1 } => "every second".into(),
            Self::Interval { seconds } => format!("every {seconds} seconds"),
            Self::Once { at } => format!("once at {}", time(*at)),
            Self::Immediate => "once at first registration".into(),
        }
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
            .join(", ")
    }

    fn times(&self) -> String {
        let times = &self.calendar.times;
        if times.seconds.count_ones() == 1
            && times.minutes.count_ones() == 1
            && times.hours.count_ones() <= 4
        {
            return format!("at {}", times.clock());
        }
        let mut parts = vec![
            part("minute", times.minutes, 59),
            part("hour", times.hours.into(), 23),
        ];
        if times.seconds != 1 {
            parts.insert(0, part("second", times.seconds, 59));
        }
        let text = parts.join(" of ");
        if text.starts_with("every") {
            return text;
        }
        format!("at {text}")
    }

    fn dates(&self) -> String {
        let days = &self.calendar.days;
        let of_month = u64::from(days.of_month);
        let any_day = of_month == bits::range(1, 31);
        let any_weekday = days.of_week == 0x7f;
        let day = format!(
            "on day {} of the month",
            join(&ranges(bits::members(of_month)))
        );
        let weekday = words(days.of_week.into(), &WEEKDAYS);
        let text = match (any_day, any_weekday) {
            (true, true) => "every day".into(),
            (false, true) if !days.either => day,
            (true, false) if !days.either => format!("on {weekday}"),
            _ if days.either => format!("{day} and on every {weekday}"),
            _ => format!("{day} if it is a {weekday}"),
        };
        match days.months {
            0x1ffe => text,
            months => format!("{text} in {}", words(months.into(), &MONTHS)),
        }
    }

    fn years(&self) -> String {
        let named = ranges(YEARS.filter(|year| self.calendar.days.years.has(*year)));
        if named == [(*YEARS.start(), *YEARS.end())] {
            return String::new();
        }
        format!("in {}", join(&named))
    }
}

impl Times {
    /// Few times, as a clock shows them.
    fn clock(&self) -> String {
        let minute = self.minutes.trailing_zeros();
        let second = match self.seconds.trailing_zeros() {
            0 => String::new(),
            second => format!(":{second:02}"),
        };
        let list: Vec<String> = bits::members(self.hours.into())
            .map(|hour| format!("{hour:02}:{minute:02}{second}"))
            .collect();
        list.join(", ")
    }
}

/// One field, as `every minute` or `minute 0,30`.
fn part(unit: &str, set: u64, last: u32) -> String {
    if set == bits::range(0, last) {
        return format!("every {unit}");
    }
    format!("{unit} {}", join(&ranges(bits::members(set))))
}

/// Numbers and ranges of them.
fn join(ranges: &[(u32, u32)]) -> String {
    let text = |(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

/// A set as names and ranges of names.
fn words(set: u64, names: &[&str]) -> String {
    let name = |n: u32| names.get(n as usize).copied().unwrap_or_default();
    ranges(bits::members(set))
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
fn ranges(members: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for n in members {
        match found.last_mut() {
            Some((_, end)) if *end + 1 == n => *end = n,
            _ => found.push((n, n)),
        }
    }
    found
}
