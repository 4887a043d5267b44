//! Handing claims to the bots' actors when they are due and a place is free.

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext, Context, Handler, Message};
use tokio::sync::OwnedSemaphorePermit;
use tracing::field::display;

use super::{ME, SchedulerActor, entry::Entry};
use crate::{
    actors::{
        env::Env,
        mail::Mailbox,
        messages::{DEADLINE, StartRun, Wake},
        reading,
        supervision::beside,
        task::TaskActor,
    },
    domain::{
        Instant,
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::Gap,
        policy::Overlap,
        run::{Claim, ExecutionId, Trigger},
        state::BotState,
        text::rfc3339,
    },
    store::{Write, Written},
};

/// How long to wait before a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(250);
/// How soon is looked again when something has changed: soon enough for a claim that did not get to its actor because that
/// went to rest, and long enough that hundreds of changes are one look.
const SOON: Duration = Duration::from_millis(20);

impl SchedulerActor {
    /// Hands on every claim that is due, as far as there are places.
    pub(super) fn start_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        let (mut full, mut without_place) = (false, 0);
        for (execution, bot, trigger) in self.agenda.claims().due(now) {
            let Some(entry) = self.agenda.get(&bot) else {
                continue;
            };
            // A run by hand works under a hold, also when it is run again.
            let closed = entry.closed().filter(|_| trigger != Trigger::Manual);
            if let Some(gap) = closed.filter(|gap| self.is_sure_of(entry, *gap)) {
                self.decline(execution, gap);
                continue;
            }
            let allows = entry.bot.policy.overlap == Overlap::AllowAll;
            let needs_place = allows || !self.env.runs.is_busy(&bot);
            let place = if needs_place && !full {
                self.place()
            } else {
                None
            };
            full |= needs_place && place.is_none();
            if place.is_some() || !needs_place {
                self.start(execution, &bot, place, ctx);
            } else {
                without_place += 1;
            }
        }
        self.env.runs.found_no_place(without_place);
    }

    /// A hold may have been ended by another process: for a claim that is due now, the bot's actor asks the store. A bot
    /// that was given up has no actor.
    fn is_sure_of(&self, entry: &Entry, gap: Gap) -> bool {
        let held = matches!(gap, Gap::Held(kind) if kind != HoldKind::GivenUp);
        let may_have_ended = held && entry.bot.quarantine.is_none() && self.env.store.is_shared();
        !may_have_ended
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.env.places).try_acquire_owned().ok()
    }

    /// Hands on one claim; without a place if the bot's overlap policy decides.
    fn start(
        &mut self,
        execution: ExecutionId,
        bot: &BotName,
        place: Option<OwnedSemaphorePermit>,
        ctx: &Context<Self>,
    ) {
        let Some(entry) = self.agenda.get(bot) else {
            return;
        };
        let superseded = entry.is_superseded(self.env.clock.now());
        let (schedule, hold) = (entry.state.schedule.clone(), entry.hold_kind());
        let Some(reserved) = self.agenda.hand(execution) else {
            return;
        };
        let start = StartRun {
            claim: reserved.claim,
            schedule,
            place,
            verify: reserved.verify,
            asked_at: None,
            backlog: reserved.backlog,
            lenient: reserved.lenient,
            hold,
            superseded,
            input: reserved.input,
        };
        hand_over(Arc::clone(&self.env), self.me(ctx), start);
    }

    /// One look a little later, however much happens until then.
    pub(super) fn tick_soon(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.soon, true) {
            ctx.run_later(SOON, |actor, ctx| {
                actor.soon = false;
                actor.tick(ctx);
            });
        }
    }

    /// The bot may not run: its actor need not be asked, and may not even exist.
    fn decline(&mut self, execution: ExecutionId, gap: Gap) {
        let Some(Claim { bot, slot, .. }) = self.agenda.forget(execution) else {
            return;
        };
        let scheduled_for = slot.map(rfc3339).map(display);
        tracing::info!(actor = %bot, scheduled_for, reason = gap.reason(), "the slot does not run");
        let stays_open = |entry: &Entry| entry.keeps_newest(gap);
        if slot.is_some() && self.agenda.get(&bot).is_some_and(stays_open) {
            // The resume decides about the newest slot under the hold.
            self.env.queue.keep(Write::Release { execution });
            self.agenda.advance(&bot, slot);
        } else {
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
            let epoch = self.agenda.get(bot).map_or(0, |entry| entry.epoch);
            let ending = end_hold(Arc::clone(&self.env), bot.clone(), epoch);
            beside(&self.me(ctx), ending);
        }
    }

    /// While draining: claims that no actor has are decided anew by whoever is there next.
    pub(super) fn give_back_claims(&mut self) {
        // The newest first: a slot cannot be given back behind one that is claimed still.
        for execution in self.agenda.claims().waiting().into_iter().rev() {
            self.agenda.forget(execution);
            self.env.queue.keep(Write::Release { execution });
        }
    }
}

