//! Runs by hand: a normal run that no slot asked for, also under a hold.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, Handler, ResponseActFuture, WrapFuture};
use serde_json::Value;

use super::{InHand, TaskActor};
use crate::{
    actors::messages::{ControlError, StartRun, TriggerHere},
    domain::{
        policy::Overlap,
        run::{Claim, ExecutionId, Trigger},
    },
    store::{Write, Written},
};

impl Handler<TriggerHere> for TaskActor {
    type Result = ResponseActFuture<Self, Result<ExecutionId, ControlError>>;

    fn handle(&mut self, TriggerHere(input): TriggerHere, _: &mut Self::Context) -> Self::Result {
        let bot = self.bot.name.clone();
        self.take_up_configuration();
        if self.resting || self.finishing {
            let error =
                ControlError::Unavailable("the bot's actor is about to stop; try again".into());
            return Box::pin(async move { Err(error) }.into_actor(self));
        }
        if self.is_busy() && self.bot.policy.overlap != Overlap::AllowAll {
            return Box::pin(async move { Err(ControlError::Busy(bot)) }.into_actor(self));
        }
        self.asking += 1;
        let metadata = serde_json::json!({ "input": input });
        let answer = self.env.queue.send(
            Write::Insert {
                bot,
                trigger: Trigger::Manual,
                metadata,
                key: None,
            },
            false,
        );
        Box::pin(answer.into_actor(self).map(move |answer, actor, ctx| {
            actor.asking -= 1;
            if let Ok(Ok(Written::Claimed(Some(execution)))) = answer {
                actor.start_by_hand(execution, input, ctx);
                return Ok(execution);
            }
            actor.start_waiting(None, ctx);
            let error = "the database did not take the trigger".into();
            Err(ControlError::Unavailable(error))
        }))
    }
}

impl TaskActor {
    /// A run by hand waits for a free place like any other.
    fn start_by_hand(&mut self, execution: ExecutionId, input: Value, ctx: &mut Context<Self>) {
        let Some(ticket) = self.env.runs.enter(execution, &self.bot.name) else {
            return;
        };
        let start = self.by_hand(execution, input);
        self.asking += 1;
        let place = Arc::clone(&self.env.places).acquire_owned();
        ctx.spawn(place.into_actor(self).map(move |place, actor, ctx| {
            actor.asking -= 1;
            let place = place.ok();
            let start = StartRun { place, ..start };
            actor.consider(InHand { start, ticket }, ctx);
        }));
    }

    fn by_hand(&self, execution: ExecutionId, input: Value) -> StartRun {
        let claim = Claim {
            execution,
            bot: self.bot.name.clone(),
            trigger: Trigger::Manual,
            slot: None,
            due: self.env.clock.now(),
            attempt: 1,
        };
        StartRun {
            claim,
            schedule: None,
            place: None,
            hold: None,
            superseded: false,
            verify: false,
            asked_at: None,
            backlog: false,
            lenient: true,
            input,
        }
    }
}
