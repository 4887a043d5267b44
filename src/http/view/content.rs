//! Knowledge items, as clients see them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::time::Time;
use crate::domain::content::{ContentItem, StoredItem, TableSummary};

/// An item of a knowledge table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Item {
    /// The row.
    pub id: i64,
    /// Its table.
    pub table: String,
    /// What it is known by within its table.
    pub key: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Words to choose by.
    pub tags: Vec<String>,
    /// 0 to 1; the higher the sooner.
    pub priority: f64,
    /// Not to be posted before.
    pub not_before: Option<Time>,
    /// Not to be posted from then on.
    pub expires_at: Option<Time>,
    /// URLs of images and the like.
    pub media: Vec<String>,
    /// Whatever else templates want.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// When it was stored first.
    pub created_at: Time,
}

impl From<StoredItem> for Item {
    fn from(stored: StoredItem) -> Self {
        let ContentItem {
            key,
            title,
            body,
            source,
            tags,
            priority,
            not_before,
            expires_at,
            media,
            metadata,
        } = stored.item;
        Self {
            id: stored.id,
            table: stored.table,
            key,
            title,
            body,
            source,
            tags,
            priority,
            not_before: not_before.map(Time),
            expires_at: expires_at.map(Time),
            media,
            metadata,
            created_at: Time(stored.created_at),
        }
    }
}

/// A knowledge table.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = KnowledgeTable)]
pub struct Table {
    /// Its name.
    pub table: String,
    /// Items in it.
    pub items: u64,
    /// Of these: not to be posted yet.
    pub waiting: u64,
    /// Of these: not to be posted any more.
    pub expired: u64,
    /// When the newest was stored first.
    pub newest: Option<Time>,
}

impl From<TableSummary> for Table {
    fn from(summary: TableSummary) -> Self {
        Self {
            table: summary.table,
            items: summary.items,
            waiting: summary.waiting,
            expired: summary.expired,
            newest: summary.newest.map(Time),
        }
    }
}
