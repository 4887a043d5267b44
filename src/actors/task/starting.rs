//! The decision about a claim that is due, and what follows from it.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tracing::field::display;

use super::{InHand, TaskActor, driver};
use crate::{
    actors::{
        alarms::Alarm,
        counting,
        messages::{ControlError, StartRun},
        news::Happening,
        runs::{AtWork, StopReason},
    },
    domain::{
        Instant,
        hold::HoldKind,
        input::RunInput,
        outcome::{AttemptOutcome, Gap, Status},
        policy::{OnResume, Overlap},
        run::Trigger,
        start::{StartDecision, StartFacts},
        text::rfc3339,
    },
    store::Write,
};

impl TaskActor {
    /// Decides about a claim that is due, and carries the decision out.
    pub(super) fn consider(&mut self, claim: InHand, ctx: &mut Context<Self>) {
        if self.cancelled.contains(&claim.start.claim.execution) {
            return self.cancel_unstarted(claim);
        }
        if !self.take_up_configuration() || self.finishing {
            return self.release(claim);
        }
        if claim.start.backlog && self.is_busy() {
            self.release(claim);
            return self.tell_scheduler_to_reload();
        }
        match self.decide(&claim.start) {
            StartDecision::Run if self.is_shut_out(&claim.start) => {
                self.decline(claim, Gap::BreakerOpen)
            }
            StartDecision::Run => self.begin(claim, ctx),
            StartDecision::Decline(Gap::Held(_)) if self.may_have_ended(&claim.start) => {
                self.begin(claim, ctx)
            }
            StartDecision::Decline(gap) => self.decline(claim, gap),
            StartDecision::Wait => self.wait(claim),
            StartDecision::CancelOther => {
                self.stop_runs(StopReason::Cancelled);
                self.wait(claim);
            }
        }
    }

    /// Overlap decides about every claim; holds about all but those by hand, and only a slot can be late.
    pub(super) fn decide(&self, start: &StartRun) -> StartDecision {
        if start.asked_at.is_some() {
            return StartDecision::Run;
        }
        let hold = start.hold.or(self.hold);
        self.facts(start, hold).decide()
    }

    /// Another process may have ended the hold that is remembered here: if it is all that stands against a slot, the
    /// store is asked.
    fn may_have_ended(&self, start: &StartRun) -> bool {
        let by_slot = start.claim.trigger == Trigger::Schedule;
        let asks = by_slot && self.env.store.is_shared() && self.bot.quarantine.is_none();
        asks && self.facts(start, None).decide() == StartDecision::Run
    }

    fn facts(&self, start: &StartRun, hold: Option<HoldKind>) -> StartFacts {
        let by_slot = start.claim.trigger == Trigger::Schedule;
        let by_hand = start.claim.trigger == Trigger::Manual;
        StartFacts {
            now: self.env.clock.now(),
            due: start.claim.due,
            superseded: by_slot && start.superseded,
            enabled: by_hand || self.bot.enabled,
            hold: hold.filter(|_| !by_hand),
            breaker_open: !by_hand && self.downstream_is_shut(),
            busy: self.is_busy(),
            waiting: self.waiting.is_some(),
            waited: !by_slot || start.lenient,
            overlap: self.bot.policy.overlap,
            misfire: self.bot.policy.misfire,
            misfire_threshold: self.bot.policy.misfire_threshold,
        }
    }

    /// Whether what the bot posts to is not asked for now.
    fn downstream_is_shut(&self) -> bool {
        let (breakers, now) = (&self.env.breakers, self.env.clock.now());
        let downstream = self.downstream.as_ref();
        downstream.is_some_and(|downstream| !breakers.would_let_through(downstream, now))
    }

    /// The run that starts while a breaker is half-open is its probe; a run by hand starts in any case, and so does one
    /// that the store has been asked about before.
    fn is_shut_out(&self, start: &StartRun) -> bool {
        let downstream = self.downstream.as_ref();
        let may = downstream.is_none_or(|downstream| self.env.may_ask(downstream));
        !may && start.claim.trigger != Trigger::Manual && start.asked_at.is_none()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.active.is_empty() || self.asking > 0 || !self.queued.is_empty() || self.busy_elsewhere
    }

    /// The slot does not run, and the ledger says why.
    pub(super) fn decline(&mut self, mut claim: InHand, gap: Gap) {
        claim.tell(Err(self.refusal(gap)));
        let (actor, slot) = (&self.bot.name, claim.start.claim.slot);
        let scheduled_for = slot.map(rfc3339).map(display);
        tracing::info!(%actor, scheduled_for, reason = gap.reason(), "the slot does not run");
        let held = matches!(gap, Gap::Held(_)) && slot.is_some();
        if held && self.bot.policy.on_resume == OnResume::RunLatest {
            // The resume decides about the newest slot under the hold.
            self.release(claim);
            return self.tell_scheduler_to_reload();
        }
        let execution = claim.start.claim.execution;
        self.env.queue.keep(Write::Decline { execution, gap });
        drop(claim.ticket.settle());
    }

