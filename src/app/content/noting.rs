//! The record of who did what says, too, what was done past the API.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    clock::Clock,
    domain::audit::AuditEntry,
    store::{StatePersistence, StoreError},
};

/// Stands for whoever has a shell here.
const SUBJECT: &str = "command line";

/// Notes what was done to a table, by the same words as the API.
pub(super) async fn note(
    store: &Arc<dyn StatePersistence>,
    action: &str,
    table: &str,
    after: Value,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: Clock::process().now(),
        subject: SUBJECT.into(),
        role: None,
        action: action.into(),
        target: Some(table.into()),
        remote: None,
        request_id: None,
        before: None,
        after: Some(after),
        outcome: "ok".into(),
    };
    store.record(&[entry]).await
}
