//! Rows beside state, ledger and posts: knowledge items, who did what, and the processes.

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Bool, Double, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use crate::{
    domain::{
        Instant,
        audit::{AuditEntry, AuditRow},
        content::{ContentItem, StoredItem},
        replica::ReplicaRow,
    },
    store::records::texts,
};

/// The columns of [`AuditedRow`].
pub(super) const AUDIT: &str = "a.id, a.at, a.subject, a.role, a.action, a.target, a.remote, a.request_id, a.before, \
     a.after, a.outcome";

/// The columns of [`ContentRow`].
pub(super) const CONTENT: &str = "c.id, c.table_name, c.item_key, c.title, c.body, c.source, c.tags, c.priority, \
     c.metadata, c.created_at, c.not_before, c.expires_at, c.media";

#[derive(QueryableByName)]
pub(super) struct AuditedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Timestamptz)]
    at: Instant,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Nullable<Text>)]
    target: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    remote: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    before: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    after: Option<Value>,
    #[diesel(sql_type = Text)]
    outcome: String,
}

impl From<AuditedRow> for AuditRow {
    fn from(row: AuditedRow) -> Self {
        Self {
            id: row.id,
            entry: AuditEntry {
                at: row.at,
                subject: row.subject,
                role: row.role,
                action: row.action,
                target: row.target,
                remote: row.remote,
                request_id: row.request_id,
                before: row.before,
                after: row.after,
                outcome: row.outcome,
            },
        }
    }
}

#[derive(QueryableByName)]
pub(super) struct ContentRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    item_key: String,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Jsonb)]
    tags: Value,
    #[diesel(sql_type = Double)]
    priority: f64,
    #[diesel(sql_type = Jsonb)]
    metadata: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: Instant,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    not_before: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<Instant>,
    #[diesel(sql_type = Jsonb)]
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
                not_before: row.not_before,
                expires_at: row.expires_at,
                media: texts(&row.media),
                metadata: row.metadata,
            },
            created_at: row.created_at,
        }
    }
}

#[derive(QueryableByName)]
pub(super) struct ProcessRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: Instant,
    #[diesel(sql_type = Timestamptz)]
    last_seen: Instant,
    #[diesel(sql_type = Bool)]
    alive: bool,
}

impl From<ProcessRow> for ReplicaRow {
    fn from(row: ProcessRow) -> Self {
        Self {
            id: row.id,
            address: row.address,
            version: row.version,
            started_at: row.started_at,
            last_seen: row.last_seen,
            alive: row.alive,
        }
    }
}
