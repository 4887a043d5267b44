//! The end of the process: what was heard is stored, and what is due is told, for a moment; the rest is in the store.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{keeping::keep, listening::hear_all, pinging::reported, sending::serve};
use crate::actors::env::Env;

/// Stores what was heard and tells what is due, within that time.
pub async fn tell_what_is_due(env: &Arc<Env>, within: Duration) {
    if !env.alerting.is_on() {
        return;
    }
    hear_all(env);
    let pings = reported(env);
    let work = async { tokio::join!(tell(env), pings) };
    if tokio::time::timeout(within, work).await.is_err() {
        tracing::warn!(
            "not everybody was told of everything before the end; what is stored is told after the next start"
        );
    }
}

async fn tell(env: &Arc<Env>) {
    // Whoever tells channels without the store has it stored afterwards.
    drop(env.alerting.telling().await);
    let inner = Arc::clone(env);
    let stored = env.runtime.spawn(async move { keep(&inner).await });
    if let Ok(Err(error)) = stored.await {
        tracing::warn!(%error, "the last incidents could not be stored");
    }
    let each = (0..env.alerting.posts().len()).map(|place| {
        let inner = Arc::clone(env);
        env.runtime
            .spawn(async move { serve(&inner, place).await.map(drop) })
    });
    join_all(each).await;
}
