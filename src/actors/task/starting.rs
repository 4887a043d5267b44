//! From a claim to a run at work: the decision, the store's word where one is needed, and the start.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use futures::FutureExt;
use tokio::sync::watch;

use super::{Active, TaskActor, Waiting, driver, driver::StopReason};
use crate::{
    actors::{
        messages::{ControlError, HoldSet, Reload, StartRun, TriggerHere},
        persistence::{WriteError, WriteResult},
        runs::Ticket,
    },
    domain::{
        hold::Hold,
        outcome::Gap,
        policy::Overlap,
        run::{Claim, ExecutionId, Trigger},
        start::{StartDecision, StartFacts},
    },
    store::{Start, Write, Written},
};

/// How long to wait before the store, or another replica's run, is asked about again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

impl TaskActor {
    /// Decides about a claim that is due, and carries the decision out.
    pub(super) fn consider(&mut self, start: StartRun, ticket: Ticket, ctx: &mut Context<Self>) {
        if self.finishing {
            self.env.queue.keep(Write::Release {
                execution: start.claim.execution,
            });
            return;
        }
        match self.decide(&start) {
            StartDecision::Run => self.begin(start, ticket, ctx),
            StartDecision::Decline(gap) => self.decline(&start, gap),
            StartDecision::Wait => self.wait(start, ticket),
            StartDecision::CancelOther => {
                self.stop_runs(StopReason::Cancelled);
                self.wait(start, ticket);
            }
        }
    }

    fn decide(&self, start: &StartRun) -> StartDecision {
        if start.claim.trigger != Trigger::Schedule {
            return StartDecision::Run;
        }
        StartFacts {
            now: self.env.clock.now(),
            due: start.claim.due,
            superseded: start.superseded,
            enabled: self.bot.enabled,
            hold: self.hold.as_ref().map(|hold| hold.kind).or(start.hold),
            breaker_open: false,
            busy: self.is_busy(),
            waiting: self.waiting.is_some(),
            waited: start.lenient,
            overlap: self.bot.policy.overlap,
            misfire: self.bot.policy.misfire,
            misfire_threshold: self.bot.policy.misfire_threshold,
        }
        .decide()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.active.is_empty() || self.asking > 0
    }

    fn decline(&self, start: &StartRun, gap: Gap) {
        let (actor, slot) = (&self.bot.name, start.claim.slot);
        tracing::info!(actor = %actor, scheduled_for = ?slot, reason = gap.reason(), "the slot does not run");
        self.env.queue.keep(Write::Decline {
            execution: start.claim.execution,
            gap,
        });
    }

    /// A claim that waited before makes room: the newest is the one that runs.
    fn wait(&mut self, start: StartRun, ticket: Ticket) {
        if let Some(before) = self.waiting.replace(Waiting { start, ticket }) {
            self.decline(&before.start, Gap::Overlap);
        }
    }

    /// Starts the run; on a shared store, or if the claim may be lost, only when the store agrees.
    fn begin(&mut self, start: StartRun, ticket: Ticket, ctx: &mut Context<Self>) {
        let at = self.env.clock.now();
        let write = Write::Start(self.start_write(&start, at));
        if !start.verify && !self.env.store.is_shared() {
            self.env.queue.keep(write);
            self.launch(start, ticket, at, ctx);
            return;
        }
        self.asking += 1;
        let asked = self
            .env
            .queue
            .send(write, false)
            .map(|answer| answer.unwrap_or(Err(WriteError::Unavailable)));
        ctx.spawn(asked.into_actor(self).map(move |answer, actor, ctx| {
            actor.asking -= 1;
            actor.answered(start, ticket, at, answer, ctx);
        }));
    }

    fn start_write(&self, start: &StartRun, at: crate::domain::Instant) -> Start {
        let scheduled = start.claim.trigger == Trigger::Schedule;
        Start {
            execution: start.claim.execution,
            bot: self.bot.name.clone(),
            at,
            exclusive: self.bot.policy.overlap != Overlap::AllowAll,
            scheduled,
            schedule: start.schedule.clone(),
            max_runs: self.bot.policy.max_runs.filter(|_| scheduled),
        }
    }

    fn answered(
        &mut self,
        start: StartRun,
        ticket: Ticket,
        at: crate::domain::Instant,
        answer: WriteResult,
        ctx: &mut Context<Self>,
    ) {
        match answer {
            Ok(Written::Started { .. }) => self.launch(start, ticket, at, ctx),
            Ok(Written::Held(hold)) => {
                self.decline(&start, Gap::Held(hold.kind));
                self.held(hold);
            }
            Ok(Written::Busy)
                if matches!(
                    self.bot.policy.overlap,
                    Overlap::BufferOne | Overlap::CancelOther
                ) =>
            {
                self.wait_for_another_replica(start, ticket, ctx);
            }
            Ok(Written::Busy) => self.decline(&start, Gap::Overlap),
            Ok(Written::Outdated) => self.tell_scheduler_to_reload(),
            Err(WriteError::Unavailable) => self.later(start, ticket, ctx),
            other => {
                tracing::warn!(actor = %self.bot.name, answer = ?other, "the claim is not this process's any more")
            }
        }
    }

