//! Runs: started, tried again, ended.

use chrono::SubsecRound;
use serde_json::Value;

use super::{Sheet, Writer};
use crate::{
    domain::{
        Instant,
        fact::Fact,
        hold::{Hold, HoldKind},
        outcome::{SkillStatus, Status},
        run::{ExecutionId, Trigger},
        state::BotState,
    },
    store::{Finish, LedgerRow, Start, Written},
};

impl Sheet {
    /// See [`crate::store::Write::Start`].
    pub(in super::super) fn start(&mut self, start: &Start, by: &Writer) -> Written {
        let Some(row) = self.owned(start.execution, &by.me) else {
            return Written::Lost;
        };
        let counts = counts(row);
        if let Some(started) = row.started_at {
            return self.repeated(start, started, counts);
        }
        let is_event = row.trigger == Trigger::Event;
        if start.scheduled
            && let Some(refusal) = self.refusal(start, counts, by.now)
        {
            return refusal;
        }
        if is_event && let Some(hold) = self.hold_against(start) {
            return Written::Held(hold);
        }
        if start.exclusive && self.is_busy(start.execution) {
            let another_waits = self.another_waits(start.execution);
            return Written::Busy { another_waits };
        }
        let at = self.not_before_the_last_end(start);
        self.mark_started(start.execution, at);
        let finished = counts && self.is_spent(start);
        if finished {
            self.end_slots();
        }
        Written::Started { at, finished }
    }

    /// The moment was taken before the database was asked; meanwhile another process may have ended the run before.
    fn not_before_the_last_end(&self, start: &Start) -> Instant {
        let ends = self.live_rows().filter(|row| row.started_at.is_some());
        let last = ends.filter_map(|row| row.completed_at).max();
        last.filter(|_| start.exclusive)
            .map_or(start.at, |last| last.max(start.at))
    }

    /// The bot has had all its runs.
    fn end_slots(&mut self) {
        if let Some(state) = self.edit_state() {
            state.next_run = None;
        }
    }

    /// The answer to a start that is stored already, perhaps a little later than it was asked for; a later one than that
    /// is refused.
    fn repeated(&self, start: &Start, started: Instant, counts: bool) -> Written {
        if started.trunc_subsecs(6) < start.at.trunc_subsecs(6) {
            return Written::Lost;
        }
        let finished = counts && self.is_spent(start);
        let at = started;
        Written::Started { at, finished }
    }

    /// What stands against a scheduled run: another schedule, an end by `max_runs`, or a hold. A claim beyond `max_runs`
    /// was given back and taken again after the last run, which brought the bot's slots back.
    fn refusal(&mut self, start: &Start, counts: bool, at: Instant) -> Option<Written> {
        let is_current = self
            .state()
            .is_some_and(|state| !state.removed && state.schedule == start.schedule);
        let is_spent = counts && self.is_spent(start);
        if is_current && is_spent {
            self.end_slots();
        }
        if !is_current || is_spent {
            self.discard(start.execution, at);
            return Some(Written::Outdated);
        }
        self.hold_against(start).map(Written::Held)
    }

    fn hold_against(&self, start: &Start) -> Option<Hold> {
        let hold = self.state().and_then(|state| state.hold.clone());
        hold.filter(|hold| !hold.is_over(start.at))
    }

    fn is_spent(&self, start: &Start) -> bool {
        let runs = self.state().map_or(0, |state| state.runs);
        start.max_runs.is_some_and(|max| runs >= max)
    }

    fn is_busy(&self, besides: ExecutionId) -> bool {
        self.live_rows().any(|row| {
            row.id != besides && row.status == Status::Running && row.started_at.is_some()
        })
    }

    fn another_waits(&self, besides: ExecutionId) -> bool {
        let slot = self.row(besides).and_then(|row| row.scheduled_for);
        self.live_rows().any(|row| {
            row.status == Status::Running
                && row.started_at.is_none()
                && row
                    .scheduled_for
                    .is_some_and(|earlier| Some(earlier) < slot)
        })
    }

    /// Ends a claim whose slot does not exist any more; what has run once stays in the ledger.
    fn discard(&mut self, id: ExecutionId, at: Instant) {
        if self.row(id).is_some_and(|row| row.attempt > 1) {
            self.abandon(id, "the schedule is another now", at);
        } else {
            self.delete(id);
        }
    }

    /// Marks a run as started, the bot's last one from now on, and counts it, if nobody has done so.
    pub(super) fn mark_started(&mut self, id: ExecutionId, at: Instant) {
        let Some(row) = self.row(id).filter(|row| row.started_at.is_none()) else {
            return;
        };
        let counts = counts(row);
        if let Some(row) = self.edit_row(id) {
            row.started_at = Some(at);
        }
        self.ran(id);
        if counts && let Some(state) = self.edit_state() {
            state.runs = state.runs.saturating_add(1);
        }
    }

    /// See [`crate::store::Write::Attempt`].
    pub(in super::super) fn attempt(
        &mut self,
        id: ExecutionId,
        attempt: u32,
        metadata: &Value,
        by: &Writer,
    ) -> Written {
        if self.owned(id, &by.me).is_none() {
            return Written::Lost;
        }
        if let Some(row) = self.edit_row(id) {
            row.attempt = attempt;
            merge(&mut row.metadata, metadata);
        }
        Written::Done
    }