    fn refusal(&self, gap: Gap) -> ControlError {
        let bot = self.bot.name.clone();
        match gap {
            Gap::Overlap => ControlError::Busy(bot),
            other => ControlError::Unavailable(format!("`{bot}` does not run: {}", other.reason())),
        }
    }

    /// The claim is given back, to be decided anew by whoever takes it, unless it is to end.
    pub(super) fn release(&mut self, mut claim: InHand) {
        let execution = claim.start.claim.execution;
        if self.cancelled.contains(&execution) {
            return self.cancel_unstarted(claim);
        }
        claim.tell(Err(ControlError::Unavailable(
            "the process is stopping".into(),
        )));
        self.env.queue.keep(Write::Release { execution });
        drop(claim.ticket.settle());
    }

    /// A claim that waited before makes room: the newest is the one that runs.
    fn wait(&mut self, mut claim: InHand) {
        claim.taken();
        if let Some(before) = self.waiting.replace(claim) {
            self.decline(before, Gap::Overlap);
        }
    }

    /// The claim was cancelled while it waited.
    pub(super) fn cancel_unstarted(&mut self, mut claim: InHand) {
        claim.taken();
        self.cancelled.remove(&claim.start.claim.execution);
        let (execution, now) = (claim.start.claim.execution, self.env.clock.now());
        let outcome = AttemptOutcome::broken(Status::Cancelled, "cancelled before it started");
        let nothing = serde_json::json!({});
        self.env
            .queue
            .keep(self.finish_write(execution, now, 1, outcome, nothing));
        drop(claim.ticket.settle());
    }

    /// Sets the run to work, away from this actor's thread.
    pub(super) fn launch(
        &mut self,
        mut claim: InHand,
        started_at: Instant,
        ctx: &mut Context<Self>,
    ) {
        self.tell_of_start(&claim, started_at);
        claim.taken();
        let InHand {
            start,
            ticket,
            since,
            ..
        } = claim;
        let StartRun {
            claim,
            place,
            input,
            ..
        } = start;
        let ((stop, stopped), execution) = (watch::channel(None), claim.execution);
        let attempt = claim.attempt;
        ticket.started(AtWork {
            started_at,
            attempt,
            place,
            stop,
        });
        self.active.insert(execution, ticket);
        let (env, bot) = (Arc::clone(&self.env), Arc::clone(&self.bot));
        let run = driver::Run::new(env, bot, claim, started_at, RunInput::new(input), since);
        let work = self
            .env
            .runtime
            .spawn(driver::drive(run, stopped))
            .into_actor(self);
        ctx.spawn(work.map(move |end, actor, ctx| actor.ended(execution, started_at, end, ctx)));
        if self.cancelled.remove(&execution) {
            self.env.runs.stop(execution, StopReason::Cancelled);
        }
        if self.waiting.is_some() && self.bot.policy.overlap == Overlap::CancelOther {
            // A newer slot came while the store was asked about this one.
            self.stop_runs(StopReason::Cancelled);
        }
    }

    fn tell_of_start(&self, claim: &InHand, at: Instant) {
        let is_dry = RunInput::new(claim.start.input.clone()).is_dry();
        let claim = &claim.start.claim;
        let started = Happening::RunStarted {
            bot: self.bot.name.clone(),
            execution: claim.execution,
            trigger: claim.trigger,
            scheduled_for: claim.slot,
        };
        self.env.news.tell(at, started);
        counting::started(&self.env.metrics, claim, at);
        if !is_dry {
            let started = Alarm::RunStarted {
                bot: self.bot.name.clone(),
                execution: claim.execution,
                slot: claim.slot,
            };
            self.env.alarms.tell(at, started);
        }
    }

    /// Starts the claim that waited, if nothing stands against it any more; in the place of the run before it, if that
    /// had one.
    pub(super) fn start_waiting(
        &mut self,
        place: Option<OwnedSemaphorePermit>,
        ctx: &mut Context<Self>,
    ) {
        if self.is_busy() {
            return;
        }
        if let Some(InHand {
            start,
            ticket,
            asker,
            since,
        }) = self.waiting.take()
        {
            // The end of the run before it may hold the bot: the store knows.
            let place = place.or(start.place);
            let start = StartRun {
                place,
                lenient: true,
                verify: true,
                ..start
            };
            self.consider(
                InHand {
                    start,
                    ticket,
                    asker,
                    since,
                },
                ctx,
            );
        }
    }
}
