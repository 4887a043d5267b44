//! The store's word on a start: on a shared store, or for a claim that may be lost, nothing runs without it.

use std::{sync::Arc, time::Duration};

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use futures::FutureExt;

use super::{InHand, ME, TaskActor};
use crate::{
    actors::{
        messages::{DEADLINE, HoldSet, Reload, StartRun},
        persistence::{WriteError, WriteResult},
    },
    domain::{Instant, hold::Hold, outcome::Gap, policy::Overlap, run::Trigger},
    store::{Start, Write, Written},
};

/// How long to wait before the store, or another replica's run, is asked about again.
const AGAIN: Duration = Duration::from_millis(250);

impl TaskActor {
    /// Starts the run. A process that owns its file alone is right about it, and has the start stored behind its back.
    pub(super) fn begin(&mut self, claim: InHand, ctx: &mut Context<Self>) {
        let at = claim.start.asked_at.unwrap_or_else(|| self.env.clock.now());
        let write = Write::Start(self.start_write(&claim.start, at));
        // The hold that an event met was read before it was stored, and may be another one now.
        let is_event = claim.start.claim.trigger == Trigger::Event;
        let sure = !claim.start.verify && !is_event && self.unanswered_failures == 0;
        if sure && !self.env.store.is_shared() && self.keep_start(&write) {
            return self.launch(claim, at, ctx);
        }
        self.asking += 1;
        let answer = self.env.queue.send(write, false);
        let answer = answer.map(|answer| answer.unwrap_or(Err(WriteError::Unavailable)));
        ctx.spawn(answer.into_actor(self).map(move |answer, actor, ctx| {
            actor.asking -= 1;
            actor.answered(claim, at, answer, ctx);
        }));
    }

    /// Queues a start that nobody waits for, unless a reload may have made its claim void. A reload that begins now comes
    /// behind it.
    fn keep_start(&self, write: &Write) -> bool {
        let (doubted, _before_any_reload) = self.env.configuration.doubts(&self.bot.name);
        if !doubted {
            self.env.queue.keep(write.clone());
        }
        !doubted
    }

    fn start_write(&self, start: &StartRun, at: Instant) -> Start {
        let (policy, scheduled) = (&self.bot.policy, start.claim.trigger == Trigger::Schedule);
        Start {
            execution: start.claim.execution,
            bot: self.bot.name.clone(),
            at,
            exclusive: policy.overlap != Overlap::AllowAll,
            scheduled,
            schedule: start.schedule.clone(),
            max_runs: policy.max_runs.filter(|_| scheduled),
        }
    }

    fn answered(
        &mut self,
        claim: InHand,
        at: Instant,
        answer: WriteResult,
        ctx: &mut Context<Self>,
    ) {
        let execution = claim.start.claim.execution;
        match answer {
            Ok(Written::Started { at, .. }) => self.launch(claim, at, ctx),
            _ if self.cancelled.contains(&execution) => self.cancel_unstarted(claim),
            Ok(Written::Held(hold)) => {
                self.decline(claim, Gap::Held(hold.kind));
                self.held(hold, ctx);
            }
            Ok(Written::Busy { .. }) if claim.start.backlog => self.release(claim),
            Ok(Written::Busy { another_waits }) => self.busy_elsewhere(claim, another_waits, ctx),
            Err(WriteError::Unavailable) => self.later(claim.asked_at(at), ctx),
            Err(_) => self.later(claim, ctx),
            Ok(other) => {
                tracing::info!(actor = %self.bot.name, answer = ?other, "the claim is not this process's any more");
                drop(claim.ticket.settle());
                self.tell_scheduler_to_reload();
            }
        }
        // What waited for this claim's run waits for nothing if it has none.
        self.start_waiting(None, ctx);
    }

    /// The run that is on is another replica's: one claim may wait here for its end, and holds no place while it does.
    fn busy_elsewhere(&mut self, claim: InHand, another_waits: bool, ctx: &mut Context<Self>) {
        let claim = claim.without_place();
        let mut waits = match (self.bot.policy.overlap, self.waiting.take()) {
            (Overlap::BufferOne, before) if another_waits => {
                self.waiting = before;
                return self.decline(claim, Gap::Overlap);
            }
            (Overlap::BufferOne | Overlap::CancelOther, None) => claim,
            (Overlap::BufferOne, Some(newer)) => {
                self.decline(newer, Gap::Overlap);
                claim
            }
            (Overlap::CancelOther, Some(newer)) => {
                self.decline(claim, Gap::Overlap);
                newer
            }
            (Overlap::Skip | Overlap::AllowAll, _) => return self.decline(claim, Gap::Overlap),
        };
        if self.bot.policy.overlap == Overlap::CancelOther && !waits.start.lenient {
            let (bot, execution) = (self.bot.name.clone(), None);
            self.env.queue.keep(Write::RequestCancel { bot, execution });
        }
        waits.taken();
        self.waiting = Some(waits);
        self.busy_elsewhere = true;
        ctx.run_later(AGAIN, Self::ask_again);
    }

    /// Whether the other replica's run has ended, the store knows.
    fn ask_again(&mut self, ctx: &mut Context<Self>) {
        self.busy_elsewhere = false;
        let place = Arc::clone(&self.env.places).try_acquire_owned().ok();
        if place.is_some() {
            self.start_waiting(place, ctx);
        } else if self.waiting.is_some() {
            self.busy_elsewhere = true;
            ctx.run_later(AGAIN, Self::ask_again);
        }
    }

    /// The store is away: the claim is considered again in a moment, by what holds then.
    fn later(&mut self, mut claim: InHand, ctx: &mut Context<Self>) {
        claim.taken();
        self.delayed += 1;
        let mut claim = Some(claim);
        ctx.run_later(AGAIN, move |actor, ctx| {
            actor.delayed -= 1;
            if let Some(claim) = claim.take() {
                actor.consider(claim, ctx);
            }
        });
    }

    /// The bot is held now. Once the scheduler knows, its word counts: it also hears of the hold's end.
    pub(super) fn held(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        self.hold = Some(hold.kind);
        let Some(scheduler) = self.env.book.scheduler(ME) else {
            ctx.run_later(DEADLINE, |actor, _| actor.hold = None);
            return;
        };
        let told = scheduler
            .send(HoldSet(self.bot.name.clone(), hold))
            .timeout(DEADLINE);
        // A scheduler that does not answer is rebuilt, and reads the hold from the store.
        ctx.spawn(told.into_actor(self).map(|_, actor, _| actor.hold = None));
    }

    pub(super) fn tell_scheduler_to_reload(&self) {
        if let Some(scheduler) = self.env.book.scheduler(ME) {
            // It also finds out by itself: its next claim is stale.
            let _ = scheduler.try_send(Reload);
        }
    }
}