/// Nothing of this bot is on its way any more.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled {
    bot: BotName,
    /// The configuration at the time of asking.
    epoch: u64,
    state: Option<Box<BotState>>,
}

impl Handler<Settled> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, settled: Settled, ctx: &mut Self::Context) {
        let Settled { bot, epoch, state } = settled;
        if !self.is_entry_of(&bot, epoch) {
            self.uncertain = true;
            return self.tick(ctx);
        }
        self.agenda.change(&bot, |entry| entry.pending = false);
        if let Some(state) = state {
            self.agenda.update(*state);
        }
        self.tick(ctx);
    }
}

async fn end_hold(env: Arc<Env>, bot: BotName, epoch: u64) {
    let turn = env.turns.of(&bot).await;
    let state = clear_if_over(&env, &bot).await;
    if state.is_none() {
        tokio::time::sleep(AGAIN).await;
    }
    if let Some(scheduler) = env.book.scheduler(ME) {
        let _ = scheduler
            .send(Settled { bot, epoch, state })
            .timeout(DEADLINE)
            .await;
    }
    drop(turn);
}

/// The pause may have been given another end meanwhile, here or on another replica: that state is the answer then.
async fn clear_if_over(env: &Env, bot: &BotName) -> Option<Box<BotState>> {
    let remembered = || env.board.card(bot).map(|card| card.state.clone());
    let stored = reading::state(env, bot).await.ok().flatten();
    let state = stored.or_else(remembered)?;
    let over = |hold: &Hold| hold.kind == HoldKind::Manual && hold.is_over(env.clock.now());
    if !state.hold.as_ref().is_some_and(over) {
        return Some(Box::new(state));
    }
    let (bot, kind) = (bot.clone(), Some(HoldKind::Manual));
    match env.queue.ask(Write::ClearHold { bot, kind }, false).await {
        Ok(Written::State(state)) => {
            tracing::info!(actor = %state.bot, "the pause has reached its end");
            Some(state)
        }
        _ => None,
    }
}

fn hand_over(env: Arc<Env>, me: Mailbox<SchedulerActor>, start: StartRun) {
    let (bot, execution) = (start.claim.bot.clone(), start.claim.execution);
    beside(&me.clone(), async move {
        let taken = send_start(&env, &bot, start).await;
        let _ = me.send(Handed { execution, taken }).await;
    });
}

/// Whether the bot's actor has the claim.
async fn send_start(env: &Env, bot: &BotName, start: StartRun) -> bool {
    let actor = match env.book.task(bot, ME) {
        Some(actor) => Some(actor),
        None => woken(env, bot).await,
    };
    match actor {
        Some(actor) => matches!(actor.send(start).timeout(DEADLINE).await, Ok(true)),
        None => false,
    }
}

async fn woken(env: &Env, bot: &BotName) -> Option<Mailbox<TaskActor>> {
    let coordinator = env.book.coordinator(ME)?;
    let woken = coordinator.send(Wake(bot.clone())).timeout(DEADLINE).await;
    Some(env.book.mailbox(woken.ok().flatten()?, ME))
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
        } else {
            self.agenda.take_back(execution);
        }
        if self.draining {
            self.give_back_claims();
        }
        // The bot's next claim has time: those of all bots that start now go together.
        self.tick_soon(ctx);
    }
}
