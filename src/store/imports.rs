//! Items on their way into a knowledge table, in numbers that no memory has to hold at once.

use std::collections::HashSet;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{
    Instant,
    content::{ContentItem, Imported, StoredItem},
};

/// What a store does with whole knowledge tables; one page at a time is [`content`](super::StatePersistence::content).
#[async_trait]
pub trait KnowledgeStore: Send + Sync {
    /// Adds items as [`add_content`](super::StatePersistence::add_content) does, in one transaction, however many there are:
    /// all of them, or none.
    async fn import_content(
        &self,
        table: &str,
        batches: Batches,
        now: Instant,
    ) -> Result<Imported, StoreError>;

    /// The item of a knowledge table with this key.
    async fn content_by_key(
        &self,
        table: &str,
        key: &str,
    ) -> Result<Option<StoredItem>, StoreError>;

    /// Items of a knowledge table in the order of their rows, behind the row `after`: whoever adds them in this order to
    /// another table gets the same order there.
    async fn content_onwards(
        &self,
        table: &str,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredItem>, StoreError>;
}

/// Items, some at a time. `None` says that there should be more and that they cannot be had: nothing is to be stored then.
pub type Batches = Box<dyn Iterator<Item = Option<Vec<ContentItem>>> + Send>;

/// What is said of [`Batches`] that broke off.
pub(super) const BROKE_OFF: &str = "what was to be imported broke off; nothing is stored";

/// Tells new rows from those that were there: ids only grow.
pub(super) struct Count {
    /// The newest row before.
    newest: i64,
    rows: HashSet<i64>,
    items: u64,
}

impl Count {
    /// Nothing so far; `newest` is the highest id there is.
    pub(super) fn above(newest: i64) -> Self {
        Self {
            newest,
            rows: HashSet::new(),
            items: 0,
        }
    }

    /// These rows are what that many items became.
    pub(super) fn add(&mut self, rows: &[i64], items: usize) {
        self.items += items as u64;
        self.rows.extend(rows);
    }

    /// The sum.
    pub(super) fn sum(&self) -> Imported {
        let rows = self.rows.len() as u64;
        let added = self.rows.iter().filter(|id| **id > self.newest).count() as u64;
        Imported {
            items: self.items,
            added,
            replaced: rows - added,
            repeated: self.items.saturating_sub(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_old_ones_and_repetitions_are_told_apart() {
        let mut count = Count::above(10);
        count.add(&[11, 12, 3], 3);
        count.add(&[12, 3], 2);
        let expected = Imported {
            items: 5,
            added: 2,
            replaced: 1,
            repeated: 2,
        };
        assert_eq!(count.sum(), expected);
    }
}
