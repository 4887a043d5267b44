//! The HealthCheckActor: asks every core actor and the store whether they are there, with a deadline, and tells the
//! coordinator of those that are not.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, dev::ToEnvelope};

use super::{
    env::Env,
    messages::{AskHealth, DEADLINE, HealthReport, Ping, Pong, Unresponsive},
    roster::Place,
    supervision::Child,
};
use crate::domain::{Instant, health::Health};

/// How often actors are asked; the store is asked every `[health] interval_seconds`.
const PULSE: Duration = Duration::from_secs(2);
/// So many unanswered pings in a row, each with its deadline, and the actor is replaced.
pub(super) const MISSES: u32 = 3;

/// Looks after the others.
pub struct HealthCheckActor {
    env: Arc<Env>,
    parts: HashMap<String, (Health, Instant)>,
    misses: HashMap<String, u32>,
}

impl HealthCheckActor {
    /// Builds one that knows nothing yet.
    #[must_use]
    pub fn new(env: Arc<Env>) -> Self {
        Self {
            env,
            parts: HashMap::new(),
            misses: HashMap::new(),
        }
    }

    fn pulse(&mut self, ctx: &mut Context<Self>) {
        fail::fail_point!("health.timer");
        let book = self.env.book.read();
        let me = ctx.address();
        ping(Child::Persistence, book.persistence.clone(), me.clone());
        ping(Child::Scheduler, book.scheduler.clone(), me.clone());
        ping(Child::Coordinator, book.coordinator.clone(), me.clone());
        // Bots' actors share threads, so one on each answers for all.
        let mut asked = HashSet::new();
        for (bot, task) in &book.tasks {
            let child = Child::Task(bot.clone());
            if asked.insert(Place::of(&child)) {
                ping(child, Some(task.clone()), me.clone());
            }
        }
    }

    fn ask_store(&mut self, ctx: &mut Context<Self>) {
        let (env, me) = (Arc::clone(&self.env), ctx.address());
        actix_rt::spawn(async move {
            let store = Arc::clone(&env.store);
            let asked = env
                .runtime
                .spawn(async move { tokio::time::timeout(DEADLINE, store.ping()).await });
            let health = match asked.await {
                Ok(Ok(Ok(()))) => Health::Healthy,
                Ok(Ok(Err(error))) => Health::Unhealthy(error.to_string()),
                Ok(Err(_)) => {
                    Health::Unhealthy(format!("no answer within {} s", DEADLINE.as_secs()))
                }
                Err(_) => Health::Unhealthy("asking it panicked".into()),
            };
            let _ = me.try_send(Found {
                part: "database".into(),
                health,
            });
        });
    }

    fn found(&mut self, part: String, health: Health) {
        let before = self.parts.get(&part).map(|(health, _)| health);
        if before == Some(&health) {
            return;
        }
        match &health {
            Health::Healthy if before.is_some() => tracing::info!(part, "healthy again"),
            Health::Healthy => {}
            Health::Degraded(reason) => tracing::warn!(part, reason, "degraded"),
            Health::Unhealthy(reason) => tracing::error!(part, reason, "unhealthy"),
        }
        self.parts.insert(part, (health, self.env.clock.now()));
    }
}

impl Actor for HealthCheckActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("health.started");
        ctx.run_interval(PULSE, Self::pulse);
        self.ask_store(ctx);
        ctx.run_interval(self.env.rules.health_interval, Self::ask_store);
    }
}

/// Asks one actor; what it finds comes back as a message.
fn ping<A>(child: Child, actor: Option<Addr<A>>, me: Addr<HealthCheckActor>)
where
    A: Actor + Handler<Ping>,
    A::Context: ToEnvelope<A, Ping>,
{
    actix_rt::spawn(async move {
        let answered = match actor {
            Some(actor) => actor.send(Ping).timeout(DEADLINE).await.is_ok(),
            None => false,
        };
        let _ = me.try_send(Pulse { child, answered });
    });
}

/// Whether an actor answered.
#[derive(Message)]
#[rtype(result = "()")]
struct Pulse {
    child: Child,
    answered: bool,
}

impl Handler<Pulse> for HealthCheckActor {
    type Result = ();

    fn handle(&mut self, Pulse { child, answered }: Pulse, _: &mut Self::Context) {
        fail::fail_point!("health.handle");
        let part = match Place::of(&child) {
            Place::Bots(thread) => format!("bots/{thread}"),
            Place::Own(core) => core.to_string(),
        };
        let misses = self.misses.entry(part.clone()).or_default();
        *misses = if answered { 0 } else { *misses + 1 };
        let missed = *misses;
        let health = match missed {
            0 => Health::Healthy,
            n if n < MISSES => Health::Degraded("did not answer".into()),
            n => Health::Unhealthy(format!("did not answer {n} times in a row")),
        };
        if missed == MISSES
            && child != Child::Coordinator
            && let Some(coordinator) = self.env.book.coordinator()
        {
            // If the coordinator is being rebuilt the next pulse finds the same.
            let _ = coordinator.try_send(Unresponsive(child.clone()));
            self.misses.insert(part.clone(), 0);
        }
        self.found(part, health);
    }
}

/// How a dependency is.
#[derive(Message)]
#[rtype(result = "()")]
struct Found {
    part: String,
    health: Health,
}

impl Handler<Found> for HealthCheckActor {
    type Result = ();

    fn handle(&mut self, Found { part, health }: Found, _: &mut Self::Context) {
        self.found(part, health);
    }
}

impl Handler<Ping> for HealthCheckActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        Pong
    }
}

impl Handler<AskHealth> for HealthCheckActor {
    type Result = HealthReport;

    fn handle(&mut self, _: AskHealth, _: &mut Self::Context) -> HealthReport {
        let whole = Health::fold(
            self.parts
                .iter()
                .map(|(name, (health, _))| (name.as_str(), health)),
        );
        let parts = self
            .parts
            .iter()
            .map(|(name, (health, since))| (name.clone(), health.clone(), *since))
            .collect();
        HealthReport {
            whole,
            parts: Arc::new(parts),
        }
    }
}
