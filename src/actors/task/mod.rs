//! The TaskActor: owns the runs of one bot. It decides whether a claim's run may start, sees to its end, and knows the
//! bot's hold.
//!
//! The work itself is done elsewhere (in its `driver`): nothing that a bot does can block or kill its actor, let alone another's.

mod asking;
mod attempt;
mod driver;
mod ending;
mod outlet;
mod spans;
mod starting;
mod triggering;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tokio::{sync::oneshot, time::Instant as Monotonic};

use super::{
    breakers::Downstream,
    env::Env,
    mail::takes_mail,
    messages::{Abandon, CancelRun, ControlError, DEADLINE, FinishUp, Ping, Pong, Rest, StartRun},
    runs::{StopReason, Ticket},
};
use crate::{
    domain::{Instant, bot::Bot, hold::HoldKind, run::ExecutionId},
    telemetry::{metrics::ActorType, traces::Moment},
};

/// Who sends what is sent from here.
const ME: ActorType = ActorType::Task;

/// An actor without work for this long makes room.
const IDLE: Duration = Duration::from_secs(60);

/// Owns one bot's runs.
pub struct TaskActor {
    env: Arc<Env>,
    bot: Arc<Bot>,
    /// Where its posts go, if breakers have a say in that.
    downstream: Option<Downstream>,
    /// A hold that the scheduler does not know of yet.
    hold: Option<HoldKind>,
    /// Runs at work.
    active: HashMap<ExecutionId, Ticket>,
    /// Claims whose start the store is being asked about.
    asking: usize,
    /// Triggers and events that are being stored: no runs yet, and perhaps none at all, if they are repetitions.
    inserting: usize,
    /// The claim that waits for a run to end.
    waiting: Option<InHand>,
    /// Claims that no slot made, and that wait for a free place.
    queued: HashMap<ExecutionId, InHand>,
    /// Claims to be cancelled as soon as the store has answered about their start.
    cancelled: HashSet<ExecutionId>,
    /// Failed runs whose end is not stored yet: it may hold the bot.
    unanswered_failures: usize,
    /// The claim waits for a run of another replica.
    busy_elsewhere: bool,
    /// Claims that are considered again in a moment.
    delayed: usize,
    /// It has asked to be let go: work is for its successor.
    resting: bool,
    /// The process stops: nothing starts any more.
    finishing: bool,
    /// The last time that there was work.
    worked_at: Monotonic,
}

/// A claim that has not started.
struct InHand {
    start: StartRun,
    ticket: Ticket,
    /// Who waits to hear whether it was taken.
    asker: Option<oneshot::Sender<Result<ExecutionId, ControlError>>>,
    /// When this actor got it.
    since: Moment,
}

impl InHand {
    /// Tells whoever waits that the claim will run, now or in its turn.
    fn taken(&mut self) {
        let execution = self.start.claim.execution;
        self.tell(Ok(execution));
    }

    fn tell(&mut self, answer: Result<ExecutionId, ControlError>) {
        if let Some(asker) = self.asker.take() {
            let _ = asker.send(answer);
        }
    }

    /// Remembers when the store was asked, and did not answer.
    fn asked_at(mut self, at: Instant) -> Self {
        self.start.asked_at = Some(at);
        self
    }

    /// Gives the place back that the claim came with.
    fn without_place(mut self) -> Self {
        self.start.place = None;
        self
    }
}

impl TaskActor {
    /// Builds one; holds come with claims and as messages.
    #[must_use]
    pub fn new(env: Arc<Env>, bot: Arc<Bot>) -> Self {
        Self {
            env,
            downstream: Downstream::of(&bot),
            bot,
            hold: None,
            active: HashMap::new(),
            asking: 0,
            inserting: 0,
            waiting: None,
            queued: HashMap::new(),
            cancelled: HashSet::new(),
            unanswered_failures: 0,
            busy_elsewhere: false,
            delayed: 0,
            resting: false,
            finishing: false,
            worked_at: Monotonic::now(),
        }
    }

    fn is_idle(&self) -> bool {
        !self.is_busy() && self.inserting == 0 && self.delayed == 0 && self.waiting.is_none()
    }

