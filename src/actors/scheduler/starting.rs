//! Handing claims to the bots' actors when they are due and a place is free.

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext, Context, Handler, Message};
use serde_json::Value;

use super::{SchedulerActor, claims::Reserved, entry::Entry};
use crate::{
    actors::{
        env::Env,
        messages::{DEADLINE, HoldCleared, StartRun, Wake},
        supervision::beside,
    },
    domain::{
        Instant,
        bot::BotName,
        hold::HoldKind,
        outcome::Gap,
        policy::Overlap,
        run::{Claim, ExecutionId},
    },
    store::{Write, Written},
};

/// How soon a claim that did not get to its actor is handed on again: an actor that went to rest has a successor then.
const SOON: Duration = Duration::from_millis(20);

impl SchedulerActor {
    /// Hands on every claim that is due, as far as there are places.
    pub(super) fn start_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        for (execution, bot) in self.agenda.claims().due(now) {
            if let Some(gap) = self.agenda.get(&bot).and_then(Entry::closed) {
                self.decline(execution, gap);
            } else if !self.start(execution, &bot, now, ctx) {
                return;
            }
        }
    }

    /// Hands on one claim; answers whether there may be a place for another one.
    fn start(
        &mut self,
        execution: ExecutionId,
        bot: &BotName,
        now: Instant,
        ctx: &Context<Self>,
    ) -> bool {
        let Some(entry) = self.agenda.get(bot) else {
            return true;
        };
        let overlap_decides =
            self.env.runs.is_busy(bot) && entry.bot.policy.overlap != Overlap::AllowAll;
        let place = match Arc::clone(&self.env.places).try_acquire_owned() {
            _ if overlap_decides => None,
            Ok(place) => Some(place),
            Err(_) => return false,
        };
        let (superseded, schedule) = (entry.is_superseded(now), entry.state.schedule.clone());
        let hold = entry.hold_kind();
        if let Some(Reserved {
            claim,
            verify,
            backlog,
            lenient,
            ..
        }) = self.agenda.hand(execution)
        {
            let input = Value::Null;
            let start = StartRun {
                claim,
                schedule,
                place,
                hold,
                superseded,
                verify,
                asked_at: None,
                backlog,
                lenient,
                input,
            };
            hand_over(Arc::clone(&self.env), ctx, start);
        }
        true
    }

    /// The bot may not run: its actor need not be asked, and may not even exist.
    fn decline(&mut self, execution: ExecutionId, gap: Gap) {
        if let Some(Claim { bot, slot, .. }) = self.agenda.forget(execution) {
            tracing::info!(actor = %bot, scheduled_for = ?slot, reason = gap.reason(), "the slot does not run");
            self.env.queue.keep(Write::Decline { execution, gap });
        }
    }

    /// A hold with an end that has come, and whose slots are accounted for, goes.
    pub(super) fn end_hold_if_over(&mut self, bot: &BotName, now: Instant, ctx: &Context<Self>) {
        let is_over = |entry: &Entry| {
            let over = entry
                .state
                .hold
                .as_ref()
                .is_some_and(|hold| hold.is_over(now));
            over && !entry.pending
        };
        if self.agenda.get(bot).is_some_and(is_over) {
            self.agenda.change(bot, |entry| entry.pending = true);
            beside(&ctx.address(), end_hold(Arc::clone(&self.env), bot.clone()));
        }
    }

    /// While draining: claims that no actor has are decided anew by whoever is there next.
    pub(super) fn give_back_claims(&mut self) {
        for execution in self.agenda.claims().waiting() {
            self.agenda.forget(execution);
            self.env.queue.keep(Write::Release { execution });
        }
    }
}

/// Nothing of this bot is on its way any more.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled(BotName);

impl Handler<Settled> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Settled(bot): Settled, ctx: &mut Self::Context) {
        self.agenda.change(&bot, |entry| entry.pending = false);
        self.tick(ctx);
    }
}

async fn end_hold(env: Arc<Env>, bot: BotName) {
    let clear = Write::ClearHold {
        bot: bot.clone(),
        kind: Some(HoldKind::Manual),
    };
    let answer = env.queue.ask(clear, false).await;
    if let (Ok(Written::State(state)), Some(coordinator)) = (answer, env.book.coordinator()) {
        tracing::info!(actor = %bot, "the pause has reached its end");
        let _ = coordinator.send(HoldCleared(state)).timeout(DEADLINE).await;
    }
    if let Some(scheduler) = env.book.scheduler() {
        let _ = scheduler.send(Settled(bot)).timeout(DEADLINE).await;
    }
}

fn hand_over(env: Arc<Env>, ctx: &Context<SchedulerActor>, start: StartRun) {
    let (me, bot, execution) = (
        ctx.address(),
        start.claim.bot.clone(),
        start.claim.execution,
    );
    beside(&ctx.address(), async move {
        let taken = send_start(&env, &bot, start).await;
        let _ = me.send(Handed { execution, taken }).await;
    });
}

/// Whether the bot's actor has the claim.
async fn send_start(env: &Env, bot: &BotName, start: StartRun) -> bool {
    let actor = match env.book.task(bot) {
        Some(actor) => Some(actor),
        None => match env.book.coordinator() {
            Some(coordinator) => coordinator
                .send(Wake(bot.clone()))
                .timeout(DEADLINE)
                .await
                .ok()
                .flatten(),
            None => None,
        },
    };
    match actor {
        Some(actor) => matches!(actor.send(start).timeout(DEADLINE).await, Ok(true)),
        None => false,
    }
}

/// A claim has got to its actor, or not.
#[derive(Message)]
#[rtype(result = "()")]
struct Handed {
    execution: ExecutionId,
    taken: bool,
}

impl Handler<Handed> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Handed { execution, taken }: Handed, ctx: &mut Self::Context) {
        if taken {
            self.agenda.forget(execution);
            self.claim_due(ctx);
        } else {
            self.agenda.take_back(execution);
            ctx.run_later(SOON, Self::tick);
        }
        if self.draining {
            self.give_back_claims();
        }
        self.set_timer(ctx);
    }
}
