//! Stopping in order: no new claims, claims given back, running work drained, results stored.

use std::{sync::Arc, time::Duration};

use actix::{Handler, ResponseFuture};
use tokio::time::{Instant as Monotonic, timeout, timeout_at};

use super::CoordinatorActor;
use crate::{
    actors::{
        env::Env,
        messages::{Abandon, DEADLINE, Drain, FinishUp, Stop, Stopped},
        task::TaskActor,
    },
    domain::outcome::{AttemptOutcome, Status},
    store::{Finish, LiveRow, Write},
};

/// How long runs that were told to end may take to report.
const LETTING_GO: Duration = Duration::from_secs(1);
/// How long results may take to be stored once all work has ended.
const STORING: Duration = Duration::from_secs(5);

impl Handler<Stop> for CoordinatorActor {
    type Result = ResponseFuture<Stopped>;

    fn handle(&mut self, Stop { grace }: Stop, _: &mut Self::Context) -> Self::Result {
        self.stopping = true;
        let env = Arc::clone(&self.env);
        Box::pin(async move { stop(&env, grace).await })
    }
}

async fn stop(env: &Arc<Env>, grace: Duration) -> Stopped {
    let end = Monotonic::now() + grace;
    if let Some(scheduler) = env.book.scheduler() {
        let _ = scheduler.send(Drain).timeout(DEADLINE).await;
    }
    for task in tasks(env) {
        let _ = task.send(FinishUp).timeout(DEADLINE).await;
    }
    if timeout_at(end, no_runs(env)).await.is_err() {
        tracing::warn!(
            runs = env.runs.len(),
            "the grace period is over; what still runs is abandoned"
        );
        for task in tasks(env) {
            let _ = task.send(Abandon).timeout(DEADLINE).await;
        }
        let _ = timeout(LETTING_GO, no_runs(env)).await;
    }
    let _ = timeout(STORING, env.queue.drained()).await;
    close_what_is_left(env).await;
    let _ = timeout(STORING, env.queue.drained()).await;
    Stopped {
        unstored: env.queue.len(),
    }
}

fn tasks(env: &Env) -> Vec<actix::Addr<TaskActor>> {
    env.book.read().tasks.values().cloned().collect()
}

async fn no_runs(env: &Env) {
    // The scheduler shares the bell, so the register is also looked at by the clock.
    while !env.runs.is_empty() {
        let _ = timeout(Duration::from_millis(20), env.runs.ended()).await;
    }
}

/// Nothing of this process stays `running`: whatever no actor has closed is closed here.
async fn close_what_is_left(env: &Arc<Env>) {
    let inner = Arc::clone(env);
    let rows = env
        .runtime
        .spawn(async move { inner.store.live(&inner.me.id).await })
        .await;
    for row in rows.into_iter().flatten().flatten() {
        env.queue.keep(closing(env, row));
    }
}

fn closing(env: &Env, row: LiveRow) -> Write {
    let claim = row.claim;
    let Some(started_at) = row.started_at else {
        return Write::Release {
            execution: claim.execution,
        };
    };
    Write::Finish(Box::new(Finish {
        execution: claim.execution,
        bot: claim.bot,
        started_at,
        completed_at: env.clock.now(),
        attempt: claim.attempt,
        outcome: AttemptOutcome::broken(
            Status::Abandoned,
            "the process stopped before the run ended",
        ),
        metadata: serde_json::json!({}),
        max_consecutive_failures: env.rules.max_consecutive_failures,
    }))
}
