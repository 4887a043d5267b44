//! Times as people write and read them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A time, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// This one.
    At(DateTime<Utc>),
    /// So long before now.
    Ago(TimeDelta),
}

impl Moment {
    pub(super) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => now - span,
        }
    }
}

/// The longest span: ten years.
const LONGEST: TimeDelta = TimeDelta::days(3660);

/// `2027-01-31T08:00:00Z`, or a span.
pub(super) fn parse_moment(text: &str) -> Result<Moment, String> {
    if let Ok(span) = parse_span(text) {
        return Ok(Moment::Ago(span));
    }
    let time = DateTime::parse_from_rfc3339(text);
    let wrong = "write a time with its zone, such as 2027-01-31T08:00:00Z, or a span such as 2h";
    time.map(|time| Moment::At(time.to_utc()))
        .map_err(|_| wrong.to_owned())
}

/// `90s`, `30m`, `2h`, `1d12h`, `1w`.
pub(super) fn parse_span(text: &str) -> Result<TimeDelta, String> {
    let mut sum = TimeDelta::zero();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        sum = part(number, unit).map_or(TimeDelta::MAX, |part| {
            sum.checked_add(&part).unwrap_or(TimeDelta::MAX)
        });
        if sum > LONGEST {
            return Err(
                "write a span of up to ten years, such as 90s, 30m, 2h, 1d12h or 1w".into(),
            );
        }
        rest = behind;
    }
    if sum.is_zero() {
        return Err("write a span such as 90s, 30m, 2h, 1d12h or 1w".into());
    }
    Ok(sum)
}

fn part(number: &str, unit: &str) -> Option<TimeDelta> {
    let seconds = match unit {
        "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let seconds = number.parse::<i64>().ok()?.checked_mul(seconds)?;
    TimeDelta::try_seconds(seconds)
}

/// Such as `in 5 min` or `3 h ago`. What is left of a second to come counts as one: a pause of two hours that has just begun
/// ends in 2 h.
pub(super) fn relative(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let distance = time - now;
    let begun = i64::from(distance > TimeDelta::zero() && distance.subsec_nanos() > 0);
    let seconds = (distance.num_seconds() + begun).abs();
    let amount = match seconds {
        0 => return "now".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    };
    if distance > TimeDelta::zero() {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

/// The same for what may be absent.
pub(super) fn relative_or_dash(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| relative(time, now))
}

/// `2027-01-31T08:00:00Z (in 2 h)`.
pub(super) fn exact(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let exact = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{exact} ({})", relative(time, now))
}

/// Such as `850 ms` or `1 min 5 s`.
pub(super) fn duration(milliseconds: i64) -> String {
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        60_000..3_600_000 => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
        _ => format!(
            "{} h {} min",
            milliseconds / 3_600_000,
            milliseconds % 3_600_000 / 60_000
        ),
    }
}
