//! From the stored queue to one channel: one notice at a time, by the rules of [`crate::domain::alert`], until there is
//! nothing that may go now.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::time::Instant as Monotonic;

use super::{keeping::new_delivery, state::Post};
use crate::{
    actors::{breakers::random, env::Env},
    domain::{
        Instant,
        alert::{Delivery, DeliveryStatus, Next, Notice, digest, next_attempt},
    },
    platforms::ops::NotDelivered,
    store::{AlertStore, DeliveryMark, StoreError},
};

/// How often is looked for what other processes have left, and the shortest wait between two looks.
const LOOKS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(50));
/// The longest that a channel may take, should it not keep to its own deadline.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a claim is good: longer than any attempt with what follows it.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// How long is tried to record an attempt, and how often.
const MARKING: (u32, Duration) = (20, Duration::from_secs(1));
/// A channel that did not take one notice is left alone for so long at most before the next one.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Sends whatever is queued for the channel in this place.
pub(super) async fn keep_sending(env: Arc<Env>, place: usize) {
    loop {
        let inner = Arc::clone(&env);
        let served = env.runtime.spawn(async move { serve(&inner, place).await });
        let wait = match served.await {
            Ok(Ok(wait)) => wait,
            Ok(Err(error)) => {
                tracing::debug!(%error, "alerts cannot be read; trying again");
                LOOKS.0
            }
            Err(error) => {
                tracing::error!(%error, "sending alerts broke off");
                LOOKS.0
            }
        };
        let Some(post) = env.alerting.posts().get(place) else {
            return;
        };
        let wait = wait.clamp(LOOKS.1, LOOKS.0.max(LONGEST_REST));
        let _ = tokio::time::timeout(wait, post.bell.notified()).await;
    }
}

/// Sends what is due. Answers how long there is nothing to do.
///
/// # Errors
/// The store is away.
pub(super) async fn serve(env: &Arc<Env>, place: usize) -> Result<Duration, StoreError> {
    let (Some(store), Some(post)) = (env.store.alerts(), env.alerting.posts().get(place)) else {
        return Ok(LOOKS.0);
    };
    let _turn = post.turn.lock().await;
    loop {
        let now = env.clock.now();
        let outbox = store.due_alerts(&env.me.id, &post.rules.name, now).await?;
        let next_at = outbox.next_at;
        let delivery = match outbox.next(post.rules.max_per_hour) {
            Next::Wait => {
                let wait = next_at.and_then(|at| (at - now).to_std().ok());
                return Ok(wait.unwrap_or(LOOKS.0).min(LOOKS.0));
            }
            Next::Send(delivery) => {
                let until = now + CLAIM;
                match store
                    .claim_alert(&env.me.id, delivery.id, until, now)
                    .await?
                {
                    true => *delivery,
                    false => continue,
                }
            }
            Next::Digest(all) => fold(env, store, post, &all).await?,
        };
        if let Some(rest) = deliver(env, store, post, delivery).await {
            return Ok(rest);
        }
    }
}

/// One notice in the place of many.
async fn fold(
    env: &Env,
    store: &dyn AlertStore,
    post: &Post,
    all: &[Delivery],
) -> Result<Delivery, StoreError> {
    let (name, now) = (&post.rules.name, env.clock.now());
    let notice = digest(name, all, now, env.alerting.rules());
    let new = new_delivery(name.clone(), notice);
    let ids: Vec<i64> = all.iter().map(|one| one.id).collect();
    let folded = store.fold_alerts(&env.me.id, &ids, &new, now + CLAIM, now);
    let folded = folded.await?;
    let dropped = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    count(env, name, "dropped", dropped);
    tracing::warn!(
        channel = name,
        alerts = dropped,
        "too many alerts within an hour; one notice mentions them"
    );
    Ok(folded)
}

