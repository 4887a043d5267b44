//! The HealthCheckActor: asks every core actor and the store whether they are there, with a deadline, and tells the
//! coordinator of those that are not.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, AsyncContext, Context, Handler, Message};

use tokio::time::Instant as Monotonic;

use super::{
    counting,
    env::Env,
    mail::{Addressee, Mailbox, Mailed, takes_mail},
    messages::{AskHealth, DEADLINE, HealthReport, Ping, Pong, Unresponsive},
    roster::Place,
    supervision::Child,
};
use crate::{
    domain::{Instant, health::Health},
    telemetry::metrics::ActorType,
};

/// Who sends what is sent from here.
const ME: ActorType = ActorType::HealthCheck;

/// How often actors are asked.
const PULSE: Duration = Duration::from_secs(2);
/// How often the store is asked at least, and how long it may take: what is ready is known to be so, or not, within two
/// seconds.
const STORE_PULSE: Duration = Duration::from_secs(1);
const STORE_PATIENCE: Duration = Duration::from_millis(1500);
/// The part that is the store.
const DATABASE: &str = "database";
/// The part that tells people.
const ALERT: &str = "alert";
/// So many unanswered pings in a row, each with its deadline, and the actor is replaced.
pub(super) const MISSES: u32 = 3;

/// Looks after the others.
pub struct HealthCheckActor {
    env: Arc<Env>,
    parts: HashMap<String, (Health, Instant)>,
    misses: HashMap<String, u32>,
    /// The store has not answered yet.
    asking: bool,
}

impl HealthCheckActor {
    /// Builds one that knows nothing yet.
    #[must_use]
    pub fn new(env: Arc<Env>) -> Self {
        Self {
            env,
            parts: HashMap::new(),
            misses: HashMap::new(),
            asking: false,
        }
    }

    /// For messages to itself.
    fn me(&self, ctx: &Context<Self>) -> Mailbox<Self> {
        self.env.book.mailbox(ctx.address(), ME)
    }

    fn pulse(&mut self, ctx: &mut Context<Self>) {
        fail::fail_point!("health.timer");
        let (book, me) = (&self.env.book, self.me(ctx));
        ping(Child::Persistence, book.persistence(ME), me.clone());
        ping(Child::Scheduler, book.scheduler(ME), me.clone());
        ping(Child::Coordinator, book.coordinator(ME), me.clone());
        if let Some(alert) = book.alert(ME) {
            ping(Child::Alert, Some(alert), me.clone());
        }
        // Bots' actors share threads, so one on each answers for all.
        let mut asked = HashSet::new();
        for (bot, task) in &book.read().tasks {
            let child = Child::Task(bot.clone());
            if asked.insert(Place::of(&child)) {
                let task = book.mailbox(task.clone(), ME);
                ping(child, Some(task), me.clone());
            }
        }
        // A thread whose bots all rest has nothing that could be unwell.
        let asked: HashSet<String> = asked.iter().map(name_of).collect();
        self.parts
            .retain(|part, _| !part.starts_with("bots/") || asked.contains(part));
    }

    fn ask_store(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.asking, true) {
            return;
        }
        let (env, me) = (Arc::clone(&self.env), self.me(ctx));
        actix_rt::spawn(async move {
            let health = ask(&env).await;
            env.vitals.set_database(health == Health::Healthy);
            let _ = me.try_send(Found(health));
        });
    }

    /// Since when something is so well or so unwell does not change with the words for it.
    fn found(&mut self, part: String, health: Health) {
        let before = self.parts.get_mut(&part).map(|(health, _)| health);
        if let Some(before) = before
            && before.level() == health.level()
        {
            *before = health;
            return;
        }
        let before = self.parts.get(&part);
        match &health {
            Health::Healthy if before.is_some() => tracing::info!(part, "healthy again"),
            Health::Healthy => {}
            Health::Degraded(reason) => tracing::warn!(part, reason, "degraded"),
            Health::Unhealthy(reason) => tracing::error!(part, reason, "unhealthy"),
        }
        self.parts.insert(part, (health, self.env.clock.now()));
    }
}

takes_mail!(HealthCheckActor, ME);

impl Actor for HealthCheckActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("health.started");
        ctx.run_interval(PULSE, Self::pulse);
        self.ask_store(ctx);
        let interval = self.env.rules.health_interval.min(STORE_PULSE);
        ctx.run_interval(interval, Self::ask_store);
    }
}

/// Asks the store.
async fn ask(env: &Env) -> Health {
    let (store, began) = (Arc::clone(&env.store), Monotonic::now());
    let asked = env
        .runtime
        .spawn(async move { tokio::time::timeout(STORE_PATIENCE, store.ping()).await });
    let asked = asked.await;
    match &asked {
        Ok(Ok(answer)) => counting::asked_store(&env.metrics, answer, began.elapsed()),
        Ok(Err(_)) => counting::store_was_silent(&env.metrics, began.elapsed()),
        Err(_) => {}
    }
    match asked {
        Ok(Ok(Ok(()))) => Health::Healthy,
        Ok(Ok(Err(error))) => Health::Unhealthy(error.to_string()),
        Ok(Err(_)) => Health::Unhealthy(format!(
            "no answer within {} ms",
            STORE_PATIENCE.as_millis()
        )),
        Err(error) if error.is_panic() => Health::Unhealthy("asking it panicked".into()),
        // The process ends: nobody is there any more that could be asked.
        Err(_) => Health::Healthy,
    }
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Bots(thread) => format!("bots/{thread}"),
        Place::Own(core) => core.to_string(),
    }
}

/// Asks one actor; what it finds comes back as a message.
fn ping<A>(child: Child, actor: Option<Mailbox<A>>, me: Mailbox<HealthCheckActor>)
where
    A: Addressee + Handler<Mailed<Ping>>,
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
        let part = name_of(&Place::of(&child));
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
            && let Some(coordinator) = self.env.book.coordinator(ME)
        {
            // If the coordinator is being rebuilt the next pulse finds the same.
            let _ = coordinator.try_send(Unresponsive(child.clone()));
            self.misses.insert(part.clone(), 0);
        }
        self.found(part, health);
    }
}

/// How the store is.
#[derive(Message)]
#[rtype(result = "()")]
struct Found(Health);

impl Handler<Found> for HealthCheckActor {
    type Result = ();

    fn handle(&mut self, Found(health): Found, _: &mut Self::Context) {
        self.asking = false;
        let health = match health {
            Health::Healthy if !self.env.vitals.writes() => {
                Health::Unhealthy("it does not take writes".into())
            }
            health => health,
        };
        self.found(DATABASE.into(), health);
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
        let whole = {
            let tempered = self
                .parts
                .iter()
                .map(|(name, (health, _))| (name.as_str(), self.tempered(name, health)));
            let tempered: Vec<(&str, Health)> = tempered.collect();
            Health::fold(tempered.iter().map(|(name, health)| (*name, health)))
        };
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

impl HealthCheckActor {
    /// What a part means for the whole. Without a database runs end and their results are kept, so the server is at work,
    /// though not well; only when results were lost it does not do what it is there for.
    fn tempered(&self, part: &str, health: &Health) -> Health {
        match health {
            Health::Unhealthy(reason) if part == DATABASE => match self.env.queue.refused() {
                0 => Health::Degraded(format!("{reason}; results are kept in memory")),
                lost => Health::Unhealthy(format!("{reason}; {lost} results were lost")),
            },
            // Bots run whether anybody is told of them or not.
            Health::Unhealthy(reason) if part == ALERT => Health::Degraded(reason.clone()),
            health => health.clone(),
        }
    }
}
