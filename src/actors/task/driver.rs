//! The life of one run: attempts, the waits between them, and whatever ends it early.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tracing::Instrument;

use super::{attempt, outlet::RunOutlet};
use crate::{
    actors::env::Env,
    domain::{
        Instant,
        bot::Bot,
        outcome::{AttemptOutcome, Status},
        run::Claim,
    },
    store::Write,
};

/// Why a run is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    /// By an operator, or by the bot's next slot.
    Cancelled,
    /// The process stops, and the grace period is over.
    Abandoned,
}

impl StopReason {
    fn outcome(self) -> AttemptOutcome {
        match self {
            Self::Cancelled => AttemptOutcome::broken(Status::Cancelled, "cancelled"),
            Self::Abandoned => AttemptOutcome::broken(
                Status::Abandoned,
                "the process stopped before the run ended",
            ),
        }
    }
}

/// One run.
pub(super) struct Run {
    pub(super) env: Arc<Env>,
    pub(super) bot: Arc<Bot>,
    pub(super) claim: Claim,
    pub(super) started_at: Instant,
    /// The payload of a trigger or event.
    pub(super) input: Value,
}

/// How a run ended.
pub(super) struct RunEnd {
    /// The last attempt.
    pub(super) outcome: AttemptOutcome,
    /// Its number.
    pub(super) attempt: u32,
    /// Earlier attempts, and the skills of the last.
    pub(super) metadata: Value,
}

/// Works until the run ends. `stopped` says when to end it early; if its sender is gone, so is the run's owner.
pub(super) async fn drive(run: Run, stopped: watch::Receiver<Option<StopReason>>) -> RunEnd {
    let Claim {
        execution,
        slot,
        trigger,
        ..
    } = &run.claim;
    let scheduled_for = slot.map(|slot| slot.to_rfc3339());
    let span = tracing::info_span!("run", actor = %run.bot.name, execution_id = %execution, scheduled_for, trigger = trigger.as_str());
    attempts(run, stopped).instrument(span).await
}

async fn attempts(run: Run, mut stopped: watch::Receiver<Option<StopReason>>) -> RunEnd {
    let run = Arc::new(run);
    let outlet = Arc::new(RunOutlet::new(Arc::clone(&run)));
    let mut earlier = Vec::new();
    let mut attempt = run.claim.attempt;
    loop {
        let outcome = tokio::select! {
            biased;
            reason = told_to_stop(&mut stopped) => reason.outcome(),
            outcome = attempt::run(Arc::clone(&run), Arc::clone(&outlet), attempt) => outcome,
        };
        let tried = attempt - run.claim.attempt + 1;
        let Some(wait) = wait_before_next(&run, &outcome, tried) else {
            return end(&run, outcome, attempt, earlier);
        };
        tracing::warn!(
            attempt,
            error = outcome.error,
            wait_ms = wait.as_millis(),
            "the attempt failed; trying again"
        );
        earlier.push(summary(&outcome, attempt));
        attempt += 1;
        run.env.queue.keep(Write::Attempt {
            execution: run.claim.execution,
            attempt,
            metadata: metadata(&run, &earlier, None),
        });
        tokio::select! {
            biased;
            reason = told_to_stop(&mut stopped) => return end(&run, reason.outcome(), attempt, earlier),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn told_to_stop(stopped: &mut watch::Receiver<Option<StopReason>>) -> StopReason {
    match stopped.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(StopReason::Abandoned),
        // The owner is gone; whoever follows it closes the run.
        Err(_) => StopReason::Abandoned,
    }
}

fn wait_before_next(
    run: &Run,
    outcome: &AttemptOutcome,
    tried: u32,
) -> Option<std::time::Duration> {
    let may = outcome.recoverable
        || !run.bot.behaviour.execution.stop_on_unrecoverable && outcome.status == Status::Failed;
    let failed = outcome.status.is_failure() && may;
    failed
        .then(|| run.bot.policy.retry.backoff_after(tried, random()))
        .flatten()
}

/// A number from 0 to 1, as good as jitter needs.
fn random() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    (high >> 11) as f64 / (1u64 << 53) as f64
}

fn end(run: &Run, outcome: AttemptOutcome, attempt: u32, earlier: Vec<Value>) -> RunEnd {
    let metadata = metadata(run, &earlier, Some(&outcome));
    RunEnd {
        outcome,
        attempt,
        metadata,
    }
}

fn metadata(run: &Run, earlier: &[Value], last: Option<&AttemptOutcome>) -> Value {
    let mut all = serde_json::Map::new();
    if !run.input.is_null() {
        all.insert("input".into(), run.input.clone());
    }
    if !earlier.is_empty() {
        all.insert("attempts".into(), earlier.into());
    }
    if let Some(last) = last {
        all.insert("skills".into(), json!(last.skills));
    }
    all.into()
}

fn summary(outcome: &AttemptOutcome, attempt: u32) -> Value {
    json!({ "attempt": attempt, "status": outcome.status.as_str(), "error": outcome.error, "skills": outcome.skills })
}
