//! Slots: claimed, accounted for as gaps, or given back.

use serde_json::Value;

use super::{Change, Sheet, Tracked, Writer, claim, runs::close};
use crate::{
    domain::{
        Instant,
        outcome::{Gap, Status},
        run::{ExecutionId, Trigger},
        slots::GapRange,
        state::BotState,
    },
    store::{Advance, LedgerRow, Written},
};

impl Sheet {
    /// See [`crate::store::Write::Register`].
    pub(in super::super) fn register(
        &mut self,
        expected: Option<&BotState>,
        new: &BotState,
        gaps: &[GapRange],
        by: &mut Writer,
    ) -> Written {
        match (expected, &mut self.state) {
            (None, None) => self.state = Some(Tracked::new(new.clone())),
            (Some(expected), Some(stored)) if is_as_planned(expected, &stored.value) => {
                take_over(stored.edit(), new);
            }
            _ => return self.stale(),
        }
        for gap in gaps {
            self.record(gap, by);
        }
        self.answer()
    }

    /// See [`crate::store::Write::Advance`].
    pub(in super::super) fn advance(&mut self, advance: &Advance, by: &mut Writer) -> Written {
        let Some(state) = self.state().filter(|state| is_current(advance, state)) else {
            return self.stale();
        };
        let claimed = claim_of(state, advance, by);
        for gap in &advance.gaps {
            self.record(gap, by);
        }
        if let Some(state) = self.edit_state() {
            state.next_run = advance.next;
        }
        let claimed = claimed.filter(|row| row.scheduled_for.is_some_and(|slot| !self.knows(slot)));
        let id = claimed.as_ref().map(|row| row.id);
        if let Some(row) = claimed {
            self.insert(row);
        }
        Written::Claimed(id)
    }

    /// See [`crate::store::Write::Insert`].
    pub(in super::super) fn insert_claim(
        &mut self,
        trigger: Trigger,
        metadata: &Value,
        by: &mut Writer,
    ) -> Written {
        let row = self
            .state()
            .and_then(|state| Some(claim(by.id()?, state, &by.me, trigger)));
        let id = row.as_ref().map(|row| row.id);
        if let Some(mut row) = row {
            row.metadata = metadata.clone();
            self.insert(row);
        }
        Written::Claimed(id)
    }

    /// See [`crate::store::Write::Decline`].
    pub(in super::super) fn decline(
        &mut self,
        id: ExecutionId,
        gap: Gap,
        by: &mut Writer,
    ) -> Written {
        let Some(row) = self.waiting(id, &by.me) else {
            return Written::Lost;
        };
        let slot = row.scheduled_for;
        match slot {
            Some(slot) if self.grows(slot, slot, 1, gap, Some(id)) => self.delete(id),
            _ => {
                if let Some(row) = self.edit_row(id) {
                    into_gap(row, gap, slot);
                }
            }
        }
        Written::Done
    }

    /// See [`crate::store::Write::Release`].
    pub(in super::super) fn release(&mut self, id: ExecutionId, by: &mut Writer) -> Written {
        let Some(row) = self.waiting(id, &by.me) else {
            return Written::Lost;
        };
        match row.scheduled_for.filter(|_| row.attempt == 1) {
            Some(slot) => self.give_back(id, slot, by),
            // What was on already, in a process that died, is no slot to be decided anew.
            None => {
                if let Some(row) = self.edit_row(id) {
                    let error = "given back before it started";
                    close(row, Status::Abandoned, by.now, Some(error.to_owned()));
                }
            }
        }
        Written::Done
    }

    /// The slot is decided anew, unless that would go back behind slots that are accounted for.
    fn give_back(&mut self, id: ExecutionId, slot: Instant, by: &mut Writer) {
        let passed = self.state().is_none_or(|state| state.removed)
            || self
                .newest(Some(id))
                .is_some_and(|row| row.scheduled_for > Some(slot));
        if passed {
            self.decline(id, Gap::Late, by);
            return;
        }
        self.delete(id);
        if let Some(state) = self.edit_state()
            && state.next_run.is_none_or(|next| next > slot)
        {
            state.next_run = Some(slot);
        }
    }

