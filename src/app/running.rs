//! Keeping the coordinator alive, as it keeps its children, and stopping in order.

use std::{future::Future, sync::Arc, time::Duration};

use actix::Addr;
use tokio::{sync::watch, time::Instant as Monotonic};

use super::AppError;
use crate::{
    actors::{
        coordinator::{CoordinatorActor, Fatal},
        env::Env,
        messages::Stop,
        persistence::flush_what_is_left,
        roster::Roster,
        supervision::{Child, ExitNotice, Exits, spawn},
    },
    domain::restart::{RestartBudget, Verdict},
};

/// How long closing the store may take.
const CLOSING: Duration = Duration::from_secs(5);

/// What outlives each coordinator.
struct Root {
    env: Arc<Env>,
    roster: Roster,
    fatal: Fatal,
    exits: Exits,
    born: Monotonic,
    budget: RestartBudget,
    incarnation: u64,
}

/// Runs the actors until `stop`, or until they cannot be kept alive.
pub(super) async fn supervise(
    env: &Arc<Env>,
    grace: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), AppError> {
    tokio::pin!(stop);
    let (fatal, mut given_up) = watch::channel(None);
    let mut root = Root {
        env: Arc::clone(env),
        roster: Roster::new(env.rules.supervision),
        fatal: Arc::new(fatal),
        exits: Exits::default(),
        born: Monotonic::now(),
        budget: RestartBudget::default(),
        incarnation: 0,
    };
    loop {
        let coordinator = root.coordinator();
        tokio::select! {
            () = &mut stop => return stop_in_order(env, &coordinator, grace).await,
            Ok(reason) = given_up.wait_for(Option::is_some) => {
                // The guard of the channel must not live through the await below.
                let text = reason.clone().unwrap_or_default();
                drop(reason);
                flush_what_is_left(env, CLOSING).await;
                return Err(AppError::GivenUp(text));
            }
            notice = root.exits.next() => root.after(notice).await?,
        }
    }
}

impl Root {
    fn coordinator(&mut self) -> Addr<CoordinatorActor> {
        self.incarnation += 1;
        let (env, roster, fatal) = (
            Arc::clone(&self.env),
            self.roster.clone(),
            Arc::clone(&self.fatal),
        );
        let arbiter = actix_rt::Arbiter::current();
        spawn(
            &arbiter,
            Child::Coordinator,
            self.incarnation,
            &self.exits,
            || CoordinatorActor::new(env, roster, fatal),
        )
    }

    /// The coordinator has died: waits before the next one, unless the budget is spent.
    async fn after(&mut self, ExitNotice { exit, .. }: ExitNotice) -> Result<(), AppError> {
        match self
            .budget
            .died(self.born.elapsed(), &self.env.rules.supervision)
        {
            Verdict::Restart(wait) => {
                let wait_ms = wait.as_millis();
                tracing::error!(child = %Child::Coordinator, reason = %exit, wait_ms, "an actor died; it is restarted");
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Verdict::GiveUp => {
                let reason = format!("the coordinator actor cannot be kept alive: {exit}");
                tracing::error!(reason, "giving up");
                Err(AppError::GivenUp(reason))
            }
        }
    }
}

async fn stop_in_order(
    env: &Env,
    coordinator: &Addr<CoordinatorActor>,
    grace: Duration,
) -> Result<(), AppError> {
    tracing::info!(runs = env.runs.len(), grace_s = grace.as_secs(), "stopping");
    match coordinator.send(Stop { grace }).await {
        Ok(stopped) if stopped.unstored > 0 => Err(AppError::Unstored(stopped.unstored)),
        Ok(_) => Ok(()),
        Err(error) => Err(AppError::GivenUp(format!(
            "the coordinator died while stopping: {error}"
        ))),
    }
}

/// Signs this process off and closes the store.
pub(super) async fn close(env: &Arc<Env>) {
    let inner = Arc::clone(env);
    let closing = env.runtime.spawn(async move {
        if let Err(error) = inner.store.sign_off(&inner.me.id).await {
            tracing::warn!(%error, "this process could not be signed off");
        }
        inner.store.close().await;
    });
    let _ = tokio::time::timeout(CLOSING, closing).await;
    tracing::info!("stopped");
}
