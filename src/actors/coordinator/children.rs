//! Building children, and what is done about their deaths.

use std::{collections::HashSet, sync::Arc};

use actix::{ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};

use super::{CoordinatorActor, ME};
use crate::{
    actors::{
        alarms::Alarm,
        alerting::AlertActor,
        health::{HealthCheckActor, MISSES},
        messages::{
            ChildState, DEADLINE, Forgive, HoldSet, Ping, Reload, Rest, Unresponsive, Wake,
        },
        news::Happening,
        persistence::PersistenceActor,
        roster::{Place, Remedy},
        runs::Evicted,
        scheduler::SchedulerActor,
        supervision::{Child, Exit, ExitNotice, beside, spawn},
        task::TaskActor,
    },
    domain::{
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::{AttemptOutcome, Status},
    },
    store::{Finish, Write},
};

/// The core, in the order in which it is started; a later one leans on the earlier ones.
const CORE: [Child; 3] = [Child::Persistence, Child::Scheduler, Child::HealthCheck];

impl CoordinatorActor {
    /// Starts what does not live yet: all of the core at first, nothing when a rebuilt coordinator takes over.
    pub(super) fn start_core(&mut self, ctx: &mut Context<Self>) {
        for child in CORE {
            if self.roster.state(&child).is_none() {
                self.build(&child);
            }
        }
        if self.env.alerting.is_on() && self.roster.state(&Child::Alert).is_none() {
            self.build(&Child::Alert);
        }
        for child in self.roster.restarting() {
            self.rebuild_later(child, std::time::Duration::ZERO, ctx);
        }
    }

    /// Builds a child from its factory and enters it in the book.
    fn build(&self, child: &Child) {
        if self.is_gone(child) {
            return;
        }
        let (incarnation, arbiter) = self.roster.birth(child);
        let (env, exits) = (Arc::clone(&self.env), self.env.exits.clone());
        let name = child.clone();
        let mut book = self.env.book.write();
        if !matches!(child, Child::Task(_)) {
            // Whoever looks into the book from now on finds the new one, and the one before it may hang for ever.
            self.env.book.write_off(child);
        }
        match child {
            Child::Coordinator => {}
            Child::Persistence => {
                let build = || PersistenceActor::new(env);
                book.persistence = Some(spawn(&arbiter, name, incarnation, &exits, build));
            }
            Child::Scheduler => {
                let build = || SchedulerActor::new(env);
                book.scheduler = Some(spawn(&arbiter, name, incarnation, &exits, build));
            }
            Child::HealthCheck => {
                let build = || HealthCheckActor::new(env);
                book.health = Some(spawn(&arbiter, name, incarnation, &exits, build));
            }
            Child::Alert => {
                let build = || AlertActor::new(env);
                book.alert = Some(spawn(&arbiter, name, incarnation, &exits, build));
            }
            Child::Task(bot) => {
                let Some(config) = env.bot(bot) else {
                    return;
                };
                let build = || TaskActor::new(env, config);
                book.tasks.insert(
                    bot.clone(),
                    spawn(&arbiter, name, incarnation, &exits, build),
                );
            }
        }
    }

    /// A bot that a reload has removed has no place in the roster, once its actor is no more.
    fn is_gone(&self, child: &Child) -> bool {
        let gone = matches!(child, Child::Task(bot) if self.env.bot(bot).is_none());
        if gone {
            self.roster.forget(child);
        }
        gone
    }

    /// What is done about the end of a child.
    pub(super) fn child_ended(&mut self, notice: &ExitNotice, ctx: &mut Context<Self>) {
        let ExitNotice {
            child,
            incarnation,
            exit,
        } = notice;
        let remedy = self.roster.death(child, *incarnation, exit);
        if remedy == Remedy::None {
            self.is_gone(child);
            return;
        }
        if let Child::Task(bot) = child {
            if remedy == Remedy::GiveUp {
                // Stored before the ends of the bot's claims: whoever looks after those finds the hold.
                self.give_up_bot(bot, exit);
            }
            self.close_runs_of(bot, exit, ctx);
        }
        self.tell_of_death(child, exit, remedy);
        if self.stopping {
            tracing::error!(child = %child, reason = %exit, "an actor died while the process stops");
            return;
        }
        match (remedy, child) {
            (Remedy::None, _) => {}
            (Remedy::Restart(wait), _) => {
                tracing::error!(child = %child, reason = %exit, wait_ms = wait.as_millis(), "an actor died; it is restarted");
                self.rebuild_later(child.clone(), wait, ctx);
            }
            (Remedy::GiveUp, Child::Task(_)) => {}
            (Remedy::GiveUp, Child::Alert) => {
                tracing::error!(child = %child, reason = %exit, "an actor spent its restart budget; nobody is told of anything until the process is restarted");
            }
            (Remedy::GiveUp, core) => self.give_up_core(core, exit),
        }
    }

