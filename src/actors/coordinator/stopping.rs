//! Stopping in order: no new claims, claims given back, running work drained, results stored.

use std::{sync::Arc, time::Duration};

use actix::{Handler, Message, ResponseFuture};
use futures::future::join_all;
use tokio::time::{Instant as Monotonic, timeout, timeout_at};

use super::{CoordinatorActor, ME};
use crate::{
    actors::{
        env::Env,
        messages::{Abandon, DEADLINE, Drain, FinishUp, Stop, Stopped},
        persistence::flush_what_is_left,
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
    if let Some(scheduler) = env.book.scheduler(ME) {
        let _ = scheduler.send(Drain).timeout(DEADLINE).await;
    }
    let told = tell_all(env, || FinishUp);
    if timeout_at(end, async { tokio::join!(told, no_runs(env)) })
        .await
        .is_err()
    {
        let runs = env.runs.len();
        tracing::warn!(
            runs,
            "the grace period is over; what still runs is abandoned"
        );
        let told = tell_all(env, || Abandon);
        let _ = timeout(LETTING_GO, async { tokio::join!(told, no_runs(env)) }).await;
    }
    let _ = timeout_at(end, env.leftovers.none_at_work()).await;
    store_everything(env).await;
    close_what_is_left(env).await;
    store_everything(env).await;
    Stopped {
        unstored: env.queue.len(),
    }
}

/// The actor that empties the queue may have died meanwhile: nobody rebuilds it any more.
async fn store_everything(env: &Arc<Env>) {
    if timeout(STORING, env.queue.drained()).await.is_err() {
        flush_what_is_left(env, STORING).await;
    }
}

/// Tells every bot's actor at the same time: one that hangs keeps nobody waiting.
async fn tell_all<M>(env: &Env, message: impl Fn() -> M)
where
    M: Message<Result = ()> + Send + 'static,
    TaskActor: Handler<M>,
{
    let tasks: Vec<_> = env.book.read().tasks.values().cloned().collect();
    let tasks = tasks.into_iter().map(|task| env.book.mailbox(task, ME));
    join_all(tasks.map(|task| task.send(message()).timeout(DEADLINE))).await;
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
    let rows: Vec<LiveRow> = rows.into_iter().flatten().flatten().collect();
    for row in rows.into_iter().rev() {
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
        max_consecutive_failures: env.max_consecutive_failures(),
    }))
}
