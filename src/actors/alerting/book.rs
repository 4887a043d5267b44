//! The incidents that are known here: those that are open, and those that were over a moment ago.
//!
//! It may be behind the store, where another process may have changed something: whoever stores a change finds out.

use std::collections::HashMap;

use crate::domain::{
    Instant,
    alert::{AlertKind, CALM, Incident},
};

/// The latest incident of each key.
#[derive(Debug, Default)]
pub(super) struct Book {
    by_key: HashMap<String, Incident>,
    /// Whether the store has been read.
    pub(super) is_read: bool,
}

impl Book {
    /// What the store says, in its order, in the place of all that was known.
    pub(super) fn read(&mut self, incidents: Vec<Incident>) {
        let by_key = incidents.into_iter().map(|one| (one.key.clone(), one));
        self.by_key = by_key.collect();
        self.is_read = true;
    }

    /// The latest with this key, be it over or not.
    pub(super) fn latest(&self, key: &str) -> Option<&Incident> {
        self.by_key.get(key)
    }

    /// The one with this key, if it is not over.
    pub(super) fn open(&self, key: &str) -> Option<&Incident> {
        self.latest(key).filter(|incident| incident.is_open())
    }

    /// One was stored so.
    pub(super) fn put(&mut self, incident: Incident) {
        self.by_key.insert(incident.key.clone(), incident);
    }

    /// All that are open.
    pub(super) fn all_open(&self) -> Vec<Incident> {
        let open = self.by_key.values().filter(|incident| incident.is_open());
        open.cloned().collect()
    }

    /// What was over for long is of no account.
    pub(super) fn forget(&mut self, now: Instant) {
        let over_for_long = |over: Instant| now - over > CALM;
        self.by_key
            .retain(|_, incident| !incident.recovered_at.is_some_and(over_for_long));
    }

    /// How many of each kind are open.
    pub(super) fn count(&self) -> [(AlertKind, i64); AlertKind::RAISED.len()] {
        AlertKind::RAISED.map(|kind| {
            let of_kind = |incident: &&Incident| incident.is_open() && incident.kind == kind;
            let n = self.by_key.values().filter(of_kind).count();
            (kind, i64::try_from(n).unwrap_or(i64::MAX))
        })
    }
}