    fn tell_of_death(&self, child: &Child, exit: &Exit, remedy: Remedy) {
        if remedy == Remedy::GiveUp && *child != Child::Alert {
            let given_up = Alarm::GivenUp {
                child: child.clone(),
                reason: exit.to_string(),
            };
            self.env.alarms.tell(self.env.clock.now(), given_up);
        }
        let died = Happening::ActorRestarted {
            child: child.to_string(),
            reason: exit.to_string(),
            given_up: remedy == Remedy::GiveUp,
        };
        self.env.news.tell(self.env.clock.now(), died);
    }

    fn rebuild_later(&self, child: Child, wait: std::time::Duration, ctx: &mut Context<Self>) {
        ctx.run_later(wait, move |actor, _| {
            if !actor.stopping && actor.roster.state(&child) == Some(ChildState::Restarting) {
                actor.build(&child);
            }
        });
    }

    /// The claims of a dead bot actor are closed in its stead: runs as panicked, claims that had not started are released.
    fn close_runs_of(&self, bot: &BotName, exit: &Exit, ctx: &Context<Self>) {
        self.env.book.write().tasks.remove(bot);
        let error = format!("the bot's actor died: {exit}");
        let evicted = self.env.runs.evict(bot).into_iter();
        let ends: Vec<_> = evicted
            .map(|one| self.env.queue.send(self.end_of(bot, one, &error), true))
            .collect();
        let env = Arc::clone(&self.env);
        beside(&self.me(ctx), async move {
            let _ = futures::future::join_all(ends).await;
            if let Some(scheduler) = env.book.scheduler(ME) {
                let _ = scheduler.send(Reload).timeout(DEADLINE).await;
            }
        });
    }

    fn end_of(&self, bot: &BotName, evicted: Evicted, error: &str) -> Write {
        let Evicted { execution, started } = evicted;
        let Some((started_at, attempt)) = started else {
            return Write::Release { execution };
        };
        Write::Finish(Box::new(Finish {
            execution,
            bot: bot.clone(),
            started_at,
            completed_at: self.env.clock.now(),
            attempt,
            outcome: AttemptOutcome::broken(Status::Panicked, error),
            metadata: serde_json::json!({}),
            max_consecutive_failures: self.env.max_consecutive_failures(),
        }))
    }

    fn give_up_bot(&self, bot: &BotName, exit: &Exit) {
        tracing::error!(actor = %bot, reason = %exit, "the bot's actor spent its restart budget; the bot is held until it is resumed");
        let reason = format!("restart budget spent; last: {exit}");
        let hold = Hold::by_server(HoldKind::GivenUp, reason);
        if let Some(scheduler) = self.env.book.scheduler(ME) {
            // Before the hold is stored nothing of the bot may start; if this is lost, the store's word comes later.
            let _ = scheduler.try_send(HoldSet(bot.clone(), hold.clone()));
        }
        let bot = bot.clone();
        self.env.queue.keep(Write::SetHold {
            bot,
            hold,
            replace: false,
        });
    }

    /// The first time everything behind the dead one is rebuilt with it; the second time the process ends.
    fn give_up_core(&mut self, child: &Child, exit: &Exit) {
        if !self.roster.may_rebuild_core() {
            let reason = format!("the {child} actor cannot be kept alive: {exit}");
            tracing::error!(reason, "giving up");
            self.fatal.send_replace(Some(reason));
            return;
        }
        tracing::error!(child = %child, reason = %exit, "an actor spent its restart budget; it and all that lean on it are rebuilt");
        for behind in CORE.into_iter().skip_while(|core| core != child) {
            let why = if behind == *child {
                exit
            } else {
                &Exit::Normal
            };
            self.roster.replace(&behind, why);
            self.roster.abandon_thread(&behind);
            self.build(&behind);
        }
    }

