//! Knowledge items: what bots choose from.

use serde_json::Value;

use super::Instant;

/// One item of a knowledge table, as an operator gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentItem {
    /// What it is known by within its table: a second item with the same key takes the place of the first. Without one the
    /// body decides.
    pub key: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Words to choose by.
    pub tags: Vec<String>,
    /// 0 to 1; the higher the sooner (0.5).
    pub priority: f64,
    /// Not to be posted before.
    pub not_before: Option<Instant>,
    /// Not to be posted from then on.
    pub expires_at: Option<Instant>,
    /// URLs of images and the like.
    pub media: Vec<String>,
    /// Whatever else templates want.
    pub metadata: Value,
}

/// An item as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// The row.
    pub id: i64,
    /// Its table.
    pub table: String,
    /// What it says; the key is set.
    pub item: ContentItem,
    /// When it was stored first.
    pub created_at: Instant,
}

/// Which items of a table, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentQuery {
    /// The table.
    pub table: String,
    /// Only items older than this one.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}
