//! What every actor keeps to: it starts, answers, survives messages that make no sense now, ends when its thread does,
//! goes on where its predecessor was, and leaves nothing `running` once it has been told to finish.

use std::{collections::HashSet, sync::Arc};

use actix::{Actor, Addr, Context, Handler, dev::ToEnvelope};
use actix_rt::Arbiter;
use actor_server::{
    actors::{
        coordinator::CoordinatorActor,
        env::Env,
        health::HealthCheckActor,
        messages::{
            Abandon, Account, AskHealth, CancelRun, ChildState, ControlError, DEADLINE, Drain,
            FinishUp, HoldSet, Inspect, Ping, Reload, Rest, Resume, StartRun, StateChanged, Stop,
            Unresponsive, Wake,
        },
        persistence::{PersistenceActor, flush_what_is_left},
        roster::Roster,
        scheduler::SchedulerActor,
        supervision::{Child, Exit, Exits, spawn},
        task::TaskActor,
    },
    domain::{
        health::Health,
        hold::{Hold, HoldKind},
        run::{Claim, ExecutionId, Trigger},
        state::BotState,
    },
    store::{LiveRow, Write},
    telemetry::metrics::Metrics,
};
use serde_json::Value;
use tempfile::tempdir;
use tokio::{sync::watch, time::timeout};

use super::{
    bots::{bot, every, name},
    stand::{Setting, Stand, eventually},
    triggers::by_hand,
};

/// One actor: how it is built, what is said to it at odd times, what its next incarnation must know, how it finishes.
trait Case: 'static {
    type Actor: Actor<Context = Context<Self::Actor>> + Handler<Ping>;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static;
    async fn odd(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>);
    async fn recalls(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>);
    async fn finish(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>);
}

async fn keeps_the_contract<C: Case>(case: C) {
    let folder = tempdir().unwrap();
    let bots = [every(2, "bot", "succeed"), bot("idle", "hang")];
    let stand = Stand::on(folder.path(), Setting::of(bots)).await;
    let (env, exits) = (&stand.env, Exits::default());
    for incarnation in 1..=2 {
        let arbiter = Arbiter::new();
        let build = case.build(Arc::clone(env));
        let actor = spawn(
            &arbiter.handle(),
            Child::Scheduler,
            incarnation,
            &exits,
            build,
        );
        assert!(answers(&actor).await, "does not start");
        if incarnation == 1 {
            case.odd(env, &actor).await;
        } else {
            case.recalls(env, &actor).await;
            case.finish(env, &actor).await;
            nothing_runs(env).await;
        }
        assert!(answers(&actor).await, "did not survive what it was told");
        arbiter.stop();
        let notice = timeout(DEADLINE, exits.next()).await.expect("does not end");
        assert_eq!(
            (notice.incarnation, notice.exit),
            (incarnation, Exit::ArbiterGone)
        );
        assert!(!answers(&actor).await);
    }
}

async fn answers<A>(actor: &Addr<A>) -> bool
where
    A: Actor + Handler<Ping>,
    A::Context: ToEnvelope<A, Ping>,
{
    actor.send(Ping).timeout(DEADLINE).await.is_ok()
}

/// What the store calls this process's, once everything that waits is stored.
async fn live(env: &Arc<Env>) -> Vec<LiveRow> {
    flush_what_is_left(env, DEADLINE).await;
    env.store.live(&env.me.id).await.unwrap()
}

async fn nothing_runs(env: &Arc<Env>) {
    eventually("nothing runs", || async {
        (live(env).await.is_empty() && env.runs.is_empty()).then_some(())
    })
    .await;
}

fn ghost() -> BotState {
    BotState {
        bot: name("ghost"),
        actor_name: String::new(),
        schedule: None,
        anchor: chrono::DateTime::UNIX_EPOCH,
        next_run: None,
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: None,
        removed: false,
    }
}

fn hold() -> Hold {
    Hold::by_server(HoldKind::Refused, "no")
}

fn claim(bot: &str, execution: i64) -> Claim {
    Claim {
        execution: ExecutionId(execution),
        bot: name(bot),
        trigger: Trigger::Schedule,
        slot: None,
        due: chrono::DateTime::UNIX_EPOCH,
        attempt: 1,
    }
}

