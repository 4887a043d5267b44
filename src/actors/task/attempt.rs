//! One attempt, on a thread of its own: a skill that blocks or spins holds up nobody but itself.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{driver::Run, outlet::RunOutlet};
use crate::{
    actors::supervision::panic_text,
    domain::outcome::{AttemptOutcome, Status},
    skills::{Progress, RunContext, run_attempt},
};

/// How long an attempt that was told to end may take to let go of its thread before it is left behind.
const LETTING_GO: Duration = Duration::from_millis(200);

/// Works one attempt; ends by the bot's timeout even if a skill never yields.
pub(super) async fn run(run: Arc<Run>, outlet: Arc<RunOutlet>, attempt: u32) -> AttemptOutcome {
    fail::fail_point!("run.started");
    let behaviour = Arc::clone(&run.bot.behaviour);
    let (timeout, progress) = (run.bot.policy.timeout, Progress::default());
    // Dropped with this future: an attempt that nobody waits for ends.
    let (alive, gone) = oneshot::channel::<()>();
    let (runtime, seen) = (run.env.runtime.clone(), progress.clone());
    let inner = runtime.clone();
    let mut thread = runtime.spawn_blocking(move || {
        inner.block_on(async move {
            tokio::select! {
                biased;
                _ = gone => AttemptOutcome::broken(Status::Abandoned, "nobody waits for this attempt"),
                outcome = work(&run, &outlet, attempt, &seen) => outcome,
            }
        })
    });
    match tokio::time::timeout(timeout, &mut thread).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(payload) => {
                progress.interrupted(&behaviour, Status::Panicked, &panic_text(payload.as_ref()))
            }
            Err(_) => progress.interrupted(&behaviour, Status::Abandoned, "the process stopped"),
        },
        Err(_) => {
            drop(alive);
            let stuck = tokio::time::timeout(LETTING_GO, thread).await.is_err();
            if stuck {
                tracing::error!("a skill does not yield; its thread is left behind");
            }
            let error = format!("the attempt took longer than {} s", timeout.as_secs_f64());
            progress.interrupted(&behaviour, Status::TimedOut, &error)
        }
    }
}

async fn work(run: &Run, outlet: &RunOutlet, attempt: u32, progress: &Progress) -> AttemptOutcome {
    let bot = &run.bot;
    let context = RunContext {
        bot: &bot.name,
        title: &bot.behaviour.title,
        execution: run.claim.execution,
        trigger: run.claim.trigger,
        slot: run.claim.slot,
        now: run.env.clock.now(),
        attempt,
        event: run.input.clone(),
        content: run.input.get("content").cloned().unwrap_or_default(),
        message: None,
        outlet,
        posted: 0,
    };
    run_attempt(&run.env.skills, &bot.behaviour, context, progress).await
}
