//! Reads a table key by key; every key that nobody asked for is a problem.

use std::{cell::RefCell, ops::RangeInclusive, time::Duration};

use toml::de::{DeTable, DeValue};

use super::{
    item::Item,
    nearest::suggestion,
    problem::{Problem, Report},
    source::{Mistake, Parsed, Source},
    variables::Variables,
};

/// What every reader of one file or one bot shares.
#[derive(Clone, Copy)]
pub(super) struct Reading<'r> {
    pub(super) source: &'r Source,
    pub(super) variables: &'r Variables<'r>,
    pub(super) report: &'r Report,
    /// Lines with mistakes in the syntax: what else seems wrong there is their echo, and what seems to be missing
    /// may be there.
    pub(super) broken_lines: &'r [usize],
}

impl Reading<'_> {
    pub(super) fn describe(&self, offset: usize, key: &str, message: String) -> Problem {
        Problem {
            place: self.source.place(offset),
            key: key.into(),
            message: self.variables.hide(message),
        }
    }

    pub(super) fn problem(&self, offset: usize, key: &str, message: String) {
        if !self.broken_lines.contains(&self.source.line(offset)) {
            self.report.problem(self.describe(offset, key, message));
        }
    }

    /// Whether parts of the file could not be understood.
    pub(super) fn is_partial(&self) -> bool {
        !self.broken_lines.is_empty()
    }

    /// Reports mistakes in the syntax, and whether the rest can be judged all the same: it cannot when a header is
    /// broken, because then keys seem to be in a table where they are not.
    fn go_on_behind(&self, mistakes: &[Mistake]) -> bool {
        for mistake in mistakes {
            let message = mistake.message.clone();
            self.report
                .problem(self.describe(mistake.offset, "syntax", message));
        }
        !mistakes
            .iter()
            .any(|mistake| self.source.in_header(mistake.offset))
    }
}

/// A table, and which of its keys have been asked for.
pub(super) struct Table<'r> {
    reading: Reading<'r>,
    path: String,
    values: &'r DeTable<'r>,
    offset: usize,
    known: RefCell<Vec<&'static str>>,
}

impl<'r> Table<'r> {
    /// The whole file, its mistakes in the syntax reported; `None` when they make the rest impossible to judge.
    pub(super) fn document(reading: Reading<'r>, parsed: &'r Parsed<'r>) -> Option<Self> {
        let root = || Self::new(reading, String::new(), &parsed.table, 0);
        reading.go_on_behind(&parsed.mistakes).then(root)
    }

    pub(super) fn new(
        reading: Reading<'r>,
        path: String,
        values: &'r DeTable<'r>,
        offset: usize,
    ) -> Self {
        Self {
            reading,
            path,
            values,
            offset,
            known: RefCell::default(),
        }
    }

    /// The same table, none of its keys asked for, with problems reported elsewhere.
    pub(super) fn reported_by<'s>(&self, reading: Reading<'s>) -> Table<'s>
    where
        'r: 's,
    {
        Table::new(reading, self.path.clone(), self.values, self.offset)
    }

    pub(super) fn reading(&self) -> Reading<'r> {
        self.reading
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Item<'r>> {
        self.known.borrow_mut().push(key);
        self.values
            .get_key_value(key)
            .map(|(_, value)| Item::new(self.reading, self.path_of(key), value))
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &'static str, what: &str) -> Option<Item<'r>> {
        let found = self.get(key);
        if found.is_none() && !self.reading.is_partial() {
            self.problem_at(key, format!("is missing; give {what}"));
        }
        found
    }

    /// A problem of a key (dotted for one further below), told where the key is, or where the table is that lacks it;
    /// with no key, of the table as a whole.
    pub(super) fn problem_at(&self, key: &str, message: String) {
        let path = match key {
            "" => self.path.clone(),
            key => self.path_of(key),
        };
        self.reading
            .problem(self.offset_of_path(key), &path, message);
    }

    /// This is probably not meant, or probably forgotten.
    pub(super) fn warn(&self, key: &str, message: String) {
        let path = self.path_of(key);
        let warning = self.reading.describe(self.offset, &path, message);
        self.reading.report.warn(warning);
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Table<'r>> {
        self.get(key)?.table()
    }

    /// A table, or an empty one in its place, so that its defaults are found.
    pub(super) fn section<T: Default>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Table<'r>) -> T,
    ) -> T {
        let Some(table) = self.table(key) else {
            return T::default();
        };
        let value = read(&table);
        table.finish();
        value
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        self.get(key)?.boolean()
    }

    pub(super) fn string(&self, key: &'static str) -> Option<String> {
        self.get(key)?.string()
    }

    pub(super) fn integer<T: TryFrom<i64>>(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        self.get(key)?.integer(range)
    }

    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        self.get(key)?.number(range)
    }

    pub(super) fn seconds(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<Duration> {
        self.integer(key, range).map(Duration::from_secs)
    }

    pub(super) fn millis(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<Duration> {
        self.integer(key, range).map(Duration::from_millis)
    }

    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        self.get(key)?.choice(choices)
    }

    pub(super) fn strings(&self, key: &'static str) -> Option<Vec<String>> {
        let items = self.get(key)?.array()?;
        Some(items.iter().filter_map(Item::string).collect())
    }

    /// Every key with its value, for tables whose keys are not known beforehand.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'r str, Item<'r>)> {
        self.values.iter().map(|(key, value)| {
            let name: &'r str = key.get_ref();
            (name, Item::new(self.reading, self.path_of(name), value))
        })
    }

    /// Whether there is such a key; of a dotted path, its first part.
    pub(super) fn has(&self, path: &str) -> bool {
        let first = path.split('.').next().unwrap_or_default();
        self.values.contains_key(first)
    }

    /// Where a key is; where the table is when it has no such key.
    fn offset_of(&self, key: &str) -> usize {
        let found = self.values.get_key_value(key);
        found.map_or(self.offset, |(key, _)| key.span().start)
    }

    /// Like [`Table::offset_of`], with a dotted path into the tables below.
    fn offset_of_path(&self, path: &str) -> usize {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.values.get(first).map(toml::Spanned::get_ref) {
            Some(DeValue::Table(below)) if !rest.is_empty() && below.get(rest).is_some() => below
                .get_key_value(rest)
                .map_or(self.offset, |(key, _)| key.span().start),
            _ => self.offset_of(first),
        }
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for (key, _) in self.values.iter() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let near = suggestion(name, known.iter().copied());
                let message = format!("is not a known key; {near}");
                let path = self.path_of(name);
                self.reading.problem(key.span().start, &path, message);
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.into(),
            path => format!("{path}.{key}"),
        }
    }
}
