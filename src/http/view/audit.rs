//! Who did what, as clients see it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::time::Time;
use crate::domain::audit::{AuditEntry, AuditRow};

/// One control action, carried out or refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditView {
    /// Grows with time.
    pub id: i64,
    /// When.
    pub at: Time,
    /// Who: a token's `sub`, `event signature`, `SIGHUP`, or `anonymous`.
    pub subject: String,
    /// The token's role.
    pub role: Option<String>,
    /// What, such as `pause`.
    pub action: String,
    /// To what: a bot, a run, a dependency.
    pub target: Option<String>,
    /// The client's address.
    pub remote: Option<String>,
    /// The `X-Request-Id` of the answer.
    pub request_id: Option<String>,
    /// What was there before.
    #[schema(value_type = Object, nullable)]
    pub before: Option<Value>,
    /// What was there after it.
    #[schema(value_type = Object, nullable)]
    pub after: Option<Value>,
    /// `ok`, or why it was refused.
    pub outcome: String,
}

impl From<AuditRow> for AuditView {
    fn from(AuditRow { id, entry }: AuditRow) -> Self {
        let AuditEntry {
            at,
            subject,
            role,
            action,
            target,
            remote,
            request_id,
            before,
            after,
            outcome,
        } = entry;
        Self {
            id,
            at: Time(at),
            subject,
            role,
            action,
            target,
            remote,
            request_id,
            before,
            after,
            outcome,
        }
    }
}
