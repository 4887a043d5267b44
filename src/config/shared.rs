//! `[actor.config]`: settings that several skills of a bot share.
//!
//! A key there belongs to whichever listed skill takes it, and is checked by that skill; any other key is free.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};

use super::{item::Item, nearest::nearest, schedule::zone, table::Table};

/// The table as read, and what skills have asked of it.
pub(super) struct Shared<'r> {
    table: Option<Table<'r>>,
    values: Map<String, Value>,
    /// Keys that are reported already.
    bad: RefCell<BTreeSet<String>>,
    /// Keys that listed skills take.
    taken: RefCell<BTreeSet<String>>,
}

impl<'r> Shared<'r> {
    pub(super) fn read(actor: &Table<'r>) -> Self {
        let table = actor.table("config");
        let mut bad = BTreeSet::new();
        let timezone = table.as_ref().and_then(|table| table.get("timezone"));
        if timezone.is_some_and(|item| item.parse(zone).is_none()) {
            bad.insert("timezone".into());
        }
        Self {
            values: table.as_ref().map(Table::json).unwrap_or_default(),
            table,
            bad: bad.into(),
            taken: RefCell::default(),
        }
    }

    /// A skill's own settings over those of `keys` that stand here.
    pub(super) fn under(&self, own: Map<String, Value>, keys: &[String]) -> Map<String, Value> {
        self.taken.borrow_mut().extend(keys.iter().cloned());
        let bad = self.bad.borrow();
        let shared = self.values.iter();
        let mut settings: Map<String, Value> = shared
            .filter(|(key, _)| keys.contains(key) && !bad.contains(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        settings.extend(own);
        settings
    }

    /// Reports what is wrong with a key, once; answers whether it stands here.
    pub(super) fn blame(&self, key: &str, message: &str) -> bool {
        let Some(table) = self.table.as_ref().filter(|table| table.has(key)) else {
            return false;
        };
        let first = key.split('.').next().unwrap_or_default();
        if self.bad.borrow_mut().insert(first.to_owned()) {
            table.problem_at(key, message.to_owned());
        }
        true
    }

    /// Everything that stands here, once all skills have been asked: a key that is nearly one that a skill takes was
    /// probably meant to be that one.
    pub(super) fn finish(self) -> Map<String, Value> {
        let taken = self.taken.into_inner();
        let entries = self.table.iter().flat_map(Table::entries);
        entries
            .filter(|(key, _)| !taken.contains(*key))
            .for_each(|(key, item)| warn(key, &item, &taken));
        self.values
    }
}

fn warn(key: &str, item: &Item<'_>, taken: &BTreeSet<String>) {
    if let Some(near) = nearest(key, taken.iter().map(String::as_str)) {
        item.warn(format!(
            "is taken by no listed skill; did you mean `{near}`?"
        ));
    }
}
