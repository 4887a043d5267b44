//! Sends a post when its turn has come, after all that goes before it: posts of other runs, of earlier processes, and of
//! other processes that share the store.
//!
//! What goes first and is this process's to send is sent from here, by whoever has the turn; for what is another
//! process's to send, it waits. Dropping the future at any point leaves all posts pending and their order right.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant as Monotonic, sleep, timeout};

use super::Seat;
use crate::{
    actors::{
        breakers::Downstream,
        delivery::{self, Delivered, Insistence},
        env::{CONSOLE, Env, Platforms},
        messages::HoldSet,
    },
    domain::{
        bot::BotName,
        hold::{Hold, HoldKind},
        post::Post,
        retry::RetryPolicy,
    },
    store::{MOST_UNSENT, StoreError, Write},
    telemetry::metrics::ActorType,
};

/// How often is looked whether another process has sent what goes first, and how long a run keeps its place for its turn.
const LOOK: Duration = Duration::from_millis(100);
/// How long is waited for that, or for the store, before the post is left for later.
const PATIENCE: Duration = Duration::from_secs(30);

/// How one post is to be sent.
pub struct Errand<'a> {
    /// Its bot's rules for attempts.
    pub retry: &'a RetryPolicy,
    /// What an open breaker is to it.
    pub insistence: Insistence,
    /// Whether it may have been sent before: by an earlier attempt, or by an earlier process.
    pub maybe_sent: bool,
    /// `true` as long as others go first.
    pub waits: &'a AtomicBool,
}

/// Sends a post of a run at work in its turn.
pub async fn in_turn(env: &Arc<Env>, post: Post, errand: Errand<'_>) -> Delivered {
    if let Some(end) = delivery::fate(&post) {
        return end;
    }
    errand.waits.store(true, Ordering::Relaxed);
    let seat = env.lanes.join(&post);
    if timeout(LOOK, seat.turn()).await.is_err() {
        // A channel that hangs must not take the places of all others.
        env.runs.lets_others(post.execution);
        seat.turn().await;
    }
    let turn = Turn {
        env,
        seat: &seat,
        post,
    };
    turn.of_run(errand).await
}

/// Sends a post that an earlier run left, in its turn, unless its breaker stands against it. `NotNow`: nothing would get
/// through to its destination.
pub async fn left_over(env: &Arc<Env>, post: Post) -> Delivered {
    let seat = env.lanes.join(&post);
    seat.turn().await;
    let turn = Turn {
        env,
        seat: &seat,
        post,
    };
    turn.of_nobody().await
}

/// Somebody's turn.
struct Turn<'a> {
    env: &'a Arc<Env>,
    seat: &'a Seat,
    post: Post,
}

/// What is to be done next.
enum Next {
    /// The post itself.
    Own,
    /// Nothing: this became of it meanwhile.
    Known(Delivered),
    /// This one goes first, and is this process's to send.
    Ours(Box<Post>),
    /// Nothing for now, and why: another process's post goes first, or the store is away.
    Wait(String),
}

