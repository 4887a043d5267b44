//! How an actor is started so that its end is never missed.
//!
//! `actix` tells nobody when an actor panics: its address goes dead, and its arbiter goes on. So a child is not started
//! by `Actor::start`: its context runs as a task of its own, and whatever ends that task becomes exactly one
//! [`ExitNotice`]. Notices wait in [`Exits`], which outlives every actor, so that a coordinator that is itself being
//! rebuilt loses none.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Actor, Addr, Context, Handler, Message, dev::channel::channel};
use actix_rt::ArbiterHandle;
use futures::FutureExt;
use tokio::{sync::Notify, task::JoinError};

use super::mail::{Addressee, Mailbox, Mailed};
use crate::{domain::bot::BotName, telemetry::metrics::ActorType};

/// Messages that an actor takes before senders have to wait.
const MAILBOX: usize = 4096;

/// A place in the supervision tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Child {
    /// The supervisor itself.
    Coordinator,
    /// Owns the store.
    Persistence,
    /// Holds the next slot of every bot.
    Scheduler,
    /// Looks after the others.
    HealthCheck,
    /// Tells people what is wrong.
    Alert,
    /// Owns one bot's runs.
    Task(BotName),
}

impl Child {
    /// What kind of actor it is.
    #[must_use]
    pub const fn kind(&self) -> ActorType {
        match self {
            Self::Coordinator => ActorType::Coordinator,
            Self::Persistence => ActorType::Persistence,
            Self::Scheduler => ActorType::Scheduler,
            Self::HealthCheck => ActorType::HealthCheck,
            Self::Alert => ActorType::Alert,
            Self::Task(_) => ActorType::Task,
        }
    }

    /// The same, as labels know it.
    #[must_use]
    pub const fn actor_type(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Who has it built anew when it ends, as labels know it.
    #[must_use]
    pub const fn supervisor(&self) -> &'static str {
        match self {
            Self::Coordinator => "root",
            _ => ActorType::Coordinator.as_str(),
        }
    }
}

impl fmt::Display for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coordinator => f.write_str("coordinator"),
            Self::Persistence => f.write_str("persistence"),
            Self::Scheduler => f.write_str("scheduler"),
            Self::HealthCheck => f.write_str("health_check"),
            Self::Alert => f.write_str("alert"),
            Self::Task(bot) => write!(f, "task/{bot}"),
        }
    }
}

/// Why an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It stopped because it had nothing to do, or was asked to.
    Normal,
    /// It panicked, with this text.
    Panic(String),
    /// It did not answer heartbeats, and was replaced.
    Unresponsive,
    /// Its thread is gone.
    ArbiterGone,
}

impl Exit {
    /// One word of a closed set, for labels: whatever a panic said.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Normal => "stopped",
            Self::Panic(_) => "panic",
            Self::Unresponsive => "unresponsive",
            Self::ArbiterGone => "thread_gone",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal stop"),
            Self::Panic(text) => write!(f, "panic: {text}"),
            Self::Unresponsive => f.write_str("no answer to heartbeats"),
            Self::ArbiterGone => f.write_str("its thread is gone"),
        }
    }
}

/// The end of one actor.
#[derive(Clone, Debug)]
pub struct ExitNotice {
    /// Which place in the tree.
    pub child: Child,
    /// Which of its incarnations; a notice of an earlier one is stale.
    pub incarnation: u64,
    /// Why.
    pub exit: Exit,
}

/// Exit notices on their way to whoever supervises; clones share the queue.
#[derive(Clone, Default)]
pub struct Exits(Arc<Queue>);

#[derive(Default)]
struct Queue {
    notices: Mutex<VecDeque<ExitNotice>>,
    arrived: Notify,
}

impl Exits {
    /// Adds a notice.
    pub fn push(&self, notice: ExitNotice) {
        self.0
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(notice);
        self.0.arrived.notify_one();
    }

    /// Waits for the next notice; one reader at a time.
    pub async fn next(&self) -> ExitNotice {
        loop {
            let arrived = self.0.arrived.notified();
            if let Some(notice) = self.pop() {
                return notice;
            }
            arrived.await;
        }
    }

    fn pop(&self) -> Option<ExitNotice> {
        self.0
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

/// Builds an actor on `arbiter` and sees to it that its end becomes a notice, even if `build` or `started` panics.
pub fn spawn<A, F>(
    arbiter: &ArbiterHandle,
    child: Child,
    incarnation: u64,
    exits: &Exits,
    build: F,
) -> Addr<A>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce() -> A + Send + 'static,
{
    let (sender, receiver) = channel(MAILBOX);
    let guard = Guard {
        exits: exits.clone(),
        child,
        incarnation,
        exit: Exit::ArbiterGone,
    };
    arbiter.spawn_fn(move || {
        let life = actix_rt::spawn(async move {
            Context::with_receiver(receiver).into_future(build()).await;
        });
        actix_rt::spawn(async move {
            let end = life.await;
            guard.because(end);
        });
    });
    Addr::new(sender)
}

/// A future that an actor has let go of panicked; the actor dies of it, and is rebuilt with a memory that is whole.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Crash(String);

impl Crash {
    /// Ends the actor that handles it.
    pub fn die(self) {
        resume_unwind(Box::new(self.0));
    }
}

/// Lets a future of an actor run beside it. Unlike those of `ctx.spawn` it costs the actor nothing at each poll, but its
/// panic is the actor's all the same.
pub fn beside<A>(me: &Mailbox<A>, future: impl Future<Output = ()> + 'static)
where
    A: Addressee + Handler<Mailed<Crash>>,
{
    let me = me.clone();
    actix_rt::spawn(async move {
        if let Err(payload) = AssertUnwindSafe(future).catch_unwind().await {
            let _ = me.send(Crash(panic_text(payload.as_ref()))).await;
        }
    });
}

/// Sends the notice when it goes: also when the arbiter drops the watching task, or never took it.
struct Guard {
    exits: Exits,
    child: Child,
    incarnation: u64,
    exit: Exit,
}

impl Guard {
    fn because(mut self, end: Result<(), JoinError>) {
        self.exit = match end.map_err(JoinError::try_into_panic) {
            Ok(()) => Exit::Normal,
            Err(Ok(payload)) => Exit::Panic(panic_text(payload.as_ref())),
            Err(Err(_)) => Exit::ArbiterGone,
        };
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (child, exit) = (self.child.clone(), self.exit.clone());
        self.exits.push(ExitNotice {
            child,
            incarnation: self.incarnation,
            exit,
        });
    }
}

/// What a panic said, in one bounded line.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into());
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect()
}