fn start(claim: Claim) -> StartRun {
    StartRun {
        claim,
        schedule: None,
        place: None,
        hold: None,
        superseded: false,
        verify: false,
        asked_at: None,
        backlog: false,
        lenient: true,
        input: Value::Null,
    }
}

struct Coordinator(Roster, watch::Sender<Option<String>>);

impl Case for Coordinator {
    type Actor = CoordinatorActor;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static {
        let (roster, fatal) = (self.0.clone(), Arc::new(self.1.clone()));
        move || CoordinatorActor::new(env, roster, fatal)
    }

    async fn odd(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        let nobody = Child::Task(name("ghost"));
        let idle = env.bot(&name("idle")).unwrap();
        let replaced = TaskActor::new(Arc::clone(env), idle).start();
        let successor = actor.send(Wake(name("idle"))).await.unwrap();
        for bot in ["ghost", "idle"] {
            let rest = Rest(name(bot), replaced.clone());
            assert!(!actor.send(rest).await.unwrap(), "{bot}");
        }
        assert_eq!(env.book.read().tasks.get(&name("idle")), successor.as_ref());
        assert!(actor.send(Wake(name("ghost"))).await.unwrap().is_none());
        actor.send(Unresponsive(nobody)).await.unwrap();
        actor.send(Unresponsive(Child::Coordinator)).await.unwrap();
        let (bot, kind) = (name("ghost"), None);
        let answer = actor.send(Resume { bot, kind }).await.unwrap();
        assert_eq!(answer, Err(ControlError::UnknownBot(name("ghost"))));
        let tree = actor.send(Inspect).await.unwrap().children;
        assert!(tree.iter().any(|one| one.child == Child::Scheduler));
    }

    async fn recalls(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        assert_eq!(env.book.read().coordinator.as_ref(), Some(actor));
        for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
            assert_eq!(self.0.incarnation(&child), Some(1), "{child}");
            assert_eq!(self.0.state(&child), Some(ChildState::Running));
        }
        // Bots share a thread, and it was called unresponsive: their restart was the predecessor's to do.
        let task = eventually("the bot's actor is back", || async {
            actor.send(Wake(name("idle"))).await.unwrap()
        })
        .await;
        let answer = task.send(by_hand()).await.unwrap();
        answer.unwrap().unwrap();
    }

    async fn finish(&self, _: &Arc<Env>, actor: &Addr<Self::Actor>) {
        let grace = std::time::Duration::ZERO;
        assert_eq!(actor.send(Stop { grace }).await.unwrap().unstored, 0);
    }
}

#[actix_rt::test]
async fn the_coordinator_keeps_the_contract() {
    let roster = Roster::new(Default::default(), Metrics::default().actors);
    keeps_the_contract(Coordinator(roster.clone(), watch::Sender::new(None))).await;
    for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
        roster.abandon_thread(&child);
    }
}

struct Persistence;

impl Case for Persistence {
    type Actor = PersistenceActor;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static {
        || PersistenceActor::new(env)
    }

    async fn odd(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        for n in 0..20 {
            let execution = ExecutionId(1000 + n);
            env.queue.keep(Write::Release { execution });
            actor.send(Ping).await.unwrap();
        }
        let (bot, hold, replace) = (name("idle"), hold(), false);
        env.queue.keep(Write::SetHold { bot, hold, replace });
    }

    async fn recalls(&self, env: &Arc<Env>, _: &Addr<Self::Actor>) {
        env.queue.drained().await;
        let states = env.store.states().await.unwrap();
        let idle = states.iter().find(|state| state.bot == name("idle"));
        assert_eq!(idle.unwrap().hold, Some(hold()));
    }

    async fn finish(&self, env: &Arc<Env>, _: &Addr<Self::Actor>) {
        env.queue.drained().await;
    }
}

#[actix_rt::test]
async fn the_persistence_actor_keeps_the_contract() {
    keeps_the_contract(Persistence).await;
}

struct Scheduler;

impl Scheduler {
    /// Slots are claimed, and nobody is there to run them.
    async fn claims(env: &Arc<Env>) -> ExecutionId {
        eventually("a slot is claimed", || async {
            live(env).await.first().map(|row| row.claim.execution)
        })
        .await
    }
}

impl Case for Scheduler {
    type Actor = SchedulerActor;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static {
        || SchedulerActor::new(env)
    }