    /// Adds slots that did not run: to the newest row if they continue it, else as a row of their own.
    fn record(&mut self, range: &GapRange, by: &mut Writer) {
        let slots = i64::try_from(range.slots).unwrap_or(i64::MAX);
        if self.grows(range.first, range.last, slots, range.gap, None) {
            return;
        }
        let row = self
            .state()
            .and_then(|state| Some(claim(by.id()?, state, &by.me, Trigger::Schedule)));
        if let Some(mut row) = row.filter(|_| !self.knows(range.first)) {
            row.scheduled_for = Some(range.first);
            row.slots = slots;
            into_gap(&mut row, range.gap, Some(range.last));
            self.insert(row);
        }
    }

    /// Lets the newest row grow, if it is a gap of the same kind that ends before `first`.
    fn grows(
        &mut self,
        first: Instant,
        last: Instant,
        slots: i64,
        gap: Gap,
        besides: Option<ExecutionId>,
    ) -> bool {
        let newest = self.newest(besides).filter(|row| {
            row.started_at.is_none()
                && row.status == gap.status()
                && row.reason.as_deref() == Some(gap.reason())
                && row.slot_last.is_some_and(|end| end < first)
        });
        let id = newest.map(|row| row.id);
        let Some(row) = id.and_then(|id| self.edit_row(id)) else {
            return false;
        };
        row.slots = row.slots.saturating_add(slots);
        row.slot_last = Some(last);
        true
    }

    /// The row of the newest slots.
    fn newest(&self, besides: Option<ExecutionId>) -> Option<&LedgerRow> {
        self.live_rows()
            .filter(|row| row.scheduled_for.is_some() && Some(row.id) != besides)
            .max_by_key(|row| row.scheduled_for)
    }

    /// Whether a row that is at hand accounts for the slot.
    fn knows(&self, slot: Instant) -> bool {
        self.live_rows().any(|row| match row.scheduled_for {
            Some(first) => first == slot || (first < slot && row.slot_last >= Some(slot)),
            None => false,
        })
    }

    /// Takes back a claim whose slot turned out to have a row already.
    pub(in super::super) fn forget(&mut self, id: ExecutionId) {
        if self
            .rows
            .get(&id)
            .is_some_and(|row| row.change == Change::New)
        {
            self.rows.remove(&id);
        }
    }
}

fn claim_of(state: &BotState, advance: &Advance, by: &mut Writer) -> Option<LedgerRow> {
    let slot = advance.claim?;
    let row = claim(by.id()?, state, &by.me, Trigger::Schedule);
    Some(LedgerRow {
        scheduled_for: Some(slot),
        ..row
    })
}

fn into_gap(row: &mut LedgerRow, gap: Gap, last: Option<Instant>) {
    row.status = gap.status();
    row.reason = Some(gap.reason().to_owned());
    row.slot_last = last;
    row.replica = None;
}

fn is_current(advance: &Advance, state: &BotState) -> bool {
    !state.removed
        && state.next_run == Some(advance.expected_next)
        && state.schedule == advance.expected_schedule
        && state.hold.as_ref().map(|hold| hold.kind) == advance.expected_hold
}

fn is_as_planned(expected: &BotState, stored: &BotState) -> bool {
    expected.schedule == stored.schedule
        && expected.next_run == stored.next_run
        && expected.removed == stored.removed
        && expected.hold.as_ref().map(|hold| hold.kind)
            == stored.hold.as_ref().map(|hold| hold.kind)
}

/// What the configuration decides; what runs count up (also in other processes, meanwhile) stays as it is.
fn take_over(stored: &mut BotState, new: &BotState) {
    let old = stored.clone();
    *stored = BotState {
        last_run: old.last_run,
        consecutive_failures: old.consecutive_failures,
        runs: old.runs,
        ..new.clone()
    };
}
