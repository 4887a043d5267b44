//! From a run's end to the ledger: the result is queued, the place is freed, and whatever waited may start.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use serde_json::Value;
use tokio::{task::JoinError, time::Instant as Monotonic};

use super::{TaskActor, driver::RunEnd};
use crate::{
    actors::{runs::Ticket, supervision::panic_text},
    domain::{
        Instant,
        hold::HoldKind,
        outcome::{AttemptOutcome, Status},
        run::ExecutionId,
    },
    store::{Finish, Write, Written},
};

impl TaskActor {
    /// A run's work is over, however.
    pub(super) fn ended(
        &mut self,
        execution: ExecutionId,
        started_at: Instant,
        end: Result<RunEnd, JoinError>,
        ctx: &mut Context<Self>,
    ) {
        fail::fail_point!("task.future");
        self.worked_at = Monotonic::now();
        let end = end.unwrap_or_else(broken);
        self.log(execution, &end);
        let RunEnd {
            outcome,
            attempt,
            metadata,
        } = end;
        let failed = usize::from(outcome.status.is_failure());
        self.unanswered_failures += failed;
        let write = self.finish_write(execution, started_at, attempt, outcome, metadata);
        let answer = self.env.queue.send(write, true).into_actor(self);
        ctx.spawn(answer.map(move |answer, actor, ctx| {
            actor.unanswered_failures -= failed;
            if let Ok(Ok(Written::Finished {
                hold: Some(hold), ..
            })) = answer
            {
                actor.held(hold, ctx);
            }
        }));
        // The result is queued before the claim is settled: whoever finds the run without an owner comes after it.
        let place = self.active.remove(&execution).and_then(Ticket::settle);
        self.start_waiting(place, ctx);
    }

    pub(super) fn finish_write(
        &self,
        execution: ExecutionId,
        started_at: Instant,
        attempt: u32,
        outcome: AttemptOutcome,
        metadata: Value,
    ) -> Write {
        Write::Finish(Box::new(Finish {
            execution,
            bot: self.bot.name.clone(),
            started_at,
            completed_at: self.env.clock.now(),
            attempt,
            outcome,
            metadata,
            max_consecutive_failures: self.env.rules.max_consecutive_failures,
        }))
    }

    fn log(&self, execution: ExecutionId, end: &RunEnd) {
        let (actor, outcome) = (&self.bot.name, end.outcome.status.as_str());
        match (&end.outcome.error, end.outcome.status) {
            (_, Status::Succeeded) => {
                tracing::info!(%actor, execution_id = %execution, outcome, "the run has ended")
            }
            (Some(error), _) => {
                tracing::warn!(%actor, execution_id = %execution, outcome, attempt = end.attempt, error, "the run has ended")
            }
            (None, _) => {
                tracing::info!(%actor, execution_id = %execution, outcome, gate = end.outcome.gate.as_deref(), "the run has ended")
            }
        }
        if end.outcome.hold == Some(HoldKind::Refused) {
            tracing::warn!(%actor, "the platform refuses the bot's channel");
        }
    }
}

/// The driver itself panicked, or the runtime is going down.
fn broken(error: JoinError) -> RunEnd {
    let outcome = match error.try_into_panic() {
        Ok(payload) => AttemptOutcome::broken(Status::Panicked, panic_text(payload.as_ref())),
        Err(_) => AttemptOutcome::broken(Status::Abandoned, "the process stopped"),
    };
    RunEnd {
        outcome,
        attempt: 1,
        metadata: serde_json::json!({}),
    }
}
