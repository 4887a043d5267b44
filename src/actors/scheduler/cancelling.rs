//! Claims that are cancelled before their time.

use actix::Handler;
use serde_json::json;

use super::SchedulerActor;
use crate::{
    actors::messages::CancelClaim,
    domain::outcome::{AttemptOutcome, Status},
    store::{Finish, Write},
};

impl Handler<CancelClaim> for SchedulerActor {
    type Result = bool;

    fn handle(&mut self, CancelClaim(execution): CancelClaim, ctx: &mut Self::Context) -> bool {
        // One that is on its way to its actor is the actor's to cancel.
        if !self.agenda.claims().waits(execution) {
            return false;
        }
        let Some(claim) = self.agenda.forget(execution) else {
            return false;
        };
        let now = self.env.clock.now();
        self.env.queue.keep(Write::Finish(Box::new(Finish {
            execution,
            bot: claim.bot,
            started_at: now,
            completed_at: now,
            attempt: claim.attempt,
            outcome: AttemptOutcome::broken(Status::Cancelled, "cancelled before it started"),
            metadata: json!({}),
            max_consecutive_failures: self.env.max_consecutive_failures(),
        })));
        self.tick_soon(ctx);
        true
    }
}
