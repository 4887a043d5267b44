//! Rows of `actor_server_content`.

use diesel::{prelude::*, sqlite::Sqlite};
use serde_json::Value;

use crate::{
    domain::content::{ContentItem, StoredItem},
    store::{
        records::texts,
        sqlite::{
            schema::content,
            time::{Time, read},
        },
    },
};

/// One item, as stored.
#[derive(QueryableByName)]
#[diesel(table_name = content, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct ContentRow {
    id: i64,
    table_name: String,
    item_key: String,
    title: Option<String>,
    body: String,
    source: Option<String>,
    tags: Value,
    priority: f64,
    metadata: Value,
    created_at: Time,
    not_before: Option<Time>,
    expires_at: Option<Time>,
    media: Value,
}

impl From<ContentRow> for StoredItem {
    fn from(row: ContentRow) -> Self {
        Self {
            id: row.id,
            table: row.table_name,
            item: ContentItem {
                key: Some(row.item_key),
                title: row.title,
                body: row.body,
                source: row.source,
                tags: texts(&row.tags),
                priority: row.priority,
                not_before: read(row.not_before),
                expires_at: read(row.expires_at),
                media: texts(&row.media),
                metadata: row.metadata,
            },
            created_at: row.created_at.0,
        }
    }
}
