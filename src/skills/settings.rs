//! Reads a skill's settings, with every problem collected.

use std::ops::RangeInclusive;

use chrono_tz::{TZ_VARIANTS, Tz};
use serde_json::{Map, Value};

use super::{SettingProblem, SkillError};

/// Settings under inspection.
pub(super) struct Reader<'a> {
    settings: &'a Map<String, Value>,
    /// What stands before each key, such as `embed.`.
    prefix: String,
    problems: Vec<SettingProblem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Map<String, Value>, prefix: &str) -> Self {
        Self {
            settings,
            prefix: prefix.to_owned(),
            problems: Vec::new(),
        }
    }

    /// Keys that are not `known` are problems, which name the nearest one that is.
    pub(super) fn only(mut self, known: &[&str]) -> Self {
        for key in self.settings.keys() {
            if !known.contains(&key.as_str()) {
                let message = match nearest(key, known) {
                    Some(near) => format!("unknown setting; did you mean `{near}`?"),
                    None => format!("unknown setting; known are {}", known.join(", ")),
                };
                self.problems.push(self.at(key, message));
            }
        }
        self
    }

    /// The value under `key` as `read` takes it; a value that it refuses is a problem, and counts as absent.
    pub(super) fn value<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.settings.get(key)?) {
            Ok(value) => Some(value),
            Err(message) => {
                let problem = self.at(key, message);
                self.problems.push(problem);
                None
            }
        }
    }

    /// Problems found by others.
    pub(super) fn add(&mut self, problems: Vec<SettingProblem>) {
        self.problems.extend(problems);
    }

    /// What is wrong with a key.
    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let problem = self.at(key, message.into());
        self.problems.push(problem);
    }

    pub(super) fn problems(self) -> Vec<SettingProblem> {
        self.problems
    }

    /// `read`, unless there is a problem: settings are checked before a run, unless a program that embeds the server
    /// did not ask for it.
    pub(super) fn good<T>(self, read: T) -> Result<T, SkillError> {
        match self.problems.first() {
            None => Ok(read),
            Some(SettingProblem { key, message }) => {
                Err(SkillError::unrecoverable(format!("{key}: {message}")))
            }
        }
    }

    fn at(&self, key: &str, message: String) -> SettingProblem {
        SettingProblem {
            key: format!("{}{key}", self.prefix),
            message,
        }
    }
}

/// A text.
pub(super) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| wanted("a text", value))
}

/// True or false.
pub(super) fn flag(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| wanted("true or false", value))
}

/// A whole number of that range.
pub(super) fn whole(value: &Value, range: RangeInclusive<u32>) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            wanted(&format!("a whole number from {low} to {high}"), value)
        })
}

/// A number of that range, with or without a fraction.
pub(super) fn number(value: &Value, range: RangeInclusive<f64>) -> Result<f64, String> {
    let number = value.as_f64().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        wanted(&format!("a number from {low} to {high}"), value)
    })
}

/// An IANA time zone.
pub(super) fn zone(value: &Value) -> Result<Tz, String> {
    let name = text(value)?;
    name.parse().map_err(|_| {
        let names: Vec<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let what = wanted("an IANA time zone such as \"Europe/Berlin\"", value);
        match nearest(name, &names) {
            Some(near) => format!("{what}; did you mean `{near}`?"),
            None => what,
        }
    })
}

/// A table.
pub(super) fn table(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| wanted("a table", value))
}

/// A list of texts.
pub(super) fn texts(value: &Value) -> Result<Vec<&str>, String> {
    let list = value
        .as_array()
        .and_then(|list| list.iter().map(Value::as_str).collect());
    list.ok_or_else(|| wanted("a list of texts", value))
}

/// `must be WHAT, not VALUE`.
pub(super) fn wanted(what: &str, value: &Value) -> String {
    let shown = crate::domain::text::bounded(&value.to_string(), 60);
    format!("must be {what}, not {shown}")
}

/// The known word that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let similarity = |candidate: &str| strsim::jaro_winkler(word, candidate);
    known
        .iter()
        .copied()
        .filter(|candidate| similarity(candidate) > 0.8)
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
}
