//! From a run's end to the ledger: the result is queued, the place is freed, and whatever waited may start.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use serde_json::Value;
use tokio::{task::JoinError, time::Instant as Monotonic};

use super::{TaskActor, driver::RunEnd, spans};
use crate::{
    actors::{runs::Ticket, supervision::panic_text},
    domain::{
        Instant,
        outcome::{AttemptOutcome, Status},
        run::ExecutionId,
    },
    store::{Finish, Write, Written},
    telemetry::traces::Span,
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
        let end = end.unwrap_or_else(|error| self.broken(execution, error));
        let RunEnd {
            outcome,
            attempt,
            metadata,
            span,
        } = end;
        let failed = usize::from(outcome.status.is_failure());
        self.unanswered_failures += failed;
        let storing = spans::storing(&span, &outcome, attempt);
        let write = self.finish_write(execution, started_at, attempt, outcome, metadata);
        let answer = self.env.queue.send(write, true).into_actor(self);
        ctx.spawn(answer.map(move |answer, actor, ctx| {
            actor.unanswered_failures -= failed;
            spans::stored(&span, &storing, &answer);
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
            max_consecutive_failures: self.env.max_consecutive_failures(),
        }))
    }
}

impl TaskActor {
    /// The driver itself panicked, or the runtime is going down.
    fn broken(&self, execution: ExecutionId, error: JoinError) -> RunEnd {
        let (status, text) = match error.try_into_panic() {
            Ok(payload) => (Status::Panicked, panic_text(payload.as_ref())),
            Err(_) => (Status::Abandoned, "the process stopped".into()),
        };
        let end = RunEnd {
            outcome: AttemptOutcome::broken(status, text),
            attempt: 1,
            metadata: serde_json::json!({}),
            span: Span::none(),
        };
        end.log(&self.bot.name, execution);
        end
    }
}
