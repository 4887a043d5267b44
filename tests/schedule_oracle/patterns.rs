//! Expressions in and around what a change of the offset skips or repeats.

use jiff::{
    Timestamp,
    civil::{Date, DateTime as Civil},
};

use crate::{QUARTER, civil::Change};

/// What an expression names each day: hours and minutes.
pub(crate) struct Pattern {
    pub(crate) hours: Hours,
    pub(crate) minutes: &'static [i8],
    /// Named in the text instead of `*`.
    pub(crate) date: Option<Date>,
}

pub(crate) enum Hours {
    Every,
    Stepped(i8),
    Fixed(Vec<i8>),
}

impl Pattern {
    pub(crate) fn text(&self) -> String {
        let list = |set: &[i8]| {
            let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
            texts.join(",")
        };
        let hours = match &self.hours {
            Hours::Every => "*".into(),
            Hours::Stepped(step) => format!("*/{step}"),
            Hours::Fixed(hours) => list(hours),
        };
        let date = self.date.map_or("* *".into(), |date| {
            format!("{} {}", date.day(), date.month())
        });
        format!("0 {} {hours} {date} *", list(self.minutes))
    }

    pub(crate) fn names(&self, moment: Civil) -> bool {
        let hour = match &self.hours {
            Hours::Every => true,
            Hours::Stepped(step) => moment.hour() % step == 0,
            Hours::Fixed(hours) => hours.contains(&moment.hour()),
        };
        hour && self.minutes.contains(&moment.minute())
            && moment.second() == 0
            && self
                .date
                .is_none_or(|date| (date.day(), date.month()) == (moment.day(), moment.month()))
    }
}

/// Patterns in and around the times that the change skips or repeats.
pub(crate) fn patterns(change: Change) -> (Vec<Pattern>, Vec<Pattern>) {
    let wall = |time: i64| {
        let seconds = time.div_euclid(QUARTER) * QUARTER;
        jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(seconds).unwrap())
    };
    let low = change.at + change.before.min(change.after);
    let high = change.at + change.before.max(change.after);
    let middle = wall(low + (high - low) / 2);
    let (hour, date) = (middle.hour(), middle.date());
    let around = |n: i8| (hour + n).rem_euclid(24);
    let fixed = |hours: Vec<i8>, minutes, date| Pattern {
        hours: Hours::Fixed(hours),
        minutes,
        date,
    };
    let real = |hours, minutes, date| Pattern {
        hours,
        minutes,
        date,
    };
    (
        vec![
            fixed(vec![hour], &[30], None),
            fixed(vec![wall(low).hour()], &[0, 15, 30, 45], Some(date)),
            fixed(vec![around(-1), hour, around(1)], &[0, 45], None),
        ],
        vec![
            real(Hours::Every, &[0, 30], None),
            real(Hours::Every, &[15], Some(date)),
            real(Hours::Stepped(2), &[0, 30], None),
        ],
    )
}
