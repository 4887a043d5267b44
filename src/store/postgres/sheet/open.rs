//! Rows that a dead process left open, and the posts of open runs.

use serde_json::{Value, json};

use super::{Sheet, Writer};
use crate::{
    domain::{
        Instant,
        outcome::Gap,
        run::{Claim, ExecutionId},
    },
    store::{LedgerRow, NewPost, Rescued, records::STILL_WANTED},
};

impl Sheet {
    /// Whether the post's run is this process's.
    pub(in super::super) fn owns(&self, post: &NewPost, by: &Writer) -> bool {
        self.owned(post.execution, &by.me).is_some()
    }

    /// Whether the post's run is this process's; it has started, then, if nobody has said so yet.
    pub(in super::super) fn may_post(&mut self, post: &NewPost, by: &Writer) -> bool {
        let owned = self.owns(post, by);
        if owned {
            self.mark_started(post.execution, post.started_at);
        }
        owned
    }

    /// Deals with one row of a dead process: gives a claim back, closes a run, or takes it over with the next attempt if
    /// that is among the first `most`.
    pub(in super::super) fn rescue(
        &mut self,
        id: ExecutionId,
        created_at: Instant,
        most: u32,
        at: Instant,
        by: &Writer,
    ) -> Option<Rescued> {
        let row = self.row(id)?;
        let bot = row.bot.clone();
        let has_run = row.started_at.is_some() || row.attempt > 1;
        if has_run && next_attempt(row) <= most {
            self.ran(id);
            let row = self.edit_row(id)?;
            take_over(row, by);
            return Some(Rescued::Again(claim_of(row, created_at)));
        }
        if self.is_still_wanted(id, by.now) {
            let row = self.edit_row(id)?;
            take_over(row, by);
            return Some(Rescued::Again(claim_of(row, created_at)));
        }
        if has_run || row.scheduled_for.is_none() {
            self.abandon(id, "its process ended before the run did", at);
            return Some(Rescued::Abandoned(bot, id));
        }
        self.give_back(id, Gap::Late, at);
        Some(Rescued::Released(bot))
    }

    /// Whether a trigger or an event waits for its first start, and not for too long.
    fn is_still_wanted(&self, id: ExecutionId, now: Instant) -> bool {
        let is_here = self.state().is_some_and(|state| !state.removed);
        let wanted = |row: &LedgerRow| {
            let has_run = row.started_at.is_some() || row.attempt > 1;
            !has_run && row.scheduled_for.is_none() && now - row.created_at <= STILL_WANTED
        };
        is_here && self.row(id).is_some_and(wanted)
    }
}

/// An attempt that its process died before is still to come, so it keeps its number.
fn next_attempt(row: &LedgerRow) -> u32 {
    row.attempt
        .saturating_add(u32::from(row.started_at.is_some()))
}

/// The row waits for its next attempt, and what the last one left is noted in `metadata`.
fn take_over(row: &mut LedgerRow, by: &Writer) {
    let attempt = next_attempt(row);
    if let Some(started) = row.started_at.take() {
        let cut_off = json!({
            "attempt": row.attempt,
            "replica": row.replica,
            "started_at": started,
        });
        note(&mut row.metadata, cut_off);
        row.cancel_requested = false;
    } else if let (1, Some(map)) = (row.attempt, row.metadata.as_object_mut()) {
        map.insert("rescued_from".to_owned(), json!(row.replica));
    }
    // Whoever wanted a claim cancelled that has not started still does.
    row.attempt = attempt;
    row.replica = Some(by.me.as_str().to_owned());
}

fn note(metadata: &mut Value, cut_off: Value) {
    if !metadata.is_object() {
        *metadata = json!({});
    }
    if let Some(map) = metadata.as_object_mut() {
        match map.entry("interrupted").or_insert_with(|| json!([])) {
            Value::Array(list) => list.push(cut_off),
            other => *other = json!([cut_off]),
        }
    }
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
