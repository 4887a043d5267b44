//! The life of one run: attempts, the waits between them, and whatever ends it early.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tracing::{Instrument, field::display};

use super::{attempt, outlet::RunOutlet, spans};
use crate::{
    actors::{breakers::random, env::Env, persistence::WriteResult, runs::StopReason},
    domain::{
        Instant,
        bot::{Bot, BotName},
        hold::HoldKind,
        input::RunInput,
        outcome::{AttemptOutcome, Status},
        run::{Claim, ExecutionId},
        text::rfc3339,
    },
    store::{Write, Written},
    telemetry::traces::{Moment, Span},
};

/// One run.
pub(super) struct Run {
    pub(super) env: Arc<Env>,
    pub(super) bot: Arc<Bot>,
    pub(super) claim: Claim,
    pub(super) started_at: Instant,
    /// What a trigger or event gave it.
    pub(super) input: RunInput,
    /// What a dry run would have posted, by position.
    pub(super) would_post: Mutex<BTreeMap<i32, Value>>,
    /// A post of it stays `pending`, for a reason that is neither the post's nor the bot's.
    pub(super) post_waits: AtomicBool,
    /// Its part of a trace.
    pub(super) span: Span,
}

impl Run {
    /// `since`: when the bot's actor got the claim.
    pub(super) fn new(
        env: Arc<Env>,
        bot: Arc<Bot>,
        claim: Claim,
        started_at: Instant,
        input: RunInput,
        since: Moment,
    ) -> Self {
        let run = Self {
            env,
            bot,
            claim,
            started_at,
            input,
            would_post: Mutex::new(BTreeMap::new()),
            post_waits: AtomicBool::new(false),
            span: Span::none(),
        };
        let span = spans::begin(&run, since);
        Self { span, ..run }
    }
}

/// How a run ended.
pub(super) struct RunEnd {
    /// The last attempt.
    pub(super) outcome: AttemptOutcome,
    /// Its number.
    pub(super) attempt: u32,
    /// Earlier attempts, and the skills of the last.
    pub(super) metadata: Value,
    /// Goes on until the end is stored.
    pub(super) span: Span,
}

impl RunEnd {
    /// One line a run, which can be read alone.
    pub(super) fn log(&self, actor: &BotName, execution: ExecutionId) {
        let (outcome, attempt) = (self.outcome.status.as_str(), self.attempt);
        let gate = self.outcome.gate.as_deref();
        match &self.outcome.error {
            Some(error) if self.outcome.status != Status::Succeeded => {
                tracing::warn!(%actor, execution_id = %execution, outcome, attempt, error, "the run has ended");
            }
            _ => {
                tracing::info!(%actor, execution_id = %execution, outcome, gate, "the run has ended")
            }
        }
        if self.outcome.hold == Some(HoldKind::Refused) {
            tracing::warn!(%actor, execution_id = %execution, "the platform refuses the bot's channel");
        }
    }
}

/// Works until the run ends. `stopped` says when to end it early; if its sender is gone, so is the run's owner.
pub(super) async fn drive(run: Run, stopped: watch::Receiver<Option<StopReason>>) -> RunEnd {
    let (actor, execution) = (run.bot.name.clone(), run.claim.execution);
    let scheduled_for = run.claim.slot.map(rfc3339).map(display);
    let trigger = run.claim.trigger.as_str();
    let lines =
        tracing::info_span!("run", %actor, execution_id = %execution, scheduled_for, trigger);
    let span = run.span.clone();
    let work = async {
        let end = attempts(run, stopped).instrument(lines).await;
        end.log(&actor, execution);
        end
    };
    span.around(work).await
}

async fn attempts(run: Run, mut stopped: watch::Receiver<Option<StopReason>>) -> RunEnd {
    let run = Arc::new(run);
    let outlet = Arc::new(RunOutlet::new(Arc::clone(&run)));
    let mut tries = Tries {
        attempt: run.claim.attempt,
        earlier: Vec::new(),
    };
    loop {
        let span = spans::attempt(&run, tries.attempt);
        let work = attempt::run(Arc::clone(&run), Arc::clone(&outlet), tries.attempt);
        let outcome = tokio::select! {
            biased;
            reason = told_to_stop(&mut stopped) => stopped_by(reason),
            outcome = span.around(work) => outcome,
        };
        spans::outcome(&span, &outcome);
        span.end();
        let Some(wait) = tries.wait_after(&run, &outcome) else {
            return tries.end(&run, outcome);
        };
        let stored = tries.next(&run, &outcome, wait);
        let early = tokio::select! {
            biased;
            reason = told_to_stop(&mut stopped) => stopped_by(reason),
            () = taken_over(stored) => AttemptOutcome::broken(Status::Abandoned, "another process has taken the run over"),
            () = tokio::time::sleep(wait) => continue,
        };
        return tries.end(&run, early);
    }
}

