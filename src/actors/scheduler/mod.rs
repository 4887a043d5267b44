//! The SchedulerActor: holds the next slot of every bot, wakes exactly, claims what is due and free, and hands claims
//! to the bots' actors.
//!
//! What it knows is a copy: every claim is checked by the store against what the plan was made from, so a scheduler
//! that is rebuilt, or that lags behind another replica, can be late but never wrong.

mod agenda;
mod cancelling;
mod claiming;
mod claims;
mod entry;
mod loading;
mod reconfiguring;
mod starting;

use std::{sync::Arc, time::Duration};

use actix::{Actor, AsyncContext, Context, Handler, SpawnHandle, WrapFuture};

use self::{agenda::Agenda, entry::Entry};
use super::{
    env::Env,
    mail::{Mailbox, takes_mail},
    messages::{Drain, Forgive, HoldSet, Ping, Pong, StateChanged},
    supervision::Crash,
};

use crate::{
    domain::{Instant, hold::HoldKind, state::BotState},
    telemetry::metrics::ActorType,
};

/// Who sends what is sent from here.
const ME: ActorType = ActorType::Scheduler;

/// The time of day may be set or a machine may sleep: the timer never trusts a longer wait than this.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// How often replicas look at the bots that are due, and at those that others have changed.
const REFRESH: Duration = Duration::from_secs(1);

/// Holds the next slot of every bot.
pub struct SchedulerActor {
    env: Arc<Env>,
    agenda: Agenda,
    /// The timer that is set.
    timer: Option<SpawnHandle>,
    /// The stored states are known.
    loaded: bool,
    /// They are being read.
    loading: bool,
    /// A tick is on its way, besides the timer's.
    soon: bool,
    /// The process stops: nothing is claimed any more.
    draining: bool,
    /// How often the configuration has changed; what was asked of the store before is answered too late.
    epoch: u64,
    /// From when on others' changes are to be looked for.
    changes_since: Instant,
    /// An answer of the store was lost, so it may have given claims that nobody knows of.
    uncertain: bool,
}

impl SchedulerActor {
    /// Builds one that reads everything it needs from the store.
    #[must_use]
    pub fn new(env: Arc<Env>) -> Self {
        Self {
            agenda: Agenda::on(env.board.clone()),
            changes_since: env.clock.now(),
            env,
            timer: None,
            loaded: false,
            loading: false,
            soon: false,
            draining: false,
            epoch: 0,
            uncertain: false,
        }
    }

    /// For messages to itself.
    fn me(&self, ctx: &Context<Self>) -> Mailbox<Self> {
        self.env.book.mailbox(ctx.address(), ME)
    }

    /// Does what is due, and sets the timer for the next time.
    fn tick(&mut self, ctx: &mut Context<Self>) {
        fail::fail_point!("scheduler.timer");
        if self.uncertain && !self.loading {
            self.load(ctx);
        }
        if self.loaded && !self.draining {
            self.start_due(ctx);
            self.claim_due(ctx);
        }
        self.set_timer(ctx);
    }

    /// What is stored of a bot replaces what is remembered.
    fn renew(&mut self, state: BotState) {
        let bot = state.bot.clone();
        let before = self.agenda.get(&bot).and_then(Entry::hold_kind);
        if before == Some(HoldKind::GivenUp)
            && state.hold.is_none()
            && let Some(coordinator) = self.env.book.coordinator(ME)
        {
            // Wherever the hold was ended: the bot's actor may live again here.
            let _ = coordinator.try_send(Forgive(bot.clone()));
        }
        self.agenda.update(state);
    }

    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        let now = self.env.clock.now();
        let next = self
            .agenda
            .next_event(now)
            .and_then(|next| (next - now).to_std().ok());
        let wait = next.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        self.timer = Some(ctx.run_later(wait, Self::tick));
    }
}

takes_mail!(SchedulerActor, ME);

impl Actor for SchedulerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("scheduler.started");
        self.env.vitals.set_loaded(false);
        self.load(ctx);
        ctx.run_interval(self.env.rules.check_interval, |actor, ctx| {
            actor.reconcile(ctx)
        });
        if self.env.store.is_shared() {
            ctx.run_interval(REFRESH, |actor, ctx| actor.refresh(ctx));
        }
        let (runs, me) = (self.env.runs.clone(), self.me(ctx));
        let ends = async move {
            loop {
                runs.ended().await;
                fail::fail_point!("scheduler.future");
                // If the mailbox is full a tick is on its way anyway.
                let _ = me.try_send(RunEnded);
            }
        };
        ctx.spawn(ends.into_actor(self));
        self.set_timer(ctx);
    }
}

/// A run has ended somewhere: a place may be free.
#[derive(actix::Message)]
#[rtype(result = "()")]
struct RunEnded;

impl Handler<RunEnded> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, _: RunEnded, ctx: &mut Self::Context) {
        if self.loaded && !self.draining {
            self.start_due(ctx);
        }
        self.tick_soon(ctx);
    }
}

impl Handler<Ping> for SchedulerActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        fail::fail_point!("scheduler.handle");
        Pong
    }
}

impl Handler<StateChanged> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, StateChanged(state): StateChanged, ctx: &mut Self::Context) {
        if self.is_of_this_configuration(&state) {
            self.renew(*state);
        } else {
            self.uncertain = true;
        }
        self.tick(ctx);
    }
}

impl Handler<HoldSet> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, HoldSet(bot, hold): HoldSet, _: &mut Self::Context) {
        tracing::warn!(actor = %bot, hold = hold.kind.as_str(), reason = hold.reason, "the bot is held");
        self.agenda.hold(&bot, hold);
    }
}

impl Handler<Drain> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.draining = true;
        self.account_for_closed(ctx);
        self.give_back_claims();
    }
}

impl Handler<Crash> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, crash: Crash, _: &mut Self::Context) {
        crash.die();
    }
}
