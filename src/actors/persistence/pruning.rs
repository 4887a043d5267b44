//! What is older than the retention time goes, a little at a time.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{actors::env::Env, store::StoreError};

/// When is looked first, and how often for what is too old.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3600);

pub(super) async fn keep_pruning(env: Arc<Env>) {
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = EVERY;
        let round = Arc::clone(&env);
        let pruned = env.runtime.spawn(async move {
            let kept = TimeDelta::from_std(round.rules.retention).unwrap_or(TimeDelta::MAX);
            let now = round.clock.now();
            let ago = |kept| now.checked_sub_signed(kept).unwrap_or_default();
            let (before, posts_before) = (ago(kept), ago(kept.max(look_back(&round))));
            let rows = round.store.prune(before, posts_before).await?;
            let alerts = match round.store.alerts() {
                Some(alerts) => alerts.forget_alerts(before).await?,
                None => 0,
            };
            Ok::<u64, StoreError>(rows + alerts)
        });
        match pruned.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(rows)) => tracing::info!(rows, "history older than retention_days is deleted"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "history older than retention_days could not be deleted")
            }
        }
    }
}

/// Posts are kept as long as any bot of the configuration compares or counts them.
fn look_back(env: &Env) -> TimeDelta {
    let configuration = env.in_force();
    let bots = configuration.bots.values();
    let far = bots.map(|bot| env.skills.look_back(&bot.behaviour));
    far.max().unwrap_or_default()
}