/// Makes one attempt, and records how it ended. Answers how long the channel is to be left alone, if it is.
async fn deliver(
    env: &Arc<Env>,
    store: &dyn AlertStore,
    post: &Post,
    delivery: Delivery,
) -> Option<Duration> {
    let ended = attempt(env, post, &delivery.notice).await;
    let now = env.clock.now();
    let (name, incident) = (&post.rules.name, &delivery.notice.incident);
    let mut mark = DeliveryMark {
        id: delivery.id,
        status: DeliveryStatus::Sent,
        tried: true,
        next_attempt_at: now,
        error: None,
        sent_at: Some(now),
    };
    let mut rest = None;
    if let Err(error) = ended {
        (mark.sent_at, mark.error) = (None, Some(error.to_string()));
        let next = again(&delivery, &error, now);
        mark.status = next.map_or(DeliveryStatus::Failed, |_| DeliveryStatus::Pending);
        mark.next_attempt_at = next.unwrap_or(now);
        let wait = next.and_then(|next| (next - now).to_std().ok());
        rest = wait.map(|wait| wait.min(LONGEST_REST));
        let attempts = delivery.attempts + 1;
        match next {
            Some(next) => {
                tracing::warn!(channel = name, incident, attempts, %error, next_attempt_at = %next, "an alert was not taken; it is tried again");
            }
            None => {
                tracing::error!(channel = name, incident, attempts, %error, "an alert could not be delivered");
            }
        }
    }
    let outcome = match mark.status {
        DeliveryStatus::Sent => "sent",
        DeliveryStatus::Pending => "retried",
        DeliveryStatus::Failed | DeliveryStatus::Dropped => "failed",
    };
    count(env, name, outcome, 1);
    record(env, store, mark).await;
    rest
}

fn again(delivery: &Delivery, error: &NotDelivered, now: Instant) -> Option<Instant> {
    match error {
        NotDelivered::Never(_) => None,
        NotDelivered::Later { after, .. } => {
            let attempts = delivery.attempts.saturating_add(1);
            next_attempt(delivery.created_at, attempts, *after, now, random())
        }
    }
}

/// What is not recorded is delivered a second time, with the same id, once the claim has run out.
async fn record(env: &Env, store: &dyn AlertStore, mark: DeliveryMark) {
    let (times, pause) = MARKING;
    for _ in 0..times {
        match store.mark_alert(&env.me.id, &mark).await {
            Ok(()) => return,
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            Err(error) => {
                tracing::error!(%error, "the end of an attempt to deliver an alert cannot be recorded");
                return;
            }
        }
    }
}

fn count(env: &Env, channel: &str, outcome: &str, by: u64) {
    let deliveries = &env.metrics.alerts.deliveries;
    deliveries.with_label_values(&[channel, outcome]).inc_by(by);
}

/// Makes one attempt, in a task of its own: a channel's panic is an attempt that failed.
///
/// # Errors
/// It was not taken.
pub(super) async fn attempt(
    env: &Arc<Env>,
    post: &Post,
    notice: &Notice,
) -> Result<(), NotDelivered> {
    let (channel, notice) = (Arc::clone(&post.channel), notice.clone());
    let began = Monotonic::now();
    let mut task = env
        .runtime
        .spawn(async move { channel.deliver(&notice).await });
    let ended = tokio::time::timeout(PATIENCE, &mut task).await;
    let (outcome, ended) = match ended {
        Ok(Ok(Ok(()))) => ("ok", Ok(())),
        Ok(Ok(Err(error))) => (word(&error), Err(error)),
        Ok(Err(_)) => ("error", Err(later("the attempt broke off"))),
        Err(_) => {
            task.abort();
            ("timeout", Err(later("no answer in time")))
        }
    };
    let dependency = format!("alert_{}", post.rules.name);
    let downstreams = &env.metrics.downstreams;
    downstreams
        .requests
        .with_label_values(&[dependency.as_str(), outcome])
        .observe(began.elapsed().as_secs_f64());
    let answers = i64::from(!matches!(ended, Err(NotDelivered::Later { .. })));
    downstreams
        .connected
        .with_label_values(&[dependency.as_str()])
        .set(answers);
    ended
}

fn later(reason: &str) -> NotDelivered {
    NotDelivered::Later {
        reason: reason.into(),
        after: None,
    }
}

/// Only a channel that wants to be left alone for a while says for how long.
pub(super) const fn word(error: &NotDelivered) -> &'static str {
    match error {
        NotDelivered::Never(_) => "refused",
        NotDelivered::Later { after: Some(_), .. } => "rate_limited",
        NotDelivered::Later { after: None, .. } => "error",
    }
}
