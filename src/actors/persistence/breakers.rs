//! Keeps breakers through restarts, and on a shared store brings what the other processes know of them.
//!
//! Beside the write queue and never before it: a breaker that cannot be stored holds up no run.

use std::{sync::Arc, time::Duration};

use super::{FIRST_WAIT, LONGEST_WAIT};
use crate::{actors::env::Env, store::StoreError};

/// How often is looked for what others have stored.
const LOOK: Duration = Duration::from_secs(1);

/// Stores whatever changes.
pub(super) async fn keep_breakers(env: Arc<Env>) {
    let mut wait = FIRST_WAIT;
    loop {
        env.breakers.changed().await;
        wait = match in_the_runtime(&env).await {
            Ok(()) => FIRST_WAIT,
            Err(error) => {
                tracing::warn!(%error, "breakers cannot be stored; trying again");
                tokio::time::sleep(wait).await;
                (wait * 2).min(LONGEST_WAIT)
            }
        };
    }
}

/// Takes over what other processes store. A store that does not answer has been logged by its heartbeat.
pub(super) async fn keep_reading_breakers(env: Arc<Env>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let store = Arc::clone(&env.store);
        let read = env.runtime.spawn(async move { store.breakers().await });
        if let Ok(Ok(stored)) = read.await {
            env.adopt_breakers(stored);
        }
    }
}

/// Stores what is left without the actor, at the end of the process.
pub async fn keep_breakers_that_are_left(env: &Arc<Env>, within: Duration) {
    match tokio::time::timeout(within, in_the_runtime(env)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error, "the last changes of breakers are not stored"),
        Err(_) => tracing::warn!("the last changes of breakers could not be stored in time"),
    }
}

/// Writes in a task of its own, so that an actor that dies never leaves a transaction open.
async fn in_the_runtime(env: &Arc<Env>) -> Result<(), String> {
    let inner = Arc::clone(env);
    let done = env.runtime.spawn(async move { store(&inner).await }).await;
    match done {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

async fn store(env: &Env) -> Result<(), StoreError> {
    let _turn = env.breakers.turn().await;
    for one in env.breakers.unstored() {
        let (dependency, breaker, credential) = (one.dependency, one.breaker, one.credential);
        let (name, now) = (dependency.as_str(), env.clock.now());
        let kept = env
            .store
            .keep_breaker(name, breaker, credential.as_deref(), now);
        match kept.await {
            Ok(revision) => env.breakers.stored(&dependency, breaker, revision),
            Err(StoreError::Failed(error)) => {
                tracing::error!(dependency, error, "the store refused a breaker");
                env.breakers.never_stored(&dependency);
            }
            Err(passing) => return Err(passing),
        }
    }
    Ok(())
}
