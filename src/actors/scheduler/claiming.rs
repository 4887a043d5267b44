//! Claiming: plans are made from memory, carried out by the store, and taken up only once they are stored.

use actix::{Context, Handler, Message, ResponseFuture};
use futures::future::join_all;
use serde_json::Value;

use super::{SchedulerActor, claims::Reserved, entry::Entry};
use crate::{
    actors::{
        messages::Account,
        persistence::{WriteError, WriteResult},
        supervision::beside,
    },
    domain::{
        bot::BotName,
        outcome::Gap,
        run::{Claim, ExecutionId, Trigger},
        slots::SlotPlan,
        text::rfc3339,
    },
    store::Written,
};

/// Bots planned for at once; more are taken up with the next tick.
const MOST: usize = 2000;
/// On a store that nobody else claims from, claims may be taken before there is a place for them.
const ROOM_ALONE: usize = 4000;

impl SchedulerActor {
    /// Plans for the bots whose time has come.
    pub(super) fn claim_due(&mut self, ctx: &mut Context<Self>) {
        let awake = self.agenda.awake(self.env.clock.now(), MOST);
        self.plan_for(awake, ctx);
    }

    /// Accounts for the slots of bots that may not run.
    pub(super) fn account_for_closed(&mut self, ctx: &mut Context<Self>) {
        let closed = self.agenda.closed();
        self.plan_for(closed, ctx);
    }

