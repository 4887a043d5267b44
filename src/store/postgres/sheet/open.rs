//! Rows that a dead process left open, and the posts of open runs.

use serde_json::{Value, json};

use super::{Sheet, Writer};
use crate::{
    domain::{
        Instant,
        outcome::Status,
        run::{Claim, ExecutionId, ReplicaId},
    },
    store::{LedgerRow, NewPost, Rescued},
};

/// What the ledger says of a run whose process is gone.
const GONE: &str = "its process died";

impl Sheet {
    /// Whether the post's run is this process's; it has started, then, if nobody has said so yet.
    pub(in super::super) fn may_post(&mut self, post: &NewPost, by: &Writer) -> bool {
        let owned = self.owned(post.execution, &by.me).is_some();
        if owned {
            self.mark_started(post.execution, post.started_at);
        }
        owned
    }

    /// Deals with one row of a dead process: gives a claim back, ends a run, or takes it over with the next attempt.
    pub(in super::super) fn rescue(
        &mut self,
        id: ExecutionId,
        created_at: Instant,
        again: bool,
        at: Instant,
        by: &mut Writer,
    ) -> Option<Rescued> {
        let row = self.row(id)?;
        let bot = row.bot.clone();
        if row.started_at.is_none() && row.attempt == 1 {
            let owner = ReplicaId::new(row.replica.as_deref()?);
            let me = std::mem::replace(&mut by.me, owner);
            self.release(id, by);
            by.me = me;
            return Some(Rescued::Released(bot));
        }
        if !again {
            self.end(id, Status::Abandoned, GONE, at);
            return Some(Rescued::Abandoned(bot, id));
        }
        let row = self.edit_row(id)?;
        take_over(row, &by.me, at);
        Some(Rescued::Again(claim_of(row, created_at)))
    }
}

/// The interrupted attempt goes into `metadata`, beside those before it.
fn take_over(row: &mut LedgerRow, me: &ReplicaId, at: Instant) {
    let attempt = json!({
        "attempt": row.attempt,
        "status": Status::Abandoned.as_str(),
        "error": GONE,
        "replica": row.replica,
        "started_at": row.started_at,
        "completed_at": at,
    });
    if !row.metadata.is_object() {
        row.metadata = json!({});
    }
    if let Some(metadata) = row.metadata.as_object_mut() {
        let earlier = metadata.entry("attempts").or_insert_with(|| json!([]));
        match earlier {
            Value::Array(attempts) => attempts.push(attempt),
            other => *other = json!([attempt]),
        }
    }
    row.attempt = row.attempt.saturating_add(1);
    row.replica = Some(me.as_str().to_owned());
    row.started_at = None;
}

/// A row as the claim that it is; without a slot it was due when it was made.
pub(in super::super) fn claim_of(row: &LedgerRow, created_at: Instant) -> Claim {
    Claim {
        execution: row.id,
        bot: row.bot.clone(),
        trigger: row.trigger,
        slot: row.scheduled_for,
        due: row.scheduled_for.unwrap_or(created_at),
        attempt: row.attempt,
    }
}
