//! Handing claims to the bots' actors when they are due and a place is free.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};
use serde_json::Value;

use super::{SchedulerActor, entry::Reserved};
use crate::{
    actors::{
        env::Env,
        messages::{DEADLINE, StartRun, Wake},
        supervision::beside,
    },
    domain::{Instant, bot::BotName, hold::HoldKind, policy::Overlap},
    store::{Write, Written},
};

impl SchedulerActor {
    /// Hands on every claim that is due, as far as there are places.
    pub(super) fn start_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        for bot in self.agenda.due(now) {
            let Some(entry) = self.agenda.get(&bot) else {
                continue;
            };
            let overlap_decides =
                self.env.runs.is_busy(&bot) && entry.bot.policy.overlap != Overlap::AllowAll;
            let place = if overlap_decides {
                None
            } else {
                Arc::clone(&self.env.places).try_acquire_owned().ok()
            };
            if place.is_none() && !overlap_decides {
                return;
            }
            let (superseded, schedule, hold) = (
                entry.is_superseded(now),
                entry.state.schedule.clone(),
                entry.hold_kind(),
            );
            if let Some(Reserved {
                claim,
                verify,
                lenient,
                ..
            }) = self.agenda.hand(&bot)
            {
                let start = StartRun {
                    claim,
                    schedule,
                    place,
                    hold,
                    superseded,
                    verify,
                    lenient,
                    input: Value::Null,
                };
                hand_over(Arc::clone(&self.env), ctx, start);
            }
        }
    }

    /// A hold with an end that has come, and whose slots are accounted for, goes.
    pub(super) fn end_hold_if_over(
        &mut self,
        bot: &BotName,
        now: Instant,
        ctx: &mut Context<Self>,
    ) {
        let over = |entry: &super::entry::Entry| {
            !entry.pending
                && entry
                    .state
                    .hold
                    .as_ref()
                    .is_some_and(|hold| hold.is_over(now))
        };
        if !self.agenda.get(bot).is_some_and(over) {
            return;
        }
        self.agenda.change(bot, |entry| entry.pending = true);
        let (env, bot) = (Arc::clone(&self.env), bot.clone());
        beside(&ctx.address(), async move {
            let clear = Write::ClearHold {
                bot: bot.clone(),
                kind: Some(HoldKind::Manual),
            };
            let answer = env.queue.ask(clear, false).await;
            tracing::info!(actor = %bot, "the pause has reached its end");
            if let (Ok(Written::State(state)), Some(coordinator)) = (answer, env.book.coordinator())
            {
                let _ = coordinator
                    .send(crate::actors::messages::HoldCleared(state))
                    .timeout(DEADLINE)
                    .await;
            }
            if let Some(scheduler) = env.book.scheduler() {
                let _ = scheduler.send(Settled(bot)).timeout(DEADLINE).await;
            }
        });
    }

    /// While draining: claims that the store gave after the drain began.
    pub(super) fn give_back(&mut self, bots: Vec<BotName>) {
        for bot in bots {
            if let Some(claim) = self.agenda.forget_claim(&bot) {
                self.env.queue.keep(Write::Release {
                    execution: claim.execution,
                });
            }
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

fn hand_over(env: Arc<Env>, ctx: &mut Context<SchedulerActor>, start: StartRun) {
    let (me, bot) = (ctx.address(), start.claim.bot.clone());
    beside(&ctx.address(), async move {
        let taken = send_start(&env, &bot, start).await;
        let _ = me.send(Handed { bot, taken }).await;
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
        Some(actor) => actor.send(start).timeout(DEADLINE).await.is_ok(),
        None => false,
    }
}

/// A claim has got to its actor, or not.
#[derive(Message)]
#[rtype(result = "()")]
struct Handed {
    bot: BotName,
    taken: bool,
}

impl Handler<Handed> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Handed { bot, taken }: Handed, ctx: &mut Self::Context) {
        if taken {
            self.agenda.forget_claim(&bot);
            self.claim_due(ctx);
        } else if self.draining {
            self.give_back(vec![bot]);
        } else {
            self.agenda.take_back(&bot);
        }
        self.set_timer(ctx);
    }
}
