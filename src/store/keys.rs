//! Keys by which a repetition is recognised, in a form that an index of either backend takes.

use sha2::{Digest, Sha256};

use crate::domain::content::ContentItem;

/// A key that is longer, in bytes, is kept as its hash.
const LONGEST: usize = 200;

/// What a knowledge item is known by in its table: its key, or else a hash of its body.
pub(super) fn of_item(item: &ContentItem) -> String {
    match &item.key {
        Some(key) if key.len() <= LONGEST => key.clone(),
        Some(key) => hash(key),
        None => hash(&item.body),
    }
}

/// What a wish for a run is known by in the ledger. Always a hash: whoever sends the wish chooses the key.
pub(super) fn of_wish(key: &str) -> String {
    hash(key)
}

/// What a feed is known by: its URL, or a hash of a long one.
pub(super) fn of_feed(url: &str) -> String {
    if url.len() <= LONGEST {
        return url.to_owned();
    }
    hash(url)
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
