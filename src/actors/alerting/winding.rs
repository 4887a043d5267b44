//! The end of the process: what was heard is stored, and what is due is told, for a moment; the rest is in the store.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{keeping::keep, listening::hear_all, pinging::reported, sending::serve};
use crate::actors::env::Env;

/// How often is looked whether all is heard.
const MOMENT: Duration = Duration::from_millis(20);

/// Stores what was heard and tells what is due, within that time.
pub async fn tell_what_is_due(env: &Arc<Env>, within: Duration) {
    if !env.alerting.is_on() {
        return;
    }
    let pings = reported(env);
    let work = async { tokio::join!(tell(env), pings) };
    if tokio::time::timeout(within, work).await.is_err() {
        tracing::warn!(
            "not everybody was told of everything before the end; what is stored is told after the next start"
        );
    }
}

async fn tell(env: &Arc<Env>) {
    loop {
        hear_all(env);
        let inner = Arc::clone(env);
        let stored = env.runtime.spawn(async move { keep(&inner).await });
        match stored.await {
            // What is told without the store is stored afterwards.
            Ok(Ok(())) if !env.alerting.is_done() => tokio::time::sleep(MOMENT).await,
            Ok(Ok(())) => break,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the last incidents could not be stored");
                break;
            }
            Err(_) => break,
        }
    }
    let each = (0..env.alerting.posts().len()).map(|place| {
        let inner = Arc::clone(env);
        env.runtime
            .spawn(async move { serve(&inner, place).await.map(drop) })
    });
    join_all(each).await;
}
