//! The look over everything, every few seconds: what nobody told of (a bot that silently stops, what another process has
//! mended, what was lost in a crash), and what lasts and has to be told again.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant as Monotonic;

use super::{
    eye::Eye,
    keeping::{alerts_of, read, show_open, store_steps},
};
use crate::{
    actors::env::Env,
    domain::{
        Instant,
        alert::{Step, goes_by},
    },
    store::{AlertStore, StoreError},
};

/// How often is looked, at most and at least.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// How long after the process has become ready bots may still be behind.
const CATCHING_UP: Duration = Duration::from_secs(60);

/// Looks, again and again.
pub(super) async fn keep_watching(env: Arc<Env>) {
    let stalled = env.alerting.rules().stalled_after.to_std();
    let stalled = stalled.unwrap_or(LOOKS.1);
    let every = (stalled / 2).clamp(LOOKS.0, LOOKS.1);
    let mut ready_since = None;
    loop {
        tokio::time::sleep(every).await;
        fail::fail_point!("alert.timer");
        ready_since = env
            .vitals
            .is_ready()
            .then(|| ready_since.unwrap_or_else(Monotonic::now));
        let up = ready_since.map(|since| since.elapsed());
        let caught_up = up.is_some_and(|up| up >= stalled.min(CATCHING_UP));
        let inner = Arc::clone(&env);
        let look = env
            .runtime
            .spawn(async move { look(&inner, caught_up).await });
        match look.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "incidents cannot be looked over"),
            Err(error) => tracing::error!(%error, "looking over the bots broke off"),
        }
    }
}

async fn look(env: &Arc<Env>, caught_up: bool) -> Result<(), StoreError> {
    let Some(store) = env.store.alerts() else {
        return Ok(());
    };
    {
        let _turn = env.alerting.storing().await;
        read(env, store).await?;
        let now = env.clock.now();
        env.alerting.book().forget(now);
        let steps = go_by(env, now);
        store_steps(env, store, steps).await?;
    }
    let cards = env.board.list().cards;
    for sign in Eye::new(env).signs(&cards, caught_up).await? {
        env.alerting.hear(sign);
    }
    show(env, store).await
}

/// What is to be told again, and what has been calm for long enough.
fn go_by(env: &Env, now: Instant) -> Vec<Step> {
    let open = env.alerting.book().all_open();
    let steps = open.iter().filter_map(|incident| {
        let alerts = alerts_of(env, incident.bot.as_ref());
        goes_by(incident, env.alerting.ground(&alerts, now))
    });
    steps.collect()
}

async fn show(env: &Env, store: &dyn AlertStore) -> Result<(), StoreError> {
    show_open(env);
    let pending = store.pending_alerts().await?;
    let queued = &env.metrics.alerts.queued;
    queued.set(i64::try_from(pending).unwrap_or(i64::MAX));
    Ok(())
}