    async fn odd(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        actor.send(Reload).await.unwrap();
        actor.send(StateChanged(Box::new(ghost()))).await.unwrap();
        actor.send(HoldSet(name("ghost"), hold())).await.unwrap();
        actor.send(Account(name("ghost"))).await.unwrap();
        Self::claims(env).await;
    }

    async fn recalls(&self, env: &Arc<Env>, _: &Addr<Self::Actor>) {
        let rows = env.store.ledger(Some(&name("bot")), 100).await.unwrap();
        let slots: HashSet<_> = rows.iter().map(|row| row.scheduled_for).collect();
        assert_eq!(slots.len(), rows.len(), "{rows:?}");
        Self::claims(env).await;
    }

    async fn finish(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        // What it has not read yet, or has sent to actors that are not there, it gives back when it is told again.
        eventually("all claims are given back", || async {
            actor.send(Drain).await.unwrap();
            live(env).await.is_empty().then_some(())
        })
        .await;
    }
}

#[actix_rt::test]
async fn the_scheduler_keeps_the_contract() {
    keeps_the_contract(Scheduler).await;
}

struct Task;

impl Task {
    /// What the coordinator does.
    fn enter(env: &Env, actor: &Addr<TaskActor>) {
        let mut book = env.book.write();
        book.tasks.insert(name("idle"), actor.clone());
    }
}

impl Case for Task {
    type Actor = TaskActor;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static {
        let idle = env.bot(&name("idle")).unwrap();
        move || TaskActor::new(env, idle)
    }

    async fn odd(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        assert!(!actor.send(CancelRun(ExecutionId(900))).await.unwrap());
        let stray = actor.send(start(claim("idle", 900))).await.unwrap();
        assert!(!stray, "an actor that is not in the book takes work");
        Self::enter(env, actor);
        for _ in 0..2 {
            assert!(actor.send(start(claim("idle", 900))).await.unwrap());
        }
        assert_eq!(env.runs.len(), 1);
        let busy = actor.send(by_hand()).await.unwrap();
        assert_eq!(busy, Some(Err(ControlError::Busy(name("idle")))));
    }

    async fn recalls(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        Self::enter(env, actor);
        let left = env.runs.evict(&name("idle"));
        assert_eq!(
            left.len(),
            1,
            "what the predecessor did not settle is known"
        );
        flush_what_is_left(env, DEADLINE).await;
        let trigger = actor.send(by_hand());
        let stored = flush_soon(env);
        let (run, ()) = futures::join!(trigger, stored);
        assert!(env.runs.has(run.unwrap().unwrap().unwrap()));
        eventually("the run is at work", || async {
            live(env).await.iter().find_map(|row| row.started_at)
        })
        .await;
    }

    async fn finish(&self, env: &Arc<Env>, actor: &Addr<Self::Actor>) {
        actor.send(FinishUp).await.unwrap();
        assert_eq!(env.runs.len(), 1, "what runs may end by itself");
        actor.send(start(claim("idle", 901))).await.unwrap();
        assert_eq!(env.runs.len(), 1, "nothing starts any more");
        actor.send(Abandon).await.unwrap();
    }
}

/// Stores the first write that comes.
async fn flush_soon(env: &Arc<Env>) {
    env.queue.arrival().await;
    flush_what_is_left(env, DEADLINE).await;
}

#[actix_rt::test]
async fn a_bots_actor_keeps_the_contract() {
    keeps_the_contract(Task).await;
}

struct HealthCheck;

impl Case for HealthCheck {
    type Actor = HealthCheckActor;

    fn build(&self, env: Arc<Env>) -> impl FnOnce() -> Self::Actor + Send + 'static {
        || HealthCheckActor::new(env)
    }

    async fn odd(&self, _: &Arc<Env>, actor: &Addr<Self::Actor>) {
        actor.send(AskHealth).await.unwrap();
    }

    async fn recalls(&self, _: &Arc<Env>, actor: &Addr<Self::Actor>) {
        eventually("the database is known to be well", || async {
            let report = actor.send(AskHealth).await.unwrap();
            let mut parts = report.parts.iter();
            parts.find(|(part, health, _)| part == "database" && *health == Health::Healthy)?;
            Some(())
        })
        .await;
    }

    async fn finish(&self, _: &Arc<Env>, _: &Addr<Self::Actor>) {}
}

#[actix_rt::test]
async fn the_health_check_keeps_the_contract() {
    keeps_the_contract(HealthCheck).await;
}
