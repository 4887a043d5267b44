//! The heartbeat of this process, and the rescue of what dead processes left.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{
    actors::{
        env::Env,
        messages::{Adopt, CancelRun},
        registering::{log_rescued, recovering},
    },
    domain::{bot::BotName, run::ExecutionId},
    store::Rescued,
};

/// Replicas beat every second; a process that owns its file alone has nobody to tell.
const SHARED: Duration = Duration::from_secs(1);
const ALONE: Duration = Duration::from_secs(10);

pub(super) async fn keep_beating(env: Arc<Env>) {
    let every = if env.store.is_shared() { SHARED } else { ALONE };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let again = recovering(&env);
    loop {
        ticks.tick().await;
        fail::fail_point!("persistence.timer");
        if beat(&env).await && env.store.is_shared() {
            rescue(&env, &again).await;
        }
    }
}

async fn beat(env: &Arc<Env>) -> bool {
    let (store, me) = (Arc::clone(&env.store), env.me.clone());
    match env
        .runtime
        .spawn(async move { store.beat(&me).await })
        .await
    {
        Ok(Ok(beat)) => {
            cancel(env, &beat.cancel);
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "the heartbeat could not be stored");
            false
        }
        Err(_) => false,
    }
}

/// Runs of this process that another one wants cancelled.
fn cancel(env: &Env, wishes: &[ExecutionId]) {
    for execution in wishes {
        let task = env
            .runs
            .bot_of(*execution)
            .and_then(|bot| env.book.task(&bot));
        if let Some(task) = task {
            // A wish that does not get through comes again with the next beat.
            let _ = task.try_send(CancelRun(*execution));
        }
    }
}

async fn rescue(env: &Arc<Env>, again: &HashMap<BotName, u32>) {
    let (store, me, again, now) = (
        Arc::clone(&env.store),
        env.me.id.clone(),
        again.clone(),
        env.clock.now(),
    );
    match env
        .runtime
        .spawn(async move { store.rescue(&me, &again, now).await })
        .await
    {
        Ok(Ok(rescued)) if !rescued.is_empty() => announce(env, rescued),
        Ok(Ok(_)) | Err(_) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what dead processes left could not be looked at"),
    }
}

/// Tells the log, and whoever has to go on with what was rescued.
fn announce(env: &Arc<Env>, rescued: Vec<Rescued>) {
    log_rescued(&rescued);
    if let Some(scheduler) = env.book.scheduler() {
        // If the scheduler is being rebuilt it reads all of this from the store when it starts.
        let _ = scheduler.try_send(Adopt(rescued));
    }
}