    /// The run that is on is another replica's: the claim waits here, and the store is asked again.
    fn wait_for_another_replica(
        &mut self,
        start: StartRun,
        ticket: Ticket,
        ctx: &mut Context<Self>,
    ) {
        if self.waiting.is_some() {
            return self.decline(&start, Gap::Overlap);
        }
        self.later(
            StartRun {
                lenient: true,
                ..start
            },
            ticket,
            ctx,
        );
    }

    fn later(&mut self, start: StartRun, ticket: Ticket, ctx: &mut Context<Self>) {
        let mut claim = Some((start, ticket));
        ctx.run_later(AGAIN, move |actor, ctx| {
            if let Some((start, ticket)) = claim.take() {
                actor.consider(start, ticket, ctx);
            }
        });
    }

    pub(super) fn held(&mut self, hold: Hold) {
        self.hold = Some(hold.clone());
        if let Some(scheduler) = self.env.book.scheduler() {
            // A scheduler that is being rebuilt reads the hold from the store.
            let _ = scheduler.try_send(HoldSet(self.bot.name.clone(), hold));
        }
    }

    fn tell_scheduler_to_reload(&self) {
        if let Some(scheduler) = self.env.book.scheduler() {
            // It also finds out by itself: its next claim is stale.
            let _ = scheduler.try_send(Reload(self.bot.name.clone()));
        }
    }

    /// Sets the run to work, away from this actor's thread.
    fn launch(
        &mut self,
        start: StartRun,
        ticket: Ticket,
        started_at: crate::domain::Instant,
        ctx: &mut Context<Self>,
    ) {
        let (stop, stopped) = watch::channel(None);
        let StartRun {
            claim,
            place,
            input,
            ..
        } = start;
        let execution = claim.execution;
        self.active.insert(
            execution,
            Active {
                stop,
                place,
                _ticket: ticket,
            },
        );
        let run = driver::Run {
            env: Arc::clone(&self.env),
            bot: Arc::clone(&self.bot),
            claim,
            started_at,
            input,
        };
        let work = self.env.runtime.spawn(driver::drive(run, stopped));
        ctx.spawn(
            work.into_actor(self)
                .map(move |end, actor, ctx| actor.ended(execution, started_at, end, ctx)),
        );
    }

    /// Starts the claim that waited for the run that has just ended.
    pub(super) fn start_waiting(
        &mut self,
        place: Option<tokio::sync::OwnedSemaphorePermit>,
        ctx: &mut Context<Self>,
    ) {
        if self.is_busy() {
            return;
        }
        if let Some(Waiting { start, ticket }) = self.waiting.take() {
            self.consider(
                StartRun {
                    place,
                    lenient: true,
                    ..start
                },
                ticket,
                ctx,
            );
        }
    }

    pub(super) fn record_unstarted(&self, start: &StartRun, error: &str) {
        let outcome = crate::domain::outcome::AttemptOutcome::broken(
            crate::domain::outcome::Status::Cancelled,
            error,
        );
        self.env.queue.keep(self.finish_write(
            start.claim.execution,
            self.env.clock.now(),
            1,
            outcome,
            serde_json::json!({}),
        ));
    }
}

impl Handler<TriggerHere> for TaskActor {
    type Result = actix::ResponseActFuture<Self, Result<ExecutionId, ControlError>>;

    fn handle(&mut self, TriggerHere(input): TriggerHere, _: &mut Self::Context) -> Self::Result {
        let bot = self.bot.name.clone();
        if self.is_busy() && self.bot.policy.overlap != Overlap::AllowAll {
            return Box::pin(async move { Err(ControlError::Busy(bot)) }.into_actor(self));
        }
        self.asking += 1;
        let insert = Write::Insert {
            bot: bot.clone(),
            trigger: Trigger::Manual,
            metadata: input.clone(),
        };
        let answer = self.env.queue.send(insert, false);
        Box::pin(answer.into_actor(self).map(move |answer, actor, ctx| {
            actor.asking -= 1;
            let Ok(Ok(Written::Claimed(Some(execution)))) = answer else {
                return Err(ControlError::Unavailable(
                    "the database did not take the trigger".into(),
                ));
            };
            let due = actor.env.clock.now();
            let claim = Claim {
                execution,
                bot,
                trigger: Trigger::Manual,
                slot: None,
                due,
                attempt: 1,
            };
            let start = StartRun {
                claim,
                schedule: None,
                place: None,
                hold: None,
                superseded: false,
                verify: false,
                lenient: true,
                input,
            };
            if let Some(ticket) = actor.env.runs.enter(execution, &actor.bot.name) {
                actor.consider(start, ticket, ctx);
            }
            Ok(execution)
        }))
    }
}
