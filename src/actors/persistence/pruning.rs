//! What is older than the retention time goes, a little at a time.

use std::{sync::Arc, time::Duration};

use crate::{actors::env::Env, store::StoreError};

/// When is looked first, and how often for what is too old.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3600);

const A_DAY: Duration = Duration::from_secs(86_400);

/// The longest that any bot's skill looks back over what the bot has posted, and a day more: posts that a skill will ask for
/// are kept beyond the retention time.
fn longest_look_back(env: &Env) -> Duration {
    let in_force = env.in_force();
    let specs = in_force.bots.values().flat_map(|bot| &bot.behaviour.skills);
    let backs =
        specs.filter_map(|spec| Some(env.skills.get(&spec.name)?.looks_back(&spec.settings)));
    backs.max().unwrap_or_default().saturating_add(A_DAY)
}

pub(super) async fn keep_pruning(env: Arc<Env>) {
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = EVERY;
        let round = Arc::clone(&env);
        let pruned = env.runtime.spawn(async move {
            let before = round.ago(round.rules.retention);
            let posts_before = round.ago(longest_look_back(&round));
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