    /// The backstop: an address that is dead although no notice came.
    pub(super) fn look_after_children(&mut self, ctx: &mut Context<Self>) {
        fail::fail_point!("coordinator.timer");
        let dead = self.env.book.read().dead().into_iter();
        let numbered = dead.filter_map(|child| {
            let incarnation = self.roster.incarnation(&child)?;
            let running = self.roster.state(&child) == Some(ChildState::Running);
            running.then_some((child, incarnation))
        });
        let dead: HashSet<(Child, u64)> = numbered.collect();
        // The notice says more, and is only a moment behind the address.
        let before = std::mem::replace(&mut self.seen_dead, dead);
        let again: Vec<(Child, u64)> = self.seen_dead.intersection(&before).cloned().collect();
        for (child, incarnation) in again {
            let exit = Exit::ArbiterGone;
            self.child_ended(
                &ExitNotice {
                    child,
                    incarnation,
                    exit,
                },
                ctx,
            );
        }
        self.ask_health_check(ctx);
    }

    /// The health check asks all others; it is asked here.
    fn ask_health_check(&self, ctx: &mut Context<Self>) {
        let Some(health) = self.env.book.health(ME) else {
            return;
        };
        let asked = health.send(Ping).timeout(DEADLINE).into_actor(self);
        ctx.spawn(asked.map(|answer, actor, ctx| {
            actor.health_misses = if answer.is_ok() {
                0
            } else {
                actor.health_misses + 1
            };
            if actor.health_misses >= MISSES {
                actor.health_misses = 0;
                Handler::<Unresponsive>::handle(actor, Unresponsive(Child::HealthCheck), ctx);
            }
        }));
    }
}

impl CoordinatorActor {
    /// Bots' actors share threads: if one does not answer, none on its thread does.
    fn on_the_thread_of(&self, child: Child) -> Vec<Child> {
        if !matches!(child, Child::Task(_)) {
            return vec![child];
        }
        let place = Place::of(&child);
        let book = self.env.book.read();
        let bots = book.tasks.keys().cloned().map(Child::Task);
        bots.filter(|bot| Place::of(bot) == place).collect()
    }
}

impl Handler<Wake> for CoordinatorActor {
    type Result = Option<Addr<TaskActor>>;

    fn handle(&mut self, Wake(bot): Wake, _: &mut Self::Context) -> Self::Result {
        let known = self.env.book.read().tasks.get(&bot).cloned();
        if let Some(task) = known.filter(Addr::connected) {
            return Some(task);
        }
        let child = Child::Task(bot.clone());
        let state = self.roster.state(&child);
        let not_now = matches!(state, Some(ChildState::Restarting | ChildState::GivenUp));
        if self.stopping || not_now || self.env.bot(&bot).is_none() {
            return None;
        }
        self.build(&child);
        self.env.book.read().tasks.get(&bot).cloned()
    }
}

impl Handler<Forgive> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, Forgive(bot): Forgive, _: &mut Self::Context) {
        self.roster.forgive(&Child::Task(bot));
    }
}

impl Handler<Rest> for CoordinatorActor {
    type Result = bool;

    fn handle(&mut self, Rest(bot, actor): Rest, _: &mut Self::Context) -> bool {
        let mut book = self.env.book.write();
        let is_it = book.tasks.get(&bot) == Some(&actor);
        is_it && book.tasks.remove(&bot).is_some()
    }
}

impl Handler<Unresponsive> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, Unresponsive(child): Unresponsive, ctx: &mut Self::Context) {
        let is_child = child != Child::Coordinator;
        if !is_child || self.roster.state(&child) != Some(ChildState::Running) {
            return;
        }
        let _ = self.roster.abandon_thread(&child);
        for child in self.on_the_thread_of(child.clone()) {
            if let Some(incarnation) = self.roster.incarnation(&child) {
                let exit = Exit::Unresponsive;
                self.child_ended(
                    &ExitNotice {
                        child,
                        incarnation,
                        exit,
                    },
                    ctx,
                );
            }
        }
        self.env.book.write_off(&child);
    }
}
