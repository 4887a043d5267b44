//! Keeping the coordinator alive, as it keeps its children, and stopping in order.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::AppError;
use crate::{
    actors::{
        alarms::Alarm,
        alerting,
        coordinator::{CoordinatorActor, Fatal},
        env::Env,
        mail::Mailbox,
        messages::Stop,
        news::Happening,
        persistence::{flush_what_is_left, keep_breakers_that_are_left, record_what_is_left},
        roster::{Remedy, Roster},
        supervision::{Child, Exit, ExitNotice, Exits, spawn},
        vitals::Phase,
    },
    telemetry::metrics::ActorType,
};

/// How long closing the store may take.
const CLOSING: Duration = Duration::from_secs(5);

/// How long channels for alerts may take with what is due; the rest is stored.
const TELLING: Duration = Duration::from_secs(3);

/// What outlives each coordinator.
struct Root {
    env: Arc<Env>,
    roster: Roster,
    fatal: Fatal,
    exits: Exits,
}

/// Runs the actors until `stop`, or until they cannot be kept alive.
pub(super) async fn supervise(
    env: &Arc<Env>,
    grace: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), AppError> {
    tokio::pin!(stop);
    env.vitals.enter(Phase::Running);
    let (fatal, mut given_up) = watch::channel(None);
    let root = Root {
        env: Arc::clone(env),
        roster: Roster::new(env.rules.supervision, env.metrics.actors.clone()),
        fatal: Arc::new(fatal),
        exits: Exits::default(),
    };
    let result = loop {
        let coordinator = root.coordinator();
        let end = tokio::select! {
            () = &mut stop => break stop_in_order(&root, coordinator, grace).await,
            reason = core_given_up(&mut given_up) => break Err(AppError::GivenUp(reason)),
            notice = root.exits.next() => notice,
        };
        let wait = match root.after(&end) {
            Ok(wait) => wait,
            Err(error) => break Err(error),
        };
        tokio::select! {
            () = &mut stop => {
                let coordinator = root.coordinator();
                break stop_in_order(&root, coordinator, grace).await;
            }
            () = tokio::time::sleep(wait) => {}
        }
    };
    if result.is_err() {
        env.vitals.enter(Phase::Draining);
        // Whatever happened, results are not left behind while there is a store to take them.
        flush_what_is_left(env, CLOSING).await;
    }
    result
}

/// Waits for the news that a core actor cannot be kept alive.
async fn core_given_up(news: &mut watch::Receiver<Option<String>>) -> String {
    match news.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone().unwrap_or_default(),
        Err(_) => std::future::pending().await,
    }
}

impl Root {
    fn coordinator(&self) -> Mailbox<CoordinatorActor> {
        let incarnation = self.roster.enrol(&Child::Coordinator);
        let (env, roster, fatal) = (
            Arc::clone(&self.env),
            self.roster.clone(),
            Arc::clone(&self.fatal),
        );
        let arbiter = actix_rt::Arbiter::current();
        let build = || CoordinatorActor::new(env, roster, fatal);
        let address = spawn(
            &arbiter,
            Child::Coordinator,
            incarnation,
            &self.exits,
            build,
        );
        self.env.book.mailbox(address, ActorType::Outside)
    }

    /// The coordinator has died: how long to wait before the next one, unless the budget is spent.
    fn after(&self, end: &ExitNotice) -> Result<Duration, AppError> {
        let ExitNotice {
            child,
            incarnation,
            exit,
        } = end;
        match self.roster.death(child, *incarnation, exit) {
            Remedy::None => Ok(Duration::ZERO),
            Remedy::Restart(wait) => {
                let wait_ms = wait.as_millis();
                tracing::error!(%child, reason = %exit, wait_ms, "an actor died; it is restarted");
                self.tell_of_end(child, exit, false);
                Ok(wait)
            }
            Remedy::GiveUp => {
                let reason = format!("the {child} actor cannot be kept alive: {exit}");
                tracing::error!(reason, "giving up");
                self.tell_of_end(child, exit, true);
                Err(AppError::GivenUp(reason))
            }
        }
    }

    fn tell_of_end(&self, child: &Child, exit: &Exit, given_up: bool) {
        let (now, reason) = (self.env.clock.now(), exit.to_string());
        if given_up {
            let (child, reason) = (child.clone(), reason.clone());
            self.env.alarms.tell(now, Alarm::GivenUp { child, reason });
        }
        let died = Happening::ActorRestarted {
            child: child.to_string(),
            reason,
            given_up,
        };
        self.env.news.tell(now, died);
    }
}

async fn stop_in_order(
    root: &Root,
    coordinator: Mailbox<CoordinatorActor>,
    grace: Duration,
) -> Result<(), AppError> {
    root.env.vitals.enter(Phase::Draining);
    let runs = root.env.runs.len();
    tracing::info!(runs, grace_s = grace.as_secs(), "stopping");
    // Streams have no end of their own that could be waited for.
    root.env.news.close();
    let mut stopped = coordinator.send(Stop { grace }).await;
    if stopped.is_err() {
        // It died of something else just now: its successor stops.
        stopped = root.coordinator().send(Stop { grace }).await;
    }
    root.roster.close();
    match stopped {
        Ok(stopped) if stopped.unstored > 0 => Err(AppError::Unstored(stopped.unstored)),
        Ok(_) => Ok(()),
        Err(error) => {
            let reason = format!("the coordinator died while stopping: {error}");
            Err(AppError::GivenUp(reason))
        }
    }
}

/// Signs this process off and closes the store.
pub(super) async fn close(env: &Arc<Env>) {
    let inner = Arc::clone(env);
    alerting::tell_what_is_due(env, TELLING).await;
    record_what_is_left(env, CLOSING).await;
    keep_breakers_that_are_left(env, CLOSING).await;
    let closing = env.runtime.spawn(async move {
        if let Err(error) = inner.store.sign_off(&inner.me.id).await {
            tracing::warn!(%error, "this process could not be signed off");
        }
        inner.store.close().await;
    });
    let _ = tokio::time::timeout(CLOSING, closing).await;
    tracing::info!("stopped");
}
