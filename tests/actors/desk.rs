//! The PersistenceActor at a desk of its own: it has work and a scripted store, and nobody above it.
#![allow(dead_code, reason = "two test binaries use a part of it each")]

use std::sync::Arc;

use actix::Addr;
use actix_rt::Arbiter;
use actor_server::actors::{
    messages::{DEADLINE, Ping},
    persistence::{PersistenceActor, WriteQueue},
    supervision::{Child, Exit, spawn},
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    scripted::Scripted,
    stand::{Setting, Stand},
};

/// An actor at work for a scripted store.
pub(crate) struct Desk {
    stand: Stand,
    arbiter: Arbiter,
    pub(crate) actor: Addr<PersistenceActor>,
}

impl Desk {
    pub(crate) fn of(store: &Scripted) -> Self {
        Self::bounded(store, 1000)
    }

    pub(crate) fn bounded(store: &Scripted, results_in_memory: usize) -> Self {
        let setting = Setting {
            results_in_memory,
            ..Setting::of([])
        };
        let (stand, arbiter) = (Stand::over(store.clone(), setting), Arbiter::new());
        let actor = born(&stand, &arbiter, 1);
        Self {
            stand,
            arbiter,
            actor,
        }
    }

    pub(crate) fn queue(&self) -> &WriteQueue {
        &self.stand.env.queue
    }

    /// Kills the actor, and waits until it is dead.
    pub(crate) async fn kill(&self) -> Exit {
        fail::cfg("persistence.handle", "1*panic(as arranged)").unwrap();
        let answer = self.actor.send(Ping).timeout(DEADLINE).await;
        assert!(answer.is_err(), "the actor lives");
        let notice = timeout(DEADLINE, self.stand.env.exits.next()).await;
        notice.expect("nobody is told of the death").exit
    }

    /// Builds the next incarnation.
    pub(crate) fn rebuild(&mut self) {
        self.actor = born(&self.stand, &self.arbiter, 2);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

fn born(stand: &Stand, arbiter: &Arbiter, incarnation: u64) -> Addr<PersistenceActor> {
    let (env, exits) = (Arc::clone(&stand.env), &stand.env.exits);
    let build = || PersistenceActor::new(env);
    spawn(
        &arbiter.handle(),
        Child::Persistence,
        incarnation,
        exits,
        build,
    )
}

/// A closed gate.
pub(crate) fn gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}
