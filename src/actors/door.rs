//! The one door for whoever is outside the actor system: it leads to the coordinator, and every question has a deadline.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix::{Handler, Message};

use super::{
    audit::AuditQueue, coordinator::CoordinatorActor, env::Env, mail::Mailbox, messages::DEADLINE,
    vitals::Vitals,
};
use crate::telemetry::metrics::ActorType;

/// Nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The store is being opened, or the bots registered.
    #[error("the server is starting")]
    Starting,
    /// The coordinator is being rebuilt, or did not answer in time.
    #[error("the actors did not answer in time")]
    NotInTime,
}

/// Exists before the actors do; clones share it.
#[derive(Clone, Default)]
pub struct Door {
    env: Arc<OnceLock<Arc<Env>>>,
    vitals: Vitals,
    /// What is noted before there are actors.
    early: AuditQueue,
}

impl Door {
    /// The actors are there.
    pub fn open(&self, env: Arc<Env>) {
        let audit = env.audit.clone();
        let _ = self.env.set(env);
        audit.take_over(&self.early);
    }

    /// What probes read.
    #[must_use]
    pub const fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// What outlives the actors, once it is there.
    #[must_use]
    pub fn env(&self) -> Option<&Arc<Env>> {
        self.env.get()
    }

    /// Where to note who did what.
    #[must_use]
    pub fn audit(&self) -> &AuditQueue {
        self.env.get().map_or(&self.early, |env| &env.audit)
    }

    /// Asks the coordinator.
    ///
    /// # Errors
    /// Nobody answered within [`DEADLINE`].
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, Unanswered>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        CoordinatorActor: Handler<M>,
    {
        self.ask_within(DEADLINE, message).await
    }

    /// Asks the coordinator for what may take longer than most.
    ///
    /// # Errors
    /// Nobody answered within `longest`.
    pub async fn ask_within<M>(
        &self,
        longest: Duration,
        message: M,
    ) -> Result<M::Result, Unanswered>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        CoordinatorActor: Handler<M>,
    {
        let env = self.env.get().ok_or(Unanswered::Starting)?;
        let asked = async { coordinator_of(env).await.send(message).await };
        let answer = tokio::time::timeout(longest, asked).await;
        answer
            .map_err(|_| Unanswered::NotInTime)?
            .map_err(|_| Unanswered::NotInTime)
    }
}

/// The coordinator, as soon as there is one: it is not there in the first moments, nor while it is being rebuilt.
async fn coordinator_of(env: &Env) -> Mailbox<CoordinatorActor> {
    /// How often is looked.
    const LOOK: Duration = Duration::from_millis(10);
    loop {
        if let Some(coordinator) = env.book.coordinator(ActorType::Outside) {
            return coordinator;
        }
        tokio::time::sleep(LOOK).await;
    }
}
