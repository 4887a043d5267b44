//! What a trace says of a run: its span begins when the bot's actor gets the claim, and ends when the store has taken the
//! run's end. A claim that never becomes a run is in no trace.

use tokio::sync::oneshot::error::RecvError;

use super::driver::Run;
use crate::{
    actors::persistence::WriteResult,
    domain::{
        Instant,
        outcome::{AttemptOutcome, Status},
        text::rfc3339,
    },
    store::Written,
    telemetry::traces::{Moment, Span, Start, TraceContext},
};

/// The span of a run that starts now.
///
/// Its trace is that of the request that wants the run. Any other is named after the ledger's row, so that a run that is
/// gone on with after its process died is in the trace that it began in.
pub(super) fn begin(run: &Run, since: Moment) -> Span {
    if !Span::are_made() {
        return Span::none();
    }
    let parent = run.input.trace().and_then(TraceContext::from_json);
    let seed = format!("{} {}", run.env.store.database_id(), run.claim.execution);
    let start = Start {
        since,
        parent: parent.as_ref(),
        seed: Some(&seed),
    };
    let span = Span::first("run", start);
    if span.is_recording() {
        describe(&span, run);
        span.child_since("claim", since).end();
    }
    span
}

fn describe(span: &Span, run: &Run) {
    let claim = &run.claim;
    span.set("actor", run.bot.name.to_string());
    span.set("execution_id", claim.execution.0);
    span.set("trigger", claim.trigger.as_str());
    if let Some(slot) = claim.slot {
        span.set("scheduled_for", rfc3339(slot));
    }
    span.set("lateness_seconds", seconds(claim.due, run.started_at));
    span.set("replica", run.env.me.id.to_string());
}

/// From `due` to `started`; both are by one clock.
fn seconds(due: Instant, started: Instant) -> f64 {
    let late = (started - due).num_microseconds().unwrap_or_default();
    late.max(0) as f64 / 1e6
}

/// The span of one attempt.
pub(super) fn attempt(run: &Run, number: u32) -> Span {
    let span = run.span.child("attempt");
    span.set("attempt", number);
    span
}

/// What came of it.
pub(super) fn outcome(span: &Span, outcome: &AttemptOutcome) {
    if !span.is_recording() {
        return;
    }
    span.set("outcome", outcome.status.as_str());
    if let Some(gate) = &outcome.gate {
        span.set("gate", gate.clone().into_owned());
    }
    if outcome.status.success() == Some(false) || outcome.status == Status::Missed {
        let error = outcome.error.as_deref();
        span.fail(error.unwrap_or(outcome.status.as_str()));
    }
}

/// The span of storing a run's end.
pub(super) fn storing(run: &Span, end: &AttemptOutcome, attempt: u32) -> Span {
    outcome(run, end);
    run.set("attempt", attempt);
    run.child("store result")
}

/// The store has answered about the end: the run is over.
pub(super) fn stored(run: &Span, storing: &Span, answer: &Result<WriteResult, RecvError>) {
    match answer {
        Ok(Ok(Written::Finished { .. })) => {}
        Ok(Ok(_)) => storing.fail("another process has taken the run over"),
        Ok(Err(error)) if storing.is_recording() => storing.fail(&error.to_string()),
        Ok(Err(_)) | Err(_) => storing.fail("the process ended before the store answered"),
    }
    storing.end();
    run.end();
}
