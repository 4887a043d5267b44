//! One attempt, on a thread of its own: a skill that blocks or spins holds up nobody but itself.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
    time::timeout,
};

use serde_json::Map;

use super::{driver::Run, outlet::RunOutlet};
use crate::{
    actors::{shelf::StoreShelf, supervision::panic_text},
    domain::outcome::{AttemptOutcome, Status},
    skills::{Progress, RunContext, run_attempt},
    telemetry::traces::Span,
};

/// How long an attempt that was told to end may take to let go of its thread before it is left behind.
const LETTING_GO: Duration = Duration::from_millis(200);

/// Works one attempt; ends by the bot's timeout even if a skill never yields.
pub(super) async fn run(run: Arc<Run>, outlet: Arc<RunOutlet>, attempt: u32) -> AttemptOutcome {
    fail::fail_point!("run.started");
    let (behaviour, longest) = (Arc::clone(&run.bot.behaviour), run.bot.policy.timeout);
    let progress = Progress::default();
    // Dropped with this future: an attempt that nobody waits for ends.
    let (alive, gone) = oneshot::channel();
    let mut thread = on_a_thread(run, outlet, attempt, progress.clone(), gone);
    match timeout(longest, &mut thread).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            let (status, text) = end_of_thread(error);
            progress.interrupted(&behaviour, status, &text)
        }
        Err(_) => {
            drop(alive);
            if timeout(LETTING_GO, thread).await.is_err() {
                tracing::error!("a skill does not yield; its thread is left behind");
            }
            let error = format!("the attempt took longer than {} s", longest.as_secs_f64());
            progress.interrupted(&behaviour, Status::TimedOut, &error)
        }
    }
}

fn on_a_thread(
    run: Arc<Run>,
    outlet: Arc<RunOutlet>,
    attempt: u32,
    progress: Progress,
    gone: oneshot::Receiver<()>,
) -> JoinHandle<AttemptOutcome> {
    let runtime = run.env.runtime.clone();
    let (lines, span) = (tracing::Span::current(), Span::current());
    run.env.runtime.clone().spawn_blocking(move || {
        let _entered = lines.enter();
        runtime.block_on(async move {
            tokio::select! {
                biased;
                _ = gone => AttemptOutcome::broken(Status::Abandoned, "nobody waits for this attempt"),
                outcome = span.around(work(&run, &outlet, attempt, &progress)) => outcome,
            }
        })
    })
}

fn end_of_thread(error: JoinError) -> (Status, String) {
    match error.try_into_panic() {
        Ok(payload) => (Status::Panicked, panic_text(payload.as_ref())),
        Err(_) => (Status::Abandoned, "the process stopped".into()),
    }
}

async fn work(run: &Run, outlet: &RunOutlet, attempt: u32, progress: &Progress) -> AttemptOutcome {
    let bot = &run.bot;
    let now = run.env.clock.now();
    let shelf = StoreShelf::new(
        Arc::clone(&run.env.store),
        bot.name.clone(),
        run.claim.execution,
        now,
    );
    let context = RunContext {
        bot: &bot.name,
        title: &bot.behaviour.title,
        execution: run.claim.execution,
        trigger: run.claim.trigger,
        slot: run.claim.slot,
        now,
        attempt,
        event: run.input.event(),
        schedule: bot.schedule.as_ref(),
        knowledge: &bot.behaviour.knowledge,
        content: run.input.content(),
        item: None,
        candidates: Vec::new(),
        nothing_to_post: None,
        results: Map::new(),
        shelf: &shelf,
        message: None,
        outlet,
        posted: 0,
    };
    run_attempt(&run.env.skills, &bot.behaviour, context, progress).await
}
