//! Slots: claimed, accounted for as gaps, or given back.

use serde_json::Value;

use super::{Change, Sheet, Tracked, Writer, claim};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        fact::Fact,
        hold::{Hold, HoldKind},
        outcome::{Gap, Status},
        run::{ExecutionId, Trigger},
        slots::GapRange,
        state::BotState,
    },
    store::{Advance, LedgerRow, Written, keys},
};

impl Sheet {
    /// See [`crate::store::Write::Register`].
    pub(in super::super) fn register(
        &mut self,
        expected: Option<&BotState>,
        new: &BotState,
        gaps: &[GapRange],
        at: Instant,
        by: &mut Writer,
    ) -> Written {
        match (expected, &mut self.state) {
            (None, None) => self.state = Some(Tracked::new(new.clone())),
            (Some(expected), Some(stored)) if is_as_planned(expected, &stored.value) => {
                take_over(stored.edit(), new);
                if ends_claims(expected, new) {
                    self.end_claims(at);
                }
            }
            _ => return self.stale(),
        }
        for gap in gaps {
            self.record(&new.bot, gap, by);
        }
        self.answer()
    }

    /// Settles what was claimed by the schedule that ends at `at`, the oldest slot first, so that a gap grows.
    fn end_claims(&mut self, at: Instant) {
        let fresh = |row: &&LedgerRow| {
            row.status == Status::Running && row.started_at.is_none() && row.attempt == 1
        };
        let claims = self.live_rows().filter(fresh);
        let mut claims: Vec<(Instant, ExecutionId)> = claims
            .filter_map(|row| Some((row.scheduled_for?, row.id)))
            .collect();
        claims.sort_unstable();
        for (slot, id) in claims {
            if slot <= at {
                self.become_gap(id, Gap::Late);
            } else {
                self.delete(id);
            }
        }
    }

    /// See [`crate::store::Write::Advance`].
    pub(in super::super) fn advance(&mut self, advance: &Advance, by: &mut Writer) -> Written {
        if !self.state().is_some_and(|state| is_current(advance, state)) {
            return self.stale();
        }
        if advance.alone && self.live_rows().any(|row| row.status == Status::Running) {
            let another_waits = false;
            return Written::Busy { another_waits };
        }
        for gap in &advance.gaps {
            self.record(&advance.bot, gap, by);
        }
        if let Some(state) = self.edit_state() {
            state.next_run = advance.next;
        }
        let slot = advance.claim.filter(|slot| !self.accounts_for(*slot));
        Written::Claimed(slot.and_then(|slot| self.claim_slot(&advance.bot, slot, by)))
    }

    fn claim_slot(&mut self, bot: &BotName, slot: Instant, by: &mut Writer) -> Option<ExecutionId> {
        let row = claim(by.id()?, bot, by, Trigger::Schedule);
        let id = row.id;
        self.insert(LedgerRow {
            scheduled_for: Some(slot),
            ..row
        });
        Some(id)
    }

    /// See [`crate::store::Write::Insert`].
    pub(in super::super) fn insert_claim(
        &mut self,
        bot: &BotName,
        trigger: Trigger,
        metadata: &Value,
        key: Option<&str>,
        by: &mut Writer,
    ) -> Written {
        let key = key.map(keys::of_wish);
        if let Some(id) = key.as_ref().and_then(|key| self.wishes.get(key)) {
            return Written::Repeated(*id);
        }
        let id = by.id();
        if let Some(id) = id {
            self.wishes.extend(key.map(|key| (key, id)));
            self.insert(LedgerRow {
                metadata: metadata.clone(),
                ..claim(id, bot, by, trigger)
            });
        }
        Written::Claimed(id)
    }

    /// See [`crate::store::Write::Decline`].
    pub(in super::super) fn decline(&mut self, id: ExecutionId, gap: Gap, by: &Writer) -> Written {
        let Some(row) = self.waiting(id, &by.me) else {
            return Written::Lost;
        };
        if row.attempt > 1 {
            let error = format!("it was not run again: {}", gap.reason());
            self.abandon(id, &error, by.now);
        } else {
            self.become_gap(id, gap);
        }
        Written::Done
    }

    /// See [`crate::store::Write::Release`].
    pub(in super::super) fn release(&mut self, id: ExecutionId, by: &Writer) -> Written {
        if self.waiting(id, &by.me).is_none() {
            return Written::Lost;
        }
        let passed_over = self.gap_of_a_slot_passed_over(by.now);
        self.give_back(id, passed_over, by.now);
        Written::Done
    }

    /// The slot of a claim is decided anew, unless that would go back behind slots that are accounted for. What has run
    /// once, in a process that died, is not undone.
    pub(super) fn give_back(&mut self, id: ExecutionId, passed_over: Gap, at: Instant) {
        let fresh = self.row(id).filter(|row| row.attempt == 1);
        let Some(slot) = fresh.and_then(|row| row.scheduled_for) else {
            return self.abandon(id, "its process ended before the run started", at);
        };
        let later = self.live_rows().any(|row| row.scheduled_for > Some(slot));
        if later {
            return self.become_gap(id, passed_over);
        }
        self.delete(id);
        if let Some(state) = self.edit_state()
            && state.next_run.is_none_or(|next| next > slot)
        {
            state.next_run = Some(slot);
        }
    }