    /// See [`crate::store::Write::RequestCancel`].
    pub(in super::super) fn request_cancel(&mut self, execution: Option<ExecutionId>) -> Written {
        let wanted = |row: &&LedgerRow| match execution {
            Some(id) => row.id == id,
            None => row.started_at.is_some(),
        };
        let running = self.live_rows().filter(|row| row.status == Status::Running);
        let ids: Vec<ExecutionId> = running.filter(wanted).map(|row| row.id).collect();
        for id in &ids {
            if let Some(row) = self.edit_row(*id) {
                row.cancel_requested = true;
            }
        }
        if ids.is_empty() {
            Written::Lost
        } else {
            Written::Done
        }
    }

    /// See [`crate::store::Write::Finish`].
    pub(in super::super) fn finish(&mut self, finish: &Finish, by: &Writer) -> Written {
        if self.owned(finish.execution, &by.me).is_none() {
            return Written::Lost;
        }
        self.mark_started(finish.execution, finish.started_at);
        if let Some(row) = self.edit_row(finish.execution) {
            fill(row, finish);
        }
        self.tell_end(finish.execution);
        self.ran(finish.execution);
        let Some(state) = self.edit_state() else {
            return Written::Finished {
                consecutive_failures: 0,
                hold: None,
            };
        };
        if finish.counts() {
            count(state, finish);
            if state.hold.is_none() {
                state.hold = hold_after(finish, state.consecutive_failures);
            }
        }
        Written::Finished {
            consecutive_failures: state.consecutive_failures,
            hold: state.hold.clone(),
        }
    }

    /// Closes a run that will not end by itself.
    pub(super) fn abandon(&mut self, id: ExecutionId, error: &str, at: Instant) {
        if let Some(row) = self.edit_row(id) {
            close(row, Status::Abandoned, at, Some(error.to_owned()));
            row.started_at = row.started_at.or_else(|| interrupted_start(row));
        }
        self.tell_end(id);
        self.ran(id);
    }

    /// The row says now how its run ended.
    fn tell_end(&mut self, id: ExecutionId) {
        let fact = self.row(id).map(|row| {
            let reason = row.reason.as_deref();
            Fact::ran(&row.bot, row.scheduled_for, row.status, reason)
        });
        self.facts.extend(fact.map(|fact| (id, fact)));
    }

    /// Keeps the start of the newest run in the state.
    pub(super) fn ran(&mut self, id: ExecutionId) {
        let started = self.row(id).and_then(|row| row.started_at);
        if let Some(state) = self.edit_state() {
            state.last_run = state.last_run.max(started);
        }
    }
}

/// Whether the start of this row counts against `max_runs`: a slot counts once, however often it is run again.
fn counts(row: &LedgerRow) -> bool {
    row.trigger == Trigger::Schedule && row.attempt == 1
}

/// When the last attempt started that a process's death cut off.
fn interrupted_start(row: &LedgerRow) -> Option<Instant> {
    let last = row.metadata.get("interrupted")?.as_array()?.last()?;
    serde_json::from_value(last.get("started_at")?.clone()).ok()
}

fn fill(row: &mut LedgerRow, finish: &Finish) {
    let outcome = &finish.outcome;
    close(
        row,
        outcome.status,
        finish.completed_at,
        outcome.error.clone(),
    );
    row.reason = (outcome.status == Status::Skipped)
        .then(|| outcome.gate.as_deref().unwrap_or("gate").to_owned());
    row.attempt = finish.attempt;
    row.skills = [
        outcome.count(SkillStatus::Succeeded),
        outcome.count(SkillStatus::Failed),
        outcome.count(SkillStatus::Skipped),
    ];
    merge(&mut row.metadata, &finish.metadata);
}

/// Writes a run's end into its row.
fn close(row: &mut LedgerRow, status: Status, at: Instant, error: Option<String>) {
    row.status = status;
    row.completed_at = Some(at);
    row.success = status.success();
    row.error = error;
}

/// `newer` over what is stored, key by key.
fn merge(stored: &mut Value, newer: &Value) {
    match (stored, newer) {
        (Value::Object(stored), Value::Object(newer)) => stored.extend(newer.clone()),
        (stored, newer) => *stored = newer.clone(),
    }
}

/// A run that was cancelled or abandoned says nothing about the bot.
fn count(state: &mut BotState, finish: &Finish) {
    let status = finish.outcome.status;
    state.last_success = state.last_success.max(finish.success());
    if status.is_failure() {
        state.consecutive_failures = state.consecutive_failures.saturating_add(1);
    } else if matches!(status, Status::Succeeded | Status::Skipped) {
        state.consecutive_failures = 0;
    }
}

fn hold_after(finish: &Finish, failures: u32) -> Option<Hold> {
    let outcome = &finish.outcome;
    if let Some(kind) = outcome.hold {
        let reason = outcome.error.clone();
        let reason = reason.unwrap_or_else(|| kind.as_str().to_owned());
        return Some(Hold::by_server(kind, reason));
    }
    let reached = outcome.status.is_failure() && failures >= finish.max_consecutive_failures;
    let reason = format!("{failures} failed runs in a row");
    reached.then(|| Hold::by_server(HoldKind::Failures, reason))
}
