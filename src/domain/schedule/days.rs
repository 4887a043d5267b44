//! The dates that an expression names. A month is answered for at once, as a set of days, so that rare dates
//! (a 29 February) are found without trying each day.

use chrono::{Datelike, NaiveDate};

use super::bits::{at_or_after, at_or_before, below, has};

/// The years that an expression can name; there are no slots outside them.
pub(super) const YEARS: std::ops::RangeInclusive<u32> = 1970..=2100;

/// The day after the last one of [`YEARS`], counted from 1970-01-01.
pub(super) const END_OF_DAYS: i64 = 47_847;

/// The dates, as sets for each field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// 1 to 31.
    pub(super) of_month: u32,
    /// 1 to 12.
    pub(super) months: u16,
    /// 0 (Sunday) to 6.
    pub(super) of_week: u8,
    /// Whether a date needs just one of day of month and day of week; otherwise it needs both.
    pub(super) either: bool,
    /// Years since 1970.
    pub(super) years: YearSet,
}

/// A set of years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct YearSet([u64; 3]);

impl YearSet {
    /// All of [`YEARS`].
    pub(super) const ALL: Self = Self([u64::MAX; 3]);

    /// The set of these years; others than [`YEARS`] are left out.
    pub(super) fn of(years: impl Iterator<Item = u32>) -> Self {
        let mut set = Self([0; 3]);
        for year in years {
            let n = year.wrapping_sub(*YEARS.start());
            if let Some(word) = set.0.get_mut(n as usize / 64) {
                *word |= 1 << (n % 64);
            }
        }
        set
    }

    /// Whether `year` is a member.
    pub(super) fn has(&self, year: u32) -> bool {
        let n = year.wrapping_sub(*YEARS.start());
        let word = self.0.get(n as usize / 64).copied().unwrap_or(0);
        YEARS.contains(&year) && has(word, n % 64)
    }
}

/// One month of the calendar; days are counted from 1970-01-01.
#[derive(Clone, Copy)]
struct Month {
    year: u32,
    number: u32,
    first: i64,
    length: u32,
}

impl Month {
    /// The month of a day inside [`YEARS`], and which day of the month it is.
    fn of(day: i64) -> Option<(Self, u32)> {
        let date = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        let (year, number) = (u32::try_from(date.year()).ok()?, date.month());
        let month = Self {
            year,
            number,
            first: day - i64::from(date.day0()),
            length: length(year, number),
        };
        Some((month, date.day()))
    }

    const fn next(self) -> Self {
        let (year, number) = if self.number == 12 {
            (self.year + 1, 1)
        } else {
            (self.year, self.number + 1)
        };
        Self {
            year,
            number,
            first: self.first + self.length as i64,
            length: length(year, number),
        }
    }

    const fn previous(self) -> Self {
        let (year, number) = if self.number == 1 {
            (self.year - 1, 12)
        } else {
            (self.year, self.number - 1)
        };
        let length = length(year, number);
        Self {
            year,
            number,
            first: self.first - length as i64,
            length,
        }
    }

    /// 0 is Sunday; 1970-01-01 was a Thursday.
    const fn first_weekday(self) -> u32 {
        ((self.first + 4).rem_euclid(7)) as u32
    }
}

const fn length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Days {
    /// Whether the date is one of them.
    pub(super) fn has(&self, day: i64) -> bool {
        self.inside(day)
            && Month::of(day).is_some_and(|(month, number)| has(self.in_month(month), number))
    }

    /// The first date in `from..to`.
    pub(super) fn first(&self, from: i64, to: i64) -> Option<i64> {
        let (from, to) = (from.max(0), to.min(END_OF_DAYS));
        let (mut month, mut number) = Month::of(from).filter(|_| from < to)?;
        while month.first < to {
            if let Some(found) = at_or_after(self.in_month(month), number) {
                return Some(month.first + i64::from(found) - 1).filter(|day| *day < to);
            }
            (month, number) = (month.next(), 1);
        }
        None
    }

    /// The last date in `from..to`.
    pub(super) fn last(&self, from: i64, to: i64) -> Option<i64> {
        let (from, to) = (from.max(0), to.min(END_OF_DAYS));
        let (mut month, mut number) = Month::of(to - 1).filter(|_| from < to)?;
        loop {
            if let Some(found) = at_or_before(self.in_month(month), number) {
                return Some(month.first + i64::from(found) - 1).filter(|day| *day >= from);
            }
            if month.first <= from {
                return None;
            }
            (month, number) = (month.previous(), 31);
        }
    }

    /// How many dates are in `from..to`.
    pub(super) fn count(&self, from: i64, to: i64) -> u64 {
        let (from, to) = (from.max(0), to.min(END_OF_DAYS));
        let Some((mut month, number)) = Month::of(from).filter(|_| from < to) else {
            return 0;
        };
        let mut n = 0;
        let mut skipped = below(self.in_month(month), number);
        while month.first < to {
            let rest = u32::try_from(to - month.first).unwrap_or(u32::MAX);
            n += below(self.in_month(month), rest.saturating_add(1)) - skipped;
            (month, skipped) = (month.next(), 0);
        }
        n
    }

    fn inside(&self, day: i64) -> bool {
        (0..END_OF_DAYS).contains(&day)
    }

    /// The dates of one month, as days 1 to 31.
    fn in_month(&self, month: Month) -> u64 {
        if !has(u64::from(self.months), month.number) || !self.years.has(month.year) {
            return 0;
        }
        let weekday = month.first_weekday();
        let week = u64::from(self.of_week);
        let from_first = ((week >> weekday) | (week << (7 - weekday))) & 0x7f;
        let by_week = (from_first * 0x1020_4081) << 1;
        let by_month = u64::from(self.of_month);
        let days = if self.either {
            by_month | by_week
        } else {
            by_month & by_week
        };
        days & (((1 << month.length) - 1) << 1)
    }
}
