//! Runs that no slot asked for: by hand, also under a hold, and for events, which are accounted for as slots are.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, Handler, ResponseActFuture, WrapFuture};
use futures::future::{Either, ready};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::Instant as Monotonic,
};

use super::{InHand, TaskActor};
use crate::{
    actors::{
        messages::{ControlError, StartRun, TriggerHere},
        persistence::WriteResult,
    },
    domain::{
        policy::Overlap,
        run::{Claim, ExecutionId, Trigger},
        start::StartDecision,
    },
    store::{Write, Written},
    telemetry::traces::Moment,
};

/// What a trigger is answered.
type Answer = Result<ExecutionId, ControlError>;

impl Handler<TriggerHere> for TaskActor {
    type Result = ResponseActFuture<Self, Option<Answer>>;

    fn handle(&mut self, wish: TriggerHere, ctx: &mut Self::Context) -> Self::Result {
        if self.resting || !self.is_in_the_book(ctx) {
            return Box::pin(ready(None).into_actor(self));
        }
        self.take_up_configuration();
        if let Err(error) = self.may_start(wish.trigger) {
            return Box::pin(ready(Some(Err(error))).into_actor(self));
        }
        self.worked_at = Monotonic::now();
        self.inserting += 1;
        let write = Write::Insert {
            bot: self.bot.name.clone(),
            trigger: wish.trigger,
            metadata: serde_json::json!({ "input": wish.input }),
            key: wish.key.clone(),
        };
        let expected = self.env.runs.expect(&self.bot.name);
        let stored = self.env.queue.send(write, false).into_actor(self);
        Box::pin(stored.then(move |stored, actor, ctx| {
            actor.inserting -= 1;
            let answer = actor.inserted(wish, stored.ok(), ctx);
            drop(expected);
            answer.into_actor(actor).map(|answer, _, _| Some(answer))
        }))
    }
}

impl TaskActor {
    /// An event is recorded in any case. A run by hand is refused while one is on, unless `overlap` lets it wait for
    /// that one's end, or end it.
    fn may_start(&self, trigger: Trigger) -> Result<(), ControlError> {
        if self.finishing {
            let error = "the process is stopping";
            return Err(ControlError::Unavailable(error.into()));
        }
        let on_its_way = self.asking > 0 || self.inserting > 0;
        let waits_already = self.waiting.is_some() || on_its_way || !self.queued.is_empty();
        let allowed = match self.bot.policy.overlap {
            Overlap::AllowAll | Overlap::CancelOther => true,
            Overlap::BufferOne => !waits_already,
            Overlap::Skip => !self.is_busy() && self.inserting == 0,
        };
        if allowed || trigger == Trigger::Event {
            Ok(())
        } else {
            Err(ControlError::Busy(self.bot.name.clone()))
        }
    }

    /// The store has answered about the new row.
    fn inserted(
        &mut self,
        wish: TriggerHere,
        stored: Option<WriteResult>,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Answer> + use<> {
        let answer = match stored {
            Some(Ok(Written::Claimed(Some(execution)))) => {
                return Either::Left(self.begin_by_wish(execution, wish, ctx));
            }
            Some(Ok(Written::Repeated(execution))) => Ok(execution),
            Some(Err(error)) => Err(ControlError::Unavailable(error.to_string())),
            _ => Err(ControlError::Unavailable(
                "the database did not take the trigger".into(),
            )),
        };
        self.start_waiting(None, ctx);
        Either::Right(ready(answer))
    }

    /// The answer comes when it is decided what becomes of the run: at once, or with the store's word on its start.
    fn begin_by_wish(
        &mut self,
        execution: ExecutionId,
        wish: TriggerHere,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Answer> + use<> {
        let (asker, answer) = oneshot::channel();
        // Whatever becomes of an event is in the ledger.
        let asker = (wish.trigger == Trigger::Manual).then_some(asker);
        if let Some(ticket) = self.env.runs.enter(execution, &self.bot.name) {
            let start = self.start_of(execution, wish);
            self.take_in(
                InHand {
                    start,
                    ticket,
                    asker,
                    since: Moment::now(),
                },
                ctx,
            );
        }
        async move { answer.await.unwrap_or(Ok(execution)) }
    }

    /// What is to run waits for a free place like any other.
    pub(super) fn take_in(&mut self, mut claim: InHand, ctx: &mut Context<Self>) {
        if self.decide(&claim.start) != StartDecision::Run {
            return self.consider(claim, ctx);
        }
        if let Ok(place) = Arc::clone(&self.env.places).try_acquire_owned() {
            claim.start.place = Some(place);
            return self.consider(claim, ctx);
        }
        claim.taken();
        let execution = claim.start.claim.execution;
        self.queued.insert(execution, claim);
        let place = Arc::clone(&self.env.places).acquire_owned();
        ctx.spawn(place.into_actor(self).map(move |place, actor, ctx| {
            actor.place_for(execution, place.ok(), ctx);
        }));
    }

    /// A place is free; if the claim was cancelled meanwhile, it is for somebody else.
    fn place_for(
        &mut self,
        execution: ExecutionId,
        place: Option<OwnedSemaphorePermit>,
        ctx: &mut Context<Self>,
    ) {
        if let Some(mut claim) = self.queued.remove(&execution) {
            claim.start.place = place;
            self.consider(claim, ctx);
        }
    }

    fn start_of(&self, execution: ExecutionId, wish: TriggerHere) -> StartRun {
        let claim = Claim {
            execution,
            bot: self.bot.name.clone(),
            trigger: wish.trigger,
            slot: None,
            due: self.env.clock.now(),
            attempt: 1,
        };
        StartRun {
            claim,
            schedule: None,
            place: None,
            hold: wish.hold,
            superseded: false,
            verify: false,
            asked_at: None,
            backlog: false,
            lenient: false,
            input: wish.input,
        }
    }
}