    /// Asks to be let go after a while without work; takes no work until it has the answer.
    fn rest_if_idle(&mut self, ctx: &mut Context<Self>) {
        fail::fail_point!("task.timer");
        if !self.is_idle() || self.worked_at.elapsed() < IDLE {
            return;
        }
        if !self.is_in_the_book(ctx) {
            return ctx.stop();
        }
        let Some(coordinator) = self.env.book.coordinator(ME) else {
            return;
        };
        self.resting = true;
        let rest = Rest(self.bot.name.clone(), ctx.address());
        let asked = coordinator.send(rest).timeout(DEADLINE).into_actor(self);
        ctx.spawn(asked.map(|answer, actor, ctx| match answer {
            Ok(true) => ctx.stop(),
            _ => actor.resting = false,
        }));
    }

    /// What starts from now on goes by the configuration in force; a run at work by the one that it was started with.
    /// Replies whether the bot is still configured.
    fn take_up_configuration(&mut self) -> bool {
        match self.env.bot(&self.bot.name) {
            Some(bot) => {
                if !Arc::ptr_eq(&self.bot, &bot) {
                    self.downstream = Downstream::of(&bot);
                    self.bot = bot;
                }
                true
            }
            None => false,
        }
    }

    /// An actor that has been replaced takes no more work.
    fn is_in_the_book(&self, ctx: &Context<Self>) -> bool {
        let book = self.env.book.read();
        book.tasks.get(&self.bot.name) == Some(&ctx.address())
    }

    fn stop_runs(&self, reason: StopReason) {
        for execution in self.active.keys() {
            self.env.runs.stop(*execution, reason);
        }
    }

    fn release_waiting(&mut self) {
        let queued = self.queued.drain().map(|(_, claim)| claim);
        let waiting: Vec<InHand> = queued.chain(self.waiting.take()).collect();
        waiting.into_iter().for_each(|claim| self.release(claim));
    }
}

takes_mail!(TaskActor, ME);

impl Actor for TaskActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("task.started");
        ctx.run_interval(IDLE / 2, Self::rest_if_idle);
    }
}

impl Handler<Ping> for TaskActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        Pong
    }
}

impl Handler<StartRun> for TaskActor {
    type Result = bool;

    fn handle(&mut self, start: StartRun, ctx: &mut Self::Context) -> bool {
        fail::fail_point!("task.handle");
        if self.resting || !self.is_in_the_book(ctx) {
            return false;
        }
        self.worked_at = Monotonic::now();
        self.take_up_configuration();
        if let Some(ticket) = self.env.runs.enter(start.claim.execution, &self.bot.name) {
            let (asker, since) = (None, Moment::now());
            self.consider(
                InHand {
                    start,
                    ticket,
                    asker,
                    since,
                },
                ctx,
            );
        }
        true
    }
}

impl Handler<CancelRun> for TaskActor {
    type Result = bool;

    fn handle(&mut self, CancelRun(execution): CancelRun, ctx: &mut Self::Context) -> bool {
        if self.active.contains_key(&execution) {
            return self.env.runs.stop(execution, StopReason::Cancelled);
        }
        let is_it = |claim: &mut InHand| claim.start.claim.execution == execution;
        if let Some(claim) = self.waiting.take_if(is_it) {
            self.cancel_unstarted(claim);
        } else if let Some(claim) = self.queued.remove(&execution) {
            self.cancel_unstarted(claim);
            // What waited for its end goes into its place in the queue.
            let next = self.waiting.take_if(|_| !self.busy_elsewhere);
            next.into_iter().for_each(|next| self.take_in(next, ctx));
        } else if self.env.runs.bot_of(execution).as_ref() == Some(&self.bot.name) {
            self.cancelled.insert(execution);
        } else {
            return false;
        }
        true
    }
}

impl Handler<FinishUp> for TaskActor {
    type Result = ();

    fn handle(&mut self, _: FinishUp, _: &mut Self::Context) {
        self.finishing = true;
        self.release_waiting();
    }
}

impl Handler<Abandon> for TaskActor {
    type Result = ();

    fn handle(&mut self, _: Abandon, _: &mut Self::Context) {
        self.finishing = true;
        self.release_waiting();
        self.stop_runs(StopReason::Abandoned);
    }
}
