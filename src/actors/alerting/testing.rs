//! A notice that tells nothing but that alerts arrive: sent at once, without the store and beside the queue.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use uuid::Uuid;

use super::{sending::attempt, state::Post};
use crate::{
    actors::{
        env::Env,
        messages::{AlertTested, ControlError, TEST_DEADLINE},
    },
    domain::alert::{Notice, test_notice},
};

/// How long a channel may take: what it said has to be in time.
const PATIENCE: Duration = TEST_DEADLINE.saturating_sub(Duration::from_secs(1));

/// Sends it to all channels at the same time, or to the one that is named.
///
/// # Errors
/// There is no such channel, or none at all.
pub(in crate::actors) async fn test(
    env: &Arc<Env>,
    channel: Option<&str>,
) -> Result<Vec<AlertTested>, ControlError> {
    let is_meant = |post: &&Post| channel.is_none_or(|name| post.rules.name == name);
    let posts: Vec<&Post> = env.alerting.posts().iter().filter(is_meant).collect();
    if posts.is_empty() {
        let refusal = channel.map(|name| ControlError::UnknownChannel(name.to_owned()));
        return Err(refusal.unwrap_or(ControlError::NoChannels));
    }
    let notice = test_notice(env.clock.now(), env.alerting.rules());
    let each = posts.into_iter().map(|post| one(env, post, &notice));
    Ok(join_all(each).await)
}

async fn one(env: &Arc<Env>, post: &Post, notice: &Notice) -> AlertTested {
    let notice = Notice {
        id: Uuid::new_v4().to_string(),
        ..notice.clone()
    };
    let ended = tokio::time::timeout(PATIENCE, attempt(env, post, &notice)).await;
    let error = match ended {
        Ok(ended) => ended.err().map(|error| error.to_string()),
        Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    let outcome = if error.is_none() { "sent" } else { "failed" };
    let deliveries = &env.metrics.alerts.deliveries;
    let channel = post.rules.name.clone();
    deliveries
        .with_label_values(&[channel.as_str(), outcome])
        .inc();
    AlertTested { channel, error }
}
