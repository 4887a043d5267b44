//! Stores who did what: in groups, beside the write queue and never before it, so that an audit trail that cannot be
//! stored holds up no run.

use std::{sync::Arc, time::Duration};

use super::{FIRST_WAIT, LONGEST_WAIT};
use crate::{actors::env::Env, store::StoreError};

/// The largest group.
const LARGEST: usize = 500;
/// How often a group that makes the store panic is tried before it is given up.
const PANICS_ALLOWED: u32 = 3;

/// Stores whatever arrives.
pub(super) async fn keep_recording(env: Arc<Env>) {
    let mut wait = FIRST_WAIT;
    loop {
        env.audit.arrival().await;
        wait = match in_the_runtime(&env).await {
            Ok(()) => FIRST_WAIT,
            Err(error) => {
                tracing::warn!(%error, waiting = env.audit.len(), "the audit table does not take rows; trying again");
                tokio::time::sleep(wait).await;
                (wait * 2).min(LONGEST_WAIT)
            }
        };
    }
}

/// Stores what waits without the actor, at the end of the process. What is left then is lost, and logged.
pub async fn record_what_is_left(env: &Arc<Env>, within: Duration) {
    env.audit.sum_up();
    let _ = tokio::time::timeout(within, in_the_runtime(env)).await;
    let lost = env.audit.len();
    if lost > 0 {
        tracing::error!(
            lost,
            "rows of the audit table could not be stored before the end"
        );
    }
}

/// Writes in a task of its own, so that an actor that dies never leaves a transaction open.
async fn in_the_runtime(env: &Arc<Env>) -> Result<(), String> {
    let inner = Arc::clone(env);
    let done = env.runtime.spawn(async move { record(&inner).await }).await;
    match done {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

async fn record(env: &Env) -> Result<(), StoreError> {
    let _turn = env.audit.turn().await;
    let (mut most, mut panics) = (LARGEST, 0);
    loop {
        let batch = env.audit.take(most);
        if batch.entries.is_empty() {
            return Ok(());
        }
        let error = match env.store.record(&batch.entries).await {
            Ok(()) => {
                batch.settle();
                continue;
            }
            Err(error) => error,
        };
        match error {
            // Which row it is, only storing them one by one tells.
            StoreError::Failed(_) | StoreError::Broken(_) if batch.entries.len() > 1 => most = 1,
            StoreError::Failed(reason) => batch.lose(&reason),
            StoreError::Broken(_) if panics < PANICS_ALLOWED => panics += 1,
            StoreError::Broken(reason) => {
                panics = 0;
                batch.lose(&reason);
            }
            passing => return Err(passing),
        }
    }
}
