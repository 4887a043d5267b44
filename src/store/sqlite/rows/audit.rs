//! Rows of `actor_server_audit`.

use diesel::{prelude::*, sqlite::Sqlite};
use serde_json::Value;

use crate::{
    domain::audit::{AuditEntry, AuditRow},
    store::sqlite::{schema::audit, time::Time},
};

/// One entry, as stored.
#[derive(QueryableByName)]
#[diesel(table_name = audit, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct AuditedRow {
    id: i64,
    at: Time,
    subject: String,
    role: Option<String>,
    action: String,
    target: Option<String>,
    remote: Option<String>,
    request_id: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    outcome: String,
}

impl From<AuditedRow> for AuditRow {
    fn from(row: AuditedRow) -> Self {
        Self {
            id: row.id,
            entry: AuditEntry {
                at: row.at.0,
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
