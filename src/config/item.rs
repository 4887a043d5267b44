//! One value of a file: read as what it should be, or reported with what would be right.

use std::{fmt::Display, ops::RangeInclusive};

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeInteger, DeValue},
};

use super::{
    nearest::suggestion,
    problem::Problem,
    table::{Reading, Table},
};
use crate::domain::Instant;

/// A value with its path.
pub(super) struct Item<'r> {
    reading: Reading<'r>,
    path: String,
    value: &'r Spanned<DeValue<'r>>,
}

impl<'r> Item<'r> {
    pub(super) fn new(reading: Reading<'r>, path: String, value: &'r Spanned<DeValue<'r>>) -> Self {
        Self {
            reading,
            path,
            value,
        }
    }

    /// Where it begins.
    pub(super) fn offset(&self) -> usize {
        self.value.span().start
    }

    pub(super) fn is_integer(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Integer(_))
    }

    /// The line that it begins in.
    pub(super) fn line(&self) -> usize {
        self.reading.source.line(self.offset())
    }

    /// This is wrong with it.
    pub(super) fn problem(&self, message: impl Display) {
        let (at, text) = (self.offset(), message.to_string());
        self.reading.problem(at, &self.path, text);
    }

    /// This lacks something, unless that is in a part of the file that could not be understood.
    pub(super) fn absent(&self, message: impl Display) {
        if !self.reading.is_partial() {
            self.problem(message);
        }
    }

    /// This is probably not meant.
    pub(super) fn warn(&self, message: impl Display) {
        let warning = self.describe(message);
        self.reading.report.warn(warning);
    }

    pub(super) fn describe(&self, message: impl Display) -> Problem {
        let (at, text) = (self.offset(), message.to_string());
        self.reading.describe(at, &self.path, text)
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.problem(format!("expected {what}, found {}", self.kind()));
        None
    }

    fn kind(&self) -> &'static str {
        match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        }
    }

    /// A string, with its variables replaced.
    pub(super) fn string(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => self.replaced(text),
            _ => self.expected("a string"),
        }
    }

    fn replaced(&self, text: &str) -> Option<String> {
        let replaced = self.reading.variables.replace(text);
        replaced.map_err(|message| self.problem(message)).ok()
    }

    /// A string that `parse` accepts; what it says is the problem.
    pub(super) fn parse<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.string()?;
        parse(&text).map_err(|message| self.problem(message)).ok()
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.expected("`true` or `false`"),
        }
    }

    pub(super) fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Option<T> {
        let DeValue::Integer(number) = self.value.get_ref() else {
            return self.expected("an integer");
        };
        let value = to_i64(number).filter(|value| range.contains(value));
        let value = value.and_then(|value| T::try_from(value).ok());
        value.or_else(|| self.out_of_range(number, &range))
    }

    /// A number with or without a fraction.
    pub(super) fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let (value, shown) = match self.value.get_ref() {
            DeValue::Float(number) => (number.as_str().parse().ok(), number.to_string()),
            DeValue::Integer(number) => (
                to_i64(number)
                    .and_then(|n| i32::try_from(n).ok())
                    .map(f64::from),
                number.to_string(),
            ),
            _ => return self.expected("a number"),
        };
        let value = value.filter(|value| range.contains(value));
        value.or_else(|| self.out_of_range(shown, &range))
    }

    fn finite(&self, text: &str) -> Option<f64> {
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        if value.is_none() {
            self.problem(format!("{text} cannot be used; give a finite number"));
        }
        value
    }

    fn out_of_range<T, N: Display>(
        &self,
        shown: impl Display,
        range: &RangeInclusive<N>,
    ) -> Option<T> {
        let (low, high) = (range.start(), range.end());
        self.problem(format!("{shown} is out of range; use {low} to {high}"));
        None
    }

    /// One word of a closed set.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        self.parse(|text| {
            let chosen = choices.iter().find(|(word, _)| *word == text);
            chosen.map(|(_, value)| *value).ok_or_else(|| {
                let near = suggestion(text, choices.iter().map(|(word, _)| *word));
                format!("`{text}` is not one of the choices; {near}")
            })
        })
    }

    /// A moment: a string after RFC 3339, or TOML's own date and time with an offset.
    pub(super) fn instant(&self) -> Option<Instant> {
        let text = match self.value.get_ref() {
            DeValue::Datetime(value) => value.to_string(),
            DeValue::String(text) => self.replaced(text)?,
            _ => return self.expected("a time such as \"2026-01-31T09:00:00Z\""),
        };
        match chrono::DateTime::parse_from_rfc3339(&text) {
            Ok(time) => Some(time.to_utc()),
            Err(_) => {
                self.problem(format!(
                    "`{text}` is no RFC 3339 time; write date, time and offset, such as \"2026-01-31T09:00:00Z\""
                ));
                None
            }
        }
    }

    pub(super) fn array(&self) -> Option<Vec<Item<'r>>> {
        let DeValue::Array(values) = self.value.get_ref() else {
            return self.expected("an array");
        };
        let items = values.iter().enumerate().map(|(n, value)| {
            let path = format!("{}[{n}]", self.path);
            Item::new(self.reading, path, value)
        });
        Some(items.collect())
    }

    pub(super) fn table(&self) -> Option<Table<'r>> {
        match self.value.get_ref() {
            DeValue::Table(values) => Some(Table::new(
                self.reading,
                self.path.clone(),
                values,
                self.offset(),
            )),
            _ => self.expected("a table"),
        }
    }

    /// An array of tables, `[[like_this]]`.
    pub(super) fn tables(&self) -> Vec<Table<'r>> {
        if matches!(self.value.get_ref(), DeValue::Array(_)) {
            let items = self.array().unwrap_or_default();
            return items.iter().filter_map(Item::table).collect();
        }
        let what = format!("an array of tables (`[[{}]]`)", self.path);
        self.expected::<()>(&what);
        Vec::new()
    }

    /// Any value, as JSON; strings with their variables replaced, dates as strings.
    pub(super) fn json(&self) -> Option<Value> {
        Some(match self.value.get_ref() {
            DeValue::String(_) => Value::String(self.string()?),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(value) => Value::String(value.to_string()),
            DeValue::Integer(_) => Value::from(self.integer::<i64>(i64::MIN..=i64::MAX)?),
            DeValue::Float(number) => Value::from(self.finite(number.as_str())?),
            DeValue::Array(_) => self.array()?.iter().filter_map(Item::json).collect(),
            DeValue::Table(_) => Value::Object(self.table()?.json()),
        })
    }
}

impl Table<'_> {
    /// The whole table as JSON.
    pub(super) fn json(&self) -> Map<String, Value> {
        self.entries()
            .filter_map(|(key, item)| Some((key.to_owned(), item.json()?)))
            .collect()
    }
}

fn to_i64(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
