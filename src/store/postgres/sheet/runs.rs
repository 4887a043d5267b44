//! Runs: started, tried again, ended.

use serde_json::Value;

use super::{Sheet, Writer, is_owned};
use crate::{
    domain::{
        Instant,
        hold::{Hold, HoldKind},
        outcome::{SkillStatus, Status},
        run::{ExecutionId, Trigger},
        state::BotState,
    },
    store::{Finish, LedgerRow, Start, Written},
};

impl Sheet {
    /// See [`crate::store::Write::Start`].
    ///
    /// A start that is stored already with the same moment is answered as it was: the batch may come a second time
    /// because the connection broke while the first was committed.
    pub(in super::super) fn start(&mut self, start: &Start, by: &Writer) -> Written {
        let Some(row) = self.owned(start.execution, &by.me) else {
            return Written::Lost;
        };
        match row.started_at {
            Some(at) if at != start.at => return Written::Lost,
            Some(_) => {}
            None => {
                if let Some(refusal) = self.refusal(start) {
                    if matches!(refusal, Written::Outdated) {
                        self.delete(start.execution);
                    }
                    return refusal;
                }
                self.mark_started(start.execution, start.at);
            }
        }
        self.started(start)
    }

    /// Why the run may not start.
    fn refusal(&self, start: &Start) -> Option<Written> {
        let Some(state) = self.state() else {
            return Some(Written::Lost);
        };
        if start.scheduled {
            if state.removed || state.schedule != start.schedule {
                return Some(Written::Outdated);
            }
            if let Some(hold) = &state.hold {
                return Some(Written::Held(hold.clone()));
            }
        }
        let others = |row: &LedgerRow| {
            row.id != start.execution && row.status == Status::Running && row.started_at.is_some()
        };
        (start.exclusive && self.live_rows().any(others)).then_some(Written::Busy)
    }

    fn started(&mut self, start: &Start) -> Written {
        let scheduled = self
            .row(start.execution)
            .is_some_and(|row| row.trigger == Trigger::Schedule);
        let runs = self.state().map_or(0, |state| state.runs);
        let finished = scheduled && start.max_runs.is_some_and(|max| runs >= max);
        if finished && let Some(state) = self.edit_state() {
            state.next_run = None;
        }
        Written::Started { finished }
    }

    /// Marks a run as started and counts it; the second attempt of an interrupted run is no run more.
    pub(super) fn mark_started(&mut self, id: ExecutionId, at: Instant) {
        let Some(row) = self.edit_row(id).filter(|row| row.started_at.is_none()) else {
            return;
        };
        row.started_at = Some(at);
        let counts = row.trigger == Trigger::Schedule && row.attempt == 1;
        if let Some(state) = self.edit_state() {
            state.runs = state.runs.saturating_add(u32::from(counts));
            state.last_run = state.last_run.max(Some(at));
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
        let owned = self.owned(id, &by.me).is_some();
        match self.edit_row(id).filter(|_| owned) {
            Some(row) => {
                row.attempt = attempt;
                row.metadata = metadata.clone();
                Written::Done
            }
            None => Written::Lost,
        }
    }

    /// See [`crate::store::Write::Finish`].
    pub(in super::super) fn finish(&mut self, finish: &Finish, by: &Writer) -> Written {
        if self.owned(finish.execution, &by.me).is_none() {
            return Written::Lost;
        }
        self.mark_started(finish.execution, finish.started_at);
        let outcome = &finish.outcome;
        if let Some(row) = self.edit_row(finish.execution) {
            close(
                row,
                outcome.status,
                finish.completed_at,
                outcome.error.clone(),
            );
            row.reason = (outcome.status == Status::Skipped)
                .then(|| outcome.gate.as_deref().unwrap_or("gate").to_owned());
            row.attempt = finish.attempt;
            row.metadata = finish.metadata.clone();
            row.skills = [
                SkillStatus::Succeeded,
                SkillStatus::Failed,
                SkillStatus::Skipped,
            ]
            .map(|status| outcome.count(status));
        }
        let Some(state) = self.edit_state() else {
            return Written::Lost;
        };
        count(state, outcome.status);
        if state.hold.is_none() {
            state.hold = hold_after(finish, state.consecutive_failures);
        }
        Written::Finished {
            consecutive_failures: state.consecutive_failures,
            hold: state.hold.clone(),
        }
    }

    /// See [`crate::store::Write::CloseRuns`].
    pub(in super::super) fn close_runs(
        &mut self,
        status: Status,
        error: &str,
        at: Instant,
        by: &mut Writer,
    ) -> Written {
        let open: Vec<(ExecutionId, bool)> = self
            .live_rows()
            .filter(|row| is_owned(row, &by.me))
            .map(|row| (row.id, row.started_at.is_some()))
            .collect();
        for (id, started) in open.into_iter().rev() {
            if started {
                self.end(id, status, error, at);
            } else {
                self.release(id, by);
            }
        }
        Written::Done
    }

    /// Ends a run from outside.
    pub(super) fn end(&mut self, id: ExecutionId, status: Status, error: &str, at: Instant) {
        if let Some(row) = self.edit_row(id) {
            close(row, status, at, Some(error.to_owned()));
        }
        if let Some(state) = self.edit_state() {
            count(state, status);
        }
    }
}

/// Writes a run's end into its row.
pub(super) fn close(row: &mut LedgerRow, status: Status, at: Instant, error: Option<String>) {
    row.status = status;
    row.completed_at = Some(at);
    row.success = status.success();
    row.error = error;
}

/// A run that was cancelled or abandoned says nothing about the bot.
fn count(state: &mut BotState, status: Status) {
    if status.is_failure() {
        state.consecutive_failures = state.consecutive_failures.saturating_add(1);
    } else if matches!(status, Status::Succeeded | Status::Skipped) {
        state.consecutive_failures = 0;
    }
}

fn hold_after(finish: &Finish, failures: u32) -> Option<Hold> {
    let (outcome, max) = (&finish.outcome, finish.max_consecutive_failures);
    if let Some(kind) = outcome.hold {
        let reason = outcome.error.clone();
        return Some(Hold::by_server(
            kind,
            reason.unwrap_or_else(|| kind.as_str().to_owned()),
        ));
    }
    (outcome.status.is_failure() && max > 0 && failures >= max).then(|| {
        Hold::by_server(
            HoldKind::Failures,
            format!("{failures} failed runs in a row"),
        )
    })
}