/// The attempts of a run.
struct Tries {
    /// The number of the one at work.
    attempt: u32,
    /// Those before it, for `metadata`.
    earlier: Vec<Value>,
}

impl Tries {
    fn wait_after(&self, run: &Run, outcome: &AttemptOutcome) -> Option<Duration> {
        let stops = run.bot.behaviour.execution.stop_on_unrecoverable;
        let may_help = outcome.recoverable || (!stops && outcome.status == Status::Failed);
        let tried = self.attempt - run.claim.attempt + 1;
        let again = outcome.status.is_failure() && may_help;
        again
            .then(|| run.bot.policy.retry.backoff_after(tried, random()))
            .flatten()
    }

    /// Goes on to the next attempt, and has it stored; the answer says whether the run is still this process's.
    fn next(
        &mut self,
        run: &Run,
        outcome: &AttemptOutcome,
        wait: Duration,
    ) -> oneshot::Receiver<WriteResult> {
        let (attempt, wait_ms) = (self.attempt, wait.as_millis());
        tracing::warn!(
            attempt,
            error = outcome.error,
            wait_ms,
            "the attempt failed; trying again"
        );
        self.earlier.push(summary(outcome, attempt));
        self.attempt += 1;
        run.env.runs.goes_on(run.claim.execution, self.attempt);
        let write = Write::Attempt {
            execution: run.claim.execution,
            attempt: self.attempt,
            metadata: metadata(run, &self.earlier, None),
        };
        run.env.queue.send(write, true)
    }

    fn end(self, run: &Run, outcome: AttemptOutcome) -> RunEnd {
        let metadata = metadata(run, &self.earlier, Some(&outcome));
        RunEnd {
            outcome,
            attempt: self.attempt,
            metadata,
            span: run.span.clone(),
        }
    }
}

/// Ready only when the store says that the run is another process's now.
async fn taken_over(stored: oneshot::Receiver<WriteResult>) {
    if !matches!(stored.await, Ok(Ok(Written::Lost))) {
        std::future::pending::<()>().await;
    }
}

fn stopped_by(reason: StopReason) -> AttemptOutcome {
    match reason {
        StopReason::Cancelled => AttemptOutcome::broken(Status::Cancelled, "cancelled"),
        StopReason::Abandoned => AttemptOutcome::broken(
            Status::Abandoned,
            "the process stopped before the run ended",
        ),
    }
}

async fn told_to_stop(stopped: &mut watch::Receiver<Option<StopReason>>) -> StopReason {
    match stopped.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(StopReason::Abandoned),
        // The owner is gone; whoever follows it closes the run.
        Err(_) => StopReason::Abandoned,
    }
}

/// A number from 0 to 1, as good as jitter needs.
fn metadata(run: &Run, earlier: &[Value], last: Option<&AttemptOutcome>) -> Value {
    let mut all = serde_json::Map::new();
    let input = run.input.as_value();
    if !input.is_null() {
        all.insert("input".into(), input.clone());
    }
    if run.input.is_dry() {
        let posts = run.would_post.lock();
        let posts = posts.unwrap_or_else(PoisonError::into_inner);
        all.insert("dry_run".into(), true.into());
        all.insert("dry_run_posts".into(), posts.values().cloned().collect());
    }
    if let Some(trace) = run.span.trace_id() {
        all.insert("trace_id".into(), trace.into());
    }
    if !earlier.is_empty() {
        all.insert("attempts".into(), earlier.into());
    }
    if let Some(last) = last {
        all.insert("skills".into(), json!(last.skills));
        let failed = matches!(last.status, Status::Failed | Status::TimedOut);
        if failed && run.post_waits.load(Ordering::Relaxed) {
            all.insert("post_waits".into(), true.into());
        }
    }
    all.into()
}

fn summary(outcome: &AttemptOutcome, attempt: u32) -> Value {
    json!({ "attempt": attempt, "status": outcome.status.as_str(), "error": outcome.error, "skills": outcome.skills })
}
