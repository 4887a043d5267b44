//! The PersistenceActor: owns the store, writes in groups, says that this process is alive, and takes over what dead
//! processes left.
//!
//! What it must not lose lives in the [`WriteQueue`], which outlives it.

mod beat;
mod breakers;
mod flush;
mod pruning;
mod queue;
mod recording;
mod telling;

use std::{sync::Arc, time::Duration};

use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};

pub use self::{
    breakers::keep_breakers_that_are_left,
    queue::{WriteError, WriteQueue, WriteResult},
    recording::record_what_is_left,
};
pub(super) use self::{flush::keep_the_turn, telling::tell_facts};
use super::{
    env::Env,
    mail::takes_mail,
    messages::{Ping, Pong},
};
use crate::telemetry::metrics::ActorType;

/// Who sends what is sent from here.
const ME: ActorType = ActorType::Persistence;

/// The longest wait before a store that is away is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The first wait.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Owns the store.
pub struct PersistenceActor {
    env: Arc<Env>,
}

impl PersistenceActor {
    /// Builds one; what waits in the queue is its first work.
    #[must_use]
    pub const fn new(env: Arc<Env>) -> Self {
        Self { env }
    }
}

takes_mail!(PersistenceActor, ME);

impl Actor for PersistenceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        fail::fail_point!("persistence.started");
        ctx.spawn(keep_writing(Arc::clone(&self.env)).into_actor(self));
        ctx.spawn(recording::keep_recording(Arc::clone(&self.env)).into_actor(self));
        ctx.spawn(breakers::keep_breakers(Arc::clone(&self.env)).into_actor(self));
        ctx.spawn(pruning::keep_pruning(Arc::clone(&self.env)).into_actor(self));
        ctx.spawn(beat::keep_beating(Arc::clone(&self.env)).into_actor(self));
        if self.env.store.is_shared() {
            ctx.spawn(beat::keep_rescuing(Arc::clone(&self.env)).into_actor(self));
            ctx.spawn(breakers::keep_reading_breakers(Arc::clone(&self.env)).into_actor(self));
        }
    }
}

impl Handler<Ping> for PersistenceActor {
    type Result = Pong;

    fn handle(&mut self, _: Ping, _: &mut Self::Context) -> Pong {
        fail::fail_point!("persistence.handle");
        Pong
    }
}

/// Stores what waits without the actor, which cannot be kept alive.
pub async fn flush_what_is_left(env: &Arc<Env>, within: Duration) {
    let inner = Arc::clone(env);
    let work = env.runtime.spawn(async move { flush::flush(&inner).await });
    let _ = tokio::time::timeout(within, work).await;
}

/// Writes whatever arrives. Each round is a task of its own, so that an actor that dies never leaves a transaction open.
async fn keep_writing(env: Arc<Env>) {
    let mut wait = FIRST_WAIT;
    loop {
        env.queue.arrival().await;
        fail::fail_point!("persistence.future");
        match round(&env).await {
            Ok(()) => {
                env.vitals.set_writes(true);
                if wait > FIRST_WAIT {
                    tracing::info!("the database is back; everything that waited is stored");
                }
                wait = FIRST_WAIT;
            }
            Err(error) => {
                env.vitals.set_writes(false);
                if wait == FIRST_WAIT {
                    let waiting = env.queue.len();
                    tracing::error!(
                        error,
                        waiting,
                        "the database does not take writes; trying again"
                    );
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
                // The next write, kept or not, finds out whether the store is back.
                env.queue.back();
            }
        }
    }
}

async fn round(env: &Arc<Env>) -> Result<(), String> {
    let inner = Arc::clone(env);
    let work = async move { flush::flush(&inner).await };
    match env.runtime.spawn(work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) if error.is_panic() => Err("writing panicked".into()),
        Err(_) => Err("the process ends".into()),
    }
}
