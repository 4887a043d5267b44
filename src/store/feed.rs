//! Which entries of a feed are to be written: those that its table has never been given, and those that say something else
//! now. What an operator has removed does not come again.

use std::collections::{HashMap, HashSet};

use super::keys;
use crate::domain::content::{ContentItem, FeedLook, StoredItem};

/// The entries of a look, each with the key that it is stored under; without NUL, which not every backend has in a text.
/// Of several with one key the last counts.
pub(super) fn entries(look: &FeedLook) -> Vec<ContentItem> {
    let mut seen = HashSet::new();
    let newest_first = look.items.iter().rev().filter_map(|item| {
        let key = keys::of_item(item).replace('\0', "\u{fffd}");
        let item = ContentItem {
            key: Some(key.clone()),
            ..item.clone()
        };
        seen.insert(key).then_some(item)
    });
    let mut entries: Vec<_> = newest_first.collect();
    entries.reverse();
    entries
}

/// The keys of entries.
pub(super) fn keys_of(entries: &[ContentItem]) -> Vec<String> {
    entries.iter().filter_map(|item| item.key.clone()).collect()
}

/// What is to be written, and how many of it are new.
pub(super) fn to_write(
    entries: Vec<ContentItem>,
    stored: &[StoredItem],
    given: &HashSet<String>,
) -> (Vec<ContentItem>, u64) {
    let stored: HashMap<&str, &ContentItem> = stored
        .iter()
        .filter_map(|row| Some((row.item.key.as_deref()?, &row.item)))
        .collect();
    let mut new = 0;
    let mut write = entries;
    write.retain(|item| {
        let key = item.key.as_deref().unwrap_or_default();
        match stored.get(key) {
            Some(old) => **old != *item,
            None if given.contains(key) => false,
            None => {
                new += 1;
                true
            }
        }
    });
    (write, new)
}