    /// Why a slot did not run that was given back too late: time under a hold is the hold's.
    fn gap_of_a_slot_passed_over(&self, at: Instant) -> Gap {
        let hold = self.state().and_then(|state| state.hold.as_ref());
        let hold = hold.filter(|hold| !hold.is_over(at));
        hold.map_or(Gap::Late, |hold| Gap::Held(hold.kind))
    }

    /// The claim's row becomes a gap, or makes the gap before it grow.
    fn become_gap(&mut self, id: ExecutionId, gap: Gap) {
        let slot = self.row(id).and_then(|row| row.scheduled_for);
        let single = slot.map(|slot| GapRange {
            first: slot,
            last: slot,
            slots: 1,
            gap,
        });
        if single.as_ref().is_some_and(|range| self.grow(range)) {
            self.delete(id);
        } else if let Some(row) = self.edit_row(id) {
            into_gap(row, gap, slot);
            let fact = match &single {
                Some(range) => Fact::passed_over(&row.bot, range),
                None => Fact::declined(&row.bot, gap),
            };
            self.facts.push((id, fact));
        }
    }

    /// Adds slots that did not run: to the row before them if they continue it, else as a row of their own.
    fn record(&mut self, bot: &BotName, range: &GapRange, by: &mut Writer) {
        if range.slots == 0 || self.grow(range) {
            return;
        }
        if let Some(id) = by.id() {
            let mut row = claim(id, bot, by, Trigger::Schedule);
            row.scheduled_for = Some(range.first);
            row.slots = count(range);
            into_gap(&mut row, range.gap, Some(range.last));
            self.insert(row);
            self.facts.push((id, Fact::passed_over(bot, range)));
        }
    }

    /// Lets the row before the range grow by it; `false` if the range does not continue that row.
    fn grow(&mut self, range: &GapRange) -> bool {
        let before = self
            .last_until(range.first, false)
            .filter(|row| continues(row, range));
        let id = before.map(|row| row.id);
        let Some((id, row)) = id.and_then(|id| Some((id, self.edit_row(id)?))) else {
            return false;
        };
        row.slots = row.slots.saturating_add(count(range));
        row.slot_last = Some(range.last);
        let fact = Fact::passed_over(&row.bot, range);
        self.facts.push((id, fact));
        true
    }

    /// Whether the ledger says already what became of the slot.
    fn accounts_for(&self, slot: Instant) -> bool {
        self.last_until(slot, true)
            .is_some_and(|row| row.slot_last.or(row.scheduled_for) >= Some(slot))
    }

    /// The row of the last slot before `slot` (or at it).
    fn last_until(&self, slot: Instant, inclusive: bool) -> Option<&LedgerRow> {
        let fits = |row: &&LedgerRow| {
            row.scheduled_for
                .is_some_and(|first| first < slot || (inclusive && first == slot))
        };
        self.live_rows()
            .filter(fits)
            .max_by_key(|row| row.scheduled_for)
    }

    /// Takes back a claim whose slot turned out to have a row already.
    pub(in super::super) fn forget(&mut self, id: ExecutionId) {
        self.rows
            .retain(|row, tracked| *row != id || tracked.change != Change::New);
    }
}

fn continues(row: &LedgerRow, range: &GapRange) -> bool {
    row.started_at.is_none()
        && row.status == range.gap.status()
        && row.reason.as_deref() == Some(range.gap.reason())
        && row.slot_last.is_some_and(|last| last < range.first)
}

fn into_gap(row: &mut LedgerRow, gap: Gap, last: Option<Instant>) {
    row.status = gap.status();
    row.reason = Some(gap.reason().to_owned());
    row.slot_last = last;
    row.replica = None;
}

fn count(range: &GapRange) -> i64 {
    i64::try_from(range.slots).unwrap_or(i64::MAX)
}

fn is_current(advance: &Advance, state: &BotState) -> bool {
    state.next_run == Some(advance.expected_next)
        && state.schedule == advance.expected_schedule
        && kind(state) == advance.expected_hold
}

/// Whether claims of the state before have no place in the new one.
pub(in super::super) fn ends_claims(old: &BotState, new: &BotState) -> bool {
    old.schedule != new.schedule || old.removed != new.removed
}

fn is_as_planned(expected: &BotState, stored: &BotState) -> bool {
    expected.schedule == stored.schedule
        && expected.next_run == stored.next_run
        && expected.removed == stored.removed
        && kind(expected) == kind(stored)
}

fn kind(state: &BotState) -> Option<HoldKind> {
    state.hold.as_ref().map(|hold| hold.kind)
}

/// What the configuration decides; what runs count up (also in other processes, meanwhile) stays as it is.
fn take_over(stored: &mut BotState, new: &BotState) {
    let old = stored.clone();
    *stored = BotState {
        hold: hold(old.hold, new.hold.clone()),
        last_run: old.last_run,
        last_success: old.last_success,
        consecutive_failures: old.consecutive_failures,
        runs: old.runs,
        ..new.clone()
    };
}

/// A hold of the same kind keeps what an operator wrote meanwhile; `invalid` tells of the file as it is now.
fn hold(old: Option<Hold>, new: Option<Hold>) -> Option<Hold> {
    match (old, new) {
        (Some(old), Some(new)) if old.kind == new.kind && old.kind != HoldKind::Invalid => {
            Some(old)
        }
        (_, new) => new,
    }
}
