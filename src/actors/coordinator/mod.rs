//! The CoordinatorActor: the supervisor, and the one door for whoever is outside the actor system.
//!
//! It builds its children from factories, learns of each end and its reason, and has them rebuilt by the policy of
//! [`crate::domain::restart`]. What it must remember over its own death is in the [`Roster`] and the address book.

mod alerting;
mod breakers;
mod cancelling;
mod children;
mod control;
mod describing;
mod finding;
mod health;
mod leftovers;
mod noting;
mod posts;
mod reloading;
mod stopping;
mod triggering;

use std::{collections::HashSet, sync::Arc, time::Duration};

use actix::{Actor, AsyncContext, Context, Handler, Message, WrapFuture};
use tokio::sync::watch;

use super::{
    env::Env,
    mail::{Mailbox, takes_mail},
    messages::{Ping, Pong},
    roster::Roster,
    supervision::{Child, Crash, ExitNotice},
};
use crate::telemetry::metrics::ActorType;

/// Who sends what is sent from here.
const ME: ActorType = ActorType::Coordinator;

/// How often the address book is compared with life: the backstop behind exit notices.
const LOOK: Duration = Duration::from_secs(1);

/// How often it says that it is at work; a probe takes silence for its death after [`super::vitals::WEDGED_AFTER`].
const BEAT: Duration = Duration::from_millis(250);

/// The supervisor.
pub struct CoordinatorActor {
    env: Arc<Env>,
    roster: Roster,
    /// Where the news goes that the core cannot be kept alive.
    fatal: Fatal,
    /// Children whose address was dead at the last look.
    seen_dead: HashSet<(Child, u64)>,
    /// Pings that the health check did not answer, in a row.
    health_misses: u32,
    /// The process stops: nothing is built any more.
    stopping: bool,
}

/// Says, once, why the process has to end.
pub type Fatal = Arc<watch::Sender<Option<String>>>;

impl CoordinatorActor {
    /// Builds one; children that live already are taken over.
    #[must_use]
    pub fn new(env: Arc<Env>, roster: Roster, fatal: Fatal) -> Self {
        Self {
            env,
            roster,
            fatal,
            seen_dead: HashSet::new(),
            health_misses: 0,
            stopping: false,
        }
    }

    /// For messages to itself.
    fn me(&self, ctx: &Context<Self>) -> Mailbox<Self> {
        self.env.book.mailbox(ctx.address(), ME)
    }
}

takes_mail!(CoordinatorActor, ME);

impl Actor for CoordinatorActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("coordinator.started");
        self.env.book.write().coordinator = Some(ctx.address());
        self.start_core(ctx);
        let (exits, me) = (self.env.exits.clone(), self.me(ctx));
        let notices = async move {
            loop {
                let notice = exits.next().await;
                fail::fail_point!("coordinator.future");
                let _ = me.send(Died(notice)).await;
            }
        };
        ctx.spawn(notices.into_actor(self));
        ctx.run_interval(LOOK, Self::look_after_children);
        self.env.vitals.beat();
        ctx.run_interval(BEAT, |actor, _| actor.env.vitals.beat());
        self.send_leftover_posts(ctx);
    }
}

/// A child has ended.
#[derive(Message)]
#[rtype(result = "()")]
struct Died(ExitNotice);

impl Handler<Died> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, Died(notice): Died, ctx: &mut Self::Context) {
        self.child_ended(&notice, ctx);
    }
}

impl Handler<Ping> for CoordinatorActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        fail::fail_point!("coordinator.handle");
        Pong
    }
}

impl Handler<Crash> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, crash: Crash, _: &mut Self::Context) {
        crash.die();
    }
}