impl Turn<'_> {
    async fn of_run(mut self, errand: Errand<'_>) -> Delivered {
        let mut patience = None;
        loop {
            match self.next().await {
                Next::Own => return self.send(&errand).await,
                Next::Known(end) => return end,
                Next::Ours(older) => match self.on_behalf(*older, errand.insistence).await {
                    Delivered::NotNow(error) | Delivered::Waits(error) => {
                        return Delivered::NotNow(error);
                    }
                    Delivered::Sent(_) | Delivered::Failed(_) | Delivered::Forbidden(_) => {
                        patience = None;
                    }
                },
                Next::Wait(why) => {
                    self.env.runs.lets_others(self.post.execution);
                    let end = *patience.get_or_insert_with(|| Monotonic::now() + PATIENCE);
                    if Monotonic::now() >= end {
                        return Delivered::Waits(why);
                    }
                    sleep(LOOK).await;
                }
            }
        }
    }

    async fn of_nobody(mut self) -> Delivered {
        loop {
            match self.next().await {
                Next::Own => return self.as_probe(self.post.clone()).await,
                Next::Known(end) => return end,
                Next::Ours(older) => match self.as_probe(*older).await {
                    end @ (Delivered::NotNow(_) | Delivered::Waits(_)) => return end,
                    Delivered::Sent(_) | Delivered::Failed(_) | Delivered::Forbidden(_) => {}
                },
                Next::Wait(why) => return Delivered::Waits(why),
            }
        }
    }

    async fn send(self, errand: &Errand<'_>) -> Delivered {
        errand.waits.store(false, Ordering::Relaxed);
        fail::fail_point!("post.turn");
        let (retry, insistence) = (errand.retry, errand.insistence);
        delivery::deliver(self.env, self.post, retry, insistence, errand.maybe_sent).await
    }

    /// If its breaker is not closed, this post is the probe.
    async fn as_probe(&self, post: Post) -> Delivered {
        let downstream = Downstream::new(&post.platform, &post.destination);
        if !downstream.as_ref().is_none_or(|one| self.env.may_ask(one)) {
            return Delivered::Waits("the breaker is open".into());
        }
        let end = self.on_behalf(post, Insistence::None).await;
        let (breakers, now) = (&self.env.breakers, self.env.clock.now());
        let shut = downstream.is_some_and(|one| !breakers.would_let_through(&one, now));
        match end {
            Delivered::NotNow(error) if shut => Delivered::Waits(error),
            end => end,
        }
    }

    async fn next(&mut self) -> Next {
        match self.look().await {
            Ok(next) => next,
            Err(error) => Next::Wait(format!("what goes first is not known: {error}")),
        }
    }

    /// Without asking the store, if only this process uses it and the line is known.
    async fn look(&mut self) -> Result<Next, StoreError> {
        let outlook = self.seat.outlook();
        let alone = !self.env.store.is_shared();
        // Each process has a console of its own.
        let known = self.post.platform == CONSOLE && !alone || alone && outlook.is_clear;
        if known && outlook.is_fresh {
            return Ok(Next::Own);
        }
        if !outlook.is_fresh {
            self.env.queue.caught_up().await;
        }
        let (platform, to) = (&self.post.platform, &self.post.destination);
        let until = (!alone).then_some(self.post.turn + 1);
        let mut pending = self.env.store.unsent_before(platform, to, until).await?;
        let all = i64::try_from(pending.len()).is_ok_and(|read| read < MOST_UNSENT);
        pending.retain(|post| !outlook.settled.contains(&post.id));
        if all {
            self.seat.read(&pending, alone);
        }
        self.first_of(pending).await
    }

    async fn first_of(&mut self, pending: Vec<Post>) -> Result<Next, StoreError> {
        let console = self.post.platform == CONSOLE;
        let mut line = pending
            .into_iter()
            .filter(|one| one.turn <= self.post.turn && (!console || one.id == self.post.id));
        let Some(first) = line.next() else {
            return self.fate().await.map(Next::Known);
        };
        if first.id == self.post.id {
            self.post.attempts = self.post.attempts.max(first.attempts);
            return Ok(Next::Own);
        }
        Ok(match self.is_ours(&first).await? {
            true => Next::Ours(Box::new(first)),
            false => Next::Wait("another process has older posts for this destination".into()),
        })
    }

    /// Posts of a run at work here are sent from here, too: its own task may be between two attempts.
    async fn is_ours(&self, post: &Post) -> Result<bool, StoreError> {
        if !self.env.store.is_shared() || self.env.runs.has(post.execution) {
            return Ok(true);
        }
        let ours = self.env.store.unsent_posts().await?;
        Ok(ours.iter().any(|one| one.id == post.id))
    }

    /// The post is not pending any more: somebody else has sent it.
    async fn fate(&self) -> Result<Delivered, StoreError> {
        let stored = self.env.store.post(self.post.id).await?;
        Ok(match stored.as_ref().map(delivery::fate) {
            Some(Some(end)) => end,
            Some(None) => Delivered::Waits("it has another turn now".into()),
            None => Delivered::Failed("the post is gone from the database".into()),
        })
    }

    async fn on_behalf(&self, post: Post, insistence: Insistence) -> Delivered {
        self.seat.tries(&post);
        on_behalf(self.env, post, insistence).await
    }
}

/// Sends the post of a run that is over, or cannot send it itself now; whoever calls has the turn. What the platform's
/// refusal means for its bot follows here, as it would at the end of the run.
pub async fn on_behalf(env: &Arc<Env>, post: Post, insistence: Insistence) -> Delivered {
    let (actor, id) = (post.bot.clone(), post.id);
    let bot = env.bot(&actor);
    let at_home = bot.as_ref().is_some_and(|bot| {
        let (platform, destination) = Platforms::of(bot);
        platform == post.platform && destination == post.destination
    });
    let retry = bot.map_or_else(RetryPolicy::default, |bot| bot.policy.retry);
    let end = delivery::deliver(env, post, &retry, insistence, true).await;
    match &end {
        Delivered::NotNow(error) | Delivered::Waits(error) => {
            tracing::warn!(%actor, post = id, error, "a post that an earlier run left cannot be sent now");
        }
        Delivered::Sent(_) | Delivered::Failed(_) | Delivered::Forbidden(_) => {
            tracing::info!(%actor, post = id, ?end, "a post that an earlier run left was taken up");
        }
    }
    if let Delivered::Forbidden(error) = &end
        && at_home
    {
        hold(
            env,
            Hold::by_server(HoldKind::Refused, error.clone()),
            actor,
        );
    }
    end
}

fn hold(env: &Env, hold: Hold, bot: BotName) {
    tracing::warn!(actor = %bot, "the platform refuses the bot's channel");
    if let Some(scheduler) = env.book.scheduler(ActorType::Task) {
        // Before the hold is stored nothing of the bot may start; if this is lost, the store's word comes later.
        let _ = scheduler.try_send(HoldSet(bot.clone(), hold.clone()));
    }
    env.queue.keep(Write::SetHold {
        bot,
        hold,
        replace: false,
    });
}
