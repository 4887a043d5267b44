//! The heartbeat of this process, and the rescue of what dead processes left.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    ME,
    telling::{tell_facts, tell_of_rescued},
};
use crate::{
    actors::{
        counting,
        env::Env,
        messages::{CancelClaim, CancelRun, Reload},
        registering::{log_rescued, recovering},
    },
    domain::{bot::BotName, run::ExecutionId},
    store::Rescued,
};

/// Replicas beat every second.
const SHARED: Duration = Duration::from_secs(1);
/// A process that owns its file alone has nobody to tell, unless it wants to know whether the file takes writes again.
const ALONE: u32 = 10;

/// Says every second that this process is alive. Nothing else is done here: a beat must never wait for anything.
pub(super) async fn keep_beating(env: Arc<Env>) {
    let mut ticks = every(SHARED);
    let shared = env.store.is_shared();
    for n in (0..ALONE).cycle() {
        ticks.tick().await;
        if !shared && n > 0 && env.vitals.writes() {
            continue;
        }
        fail::fail_point!("persistence.timer");
        beat(&env).await;
    }
}

/// Takes over what dead processes left.
pub(super) async fn keep_rescuing(env: Arc<Env>) {
    let mut ticks = every(SHARED);
    loop {
        ticks.tick().await;
        rescue(&env, recovering(&env)).await;
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn beat(env: &Arc<Env>) {
    let (store, me) = (Arc::clone(&env.store), env.me.clone());
    match env
        .runtime
        .spawn(async move { store.beat(&me).await })
        .await
    {
        Ok(Ok(beat)) => {
            env.vitals.set_writes(true);
            counting::beat(&env.metrics, &beat);
            cancel(env, &beat.cancel);
        }
        Ok(Err(error)) => {
            env.vitals.set_writes(false);
            tracing::warn!(%error, "the heartbeat could not be stored");
        }
        Err(_) => {}
    }
}

/// Runs of this process that another one wants cancelled.
fn cancel(env: &Env, wishes: &[ExecutionId]) {
    for execution in wishes {
        let task = env
            .runs
            .bot_of(*execution)
            .and_then(|bot| env.book.task(&bot, ME));
        // A wish that does not get through comes again with the next beat.
        if let Some(task) = task {
            let _ = task.try_send(CancelRun(*execution));
        } else if let Some(scheduler) = env.book.scheduler(ME) {
            let _ = scheduler.try_send(CancelClaim(*execution));
        }
    }
}

async fn rescue(env: &Arc<Env>, again: HashMap<BotName, u32>) {
    let (store, me, now) = (Arc::clone(&env.store), env.me.id.clone(), env.clock.now());
    match env
        .runtime
        .spawn(async move { store.rescue(&me, &again, now).await })
        .await
    {
        Ok(Ok(rescued)) if !rescued.is_empty() => announce(env, &rescued),
        Ok(Ok(_)) | Err(_) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what dead processes left could not be looked at"),
    }
    // Also those of writes whose commits were not answered, and of which the store has learned now.
    tell_facts(env);
}

/// Tells the log, the listeners, and the scheduler, which finds in the store what it has to go on with.
fn announce(env: &Env, rescued: &[Rescued]) {
    log_rescued(rescued);
    tell_of_rescued(env, rescued);
    if let Some(scheduler) = env.book.scheduler(ME) {
        // If the scheduler is being rebuilt it reads all of this when it starts.
        let _ = scheduler.try_send(Reload);
    }
}