    fn plan_for(&mut self, bots: Vec<BotName>, ctx: &mut Context<Self>) {
        let (now, mut room, mut planned) = (self.env.clock.now(), self.room(), Vec::new());
        for bot in bots {
            let Some(entry) = self.agenda.get(&bot) else {
                continue;
            };
            let busy = self.env.runs.is_busy(&bot);
            if entry.pending || (busy && entry.catches_up(now)) {
                continue;
            }
            if entry.closed().is_none() && !busy {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            planned.extend(self.send_plan(&bot, now, ctx));
        }
        if planned.is_empty() {
            return;
        }
        let me = self.me(ctx);
        beside(&self.me(ctx), async move {
            let answers = join_all(planned.into_iter().map(|one| one.answered())).await;
            fail::fail_point!("slot.claimed");
            let _ = me.send(Advanced(answers)).await;
        });
    }

    /// Puts a bot's plan on its way to the store; `None` if there is nothing to do yet.
    fn send_plan(
        &mut self,
        bot: &BotName,
        now: crate::domain::Instant,
        ctx: &mut Context<Self>,
    ) -> Option<Planned> {
        let (epoch, plan, write) = {
            let entry = self.agenda.get(bot)?;
            let plan = entry.plan(now);
            let write = plan.as_ref().and_then(|plan| entry.advance(plan));
            (entry.epoch, plan, write)
        };
        let (Some(plan), Some(write)) = (plan, write) else {
            self.end_hold_if_over(bot, now, ctx);
            return None;
        };
        self.agenda.change(bot, |entry| entry.pending = true);
        let answer = self.env.queue.send(write, false);
        Some(Planned {
            bot: bot.clone(),
            plan,
            epoch,
            answer,
        })
    }

    /// How many more claims this process may take: on a shared store as many as it has places for.
    fn room(&self) -> usize {
        if self.env.store.is_shared() {
            let taken = self.env.runs.in_places() + self.agenda.claims().len();
            self.env.rules.max_parallel_tasks.saturating_sub(taken)
        } else {
            ROOM_ALONE.saturating_sub(self.agenda.claims().len())
        }
    }

    fn settle(&mut self, answered: Answered) {
        let Answered {
            bot,
            plan,
            epoch,
            answer,
        } = answered;
        if !self.is_entry_of(&bot, epoch) {
            // The bot was reconfigured meanwhile: what has become of the plan, the store says.
            self.uncertain = true;
            return;
        }
        match answer {
            Ok(Written::Claimed(execution)) => self.advanced(&bot, &plan, execution),
            Ok(Written::Stale(Some(state))) => {
                self.agenda.change(&bot, |entry| entry.pending = false);
                self.agenda.update(*state);
            }
            Ok(Written::Busy { .. }) | Err(WriteError::Unavailable | WriteError::Full) => {
                self.uncertain = true;
                self.agenda.change(&bot, |entry| entry.pending = false);
            }
            other => {
                tracing::error!(actor = %bot, answer = ?other, "the store did not take the bot's slots; the bot rests until the next reconciliation");
                self.agenda.change(&bot, |entry| entry.schedule = None);
                self.agenda.change(&bot, |entry| entry.pending = false);
            }
        }
    }

    fn advanced(&mut self, bot: &BotName, plan: &SlotPlan, execution: Option<ExecutionId>) {
        for gap in &plan.gaps {
            if matches!(gap.gap, Gap::Late | Gap::Window) {
                tracing::warn!(actor = %bot, slots = gap.slots, first = %rfc3339(gap.first), last = %rfc3339(gap.last), reason = gap.gap.reason(), "slots were missed");
            }
        }
        let lenient = self.agenda.get(bot).is_some_and(Entry::resumed_leniently);
        self.agenda.change(bot, |entry| {
            entry.pending = false;
            entry.resumed = false;
        });
        self.agenda.advance(bot, plan.next);
        if let (Some(candidate), Some(execution)) = (plan.claim, execution) {
            let (bot, slot, due) = (bot.clone(), Some(candidate.slot), candidate.due);
            let claim = Claim {
                execution,
                bot,
                trigger: Trigger::Schedule,
                slot,
                due,
                attempt: 1,
            };
            self.agenda.keep(Reserved {
                claim,
                verify: false,
                backlog: candidate.catching_up,
                lenient,
                input: Value::Null,
            });
        }
    }
}

/// A plan on its way.
struct Planned {
    bot: BotName,
    plan: SlotPlan,
    /// The configuration that the plan was made by.
    epoch: u64,
    answer: tokio::sync::oneshot::Receiver<WriteResult>,
}

impl Planned {
    async fn answered(self) -> Answered {
        let answer = self.answer.await;
        Answered {
            bot: self.bot,
            plan: self.plan,
            epoch: self.epoch,
            answer: answer.unwrap_or(Err(WriteError::Unavailable)),
        }
    }
}

/// A plan, and what the store says to it.
struct Answered {
    bot: BotName,
    plan: SlotPlan,
    epoch: u64,
    answer: WriteResult,
}

/// The store has answered.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Advanced(Vec<Answered>);

impl Handler<Advanced> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Advanced(answers): Advanced, ctx: &mut Self::Context) {
        let stored = |answer: &WriteResult| matches!(answer, Ok(Written::Claimed(_)));
        let waits = answers
            .iter()
            .any(|one| matches!(one.answer, Ok(Written::Busy { .. })));
        let accounted = answers.iter().filter(|one| stored(&one.answer));
        let accounted: Vec<BotName> = accounted.map(|one| one.bot.clone()).collect();
        for one in answers {
            self.settle(one);
        }
        if self.draining {
            return self.give_back_claims();
        }
        for bot in accounted {
            self.end_hold_if_over(&bot, self.env.clock.now(), ctx);
        }
        if self.uncertain || waits {
            // The store is away, or a run is on: no hurry to plan the same again.
            return self.set_timer(ctx);
        }
        self.tick(ctx);
    }
}

impl Handler<Account> for SchedulerActor {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Account(bot): Account, ctx: &mut Self::Context) -> Self::Result {
        let Some(planned) = self.send_plan(&bot, self.env.clock.now(), ctx) else {
            let quiet = self.agenda.get(&bot).is_none_or(|entry| !entry.pending);
            return Box::pin(async move { quiet });
        };
        let me = self.me(ctx);
        Box::pin(async move {
            let answered = planned.answered().await;
            let stored = matches!(answered.answer, Ok(Written::Claimed(_)));
            me.send(Advanced(vec![answered])).await.is_ok() && stored
        })
    }
}
