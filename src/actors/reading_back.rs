//! Looking whether a post has arrived, at the platform itself.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use super::env::Env;
use crate::{
    domain::post::{Post, PostStatus},
    platforms::{ContentPoster, Found, PostFailure, Receipt},
    store::StoreError,
};

/// How long to wait before a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// A platform looks a little further back than to when the post was stored, and its clock is another one: messages of other
/// posts are known from this long before.
const BEFORE: TimeDelta = TimeDelta::minutes(5);

/// Looks for a post that may have arrived. `None`: it has not, or the platform cannot tell. Messages that are known to
/// belong to other posts are left out, so that of two posts with the same text each finds its own.
///
/// # Errors
/// The platform or the store does not answer: the same question may be answered later.
pub(super) async fn find(
    env: &Env,
    platform: &dyn ContentPoster,
    post: &Post,
) -> Result<Option<Receipt>, PostFailure> {
    let (actor, id) = (&post.bot, post.id);
    env.queue.caught_up().await;
    if let Some(receipt) = sent_by_another(env, post).await? {
        return Ok(Some(receipt));
    }
    let known = known(env, post).await?;
    match platform.find(post, &known).await {
        Ok(Found::Yes(receipt)) => Ok(Some(receipt)),
        Ok(Found::No) => Ok(None),
        Ok(Found::CannotTell) => {
            if platform.remembers().is_some() {
                tracing::warn!(
                    %actor, post = id,
                    "whether the post has arrived cannot be read back; it relies on its nonce alone"
                );
            }
            Ok(None)
        }
        Err(error @ (PostFailure::Rejected(_) | PostFailure::Forbidden(_))) => {
            tracing::warn!(%actor, post = id, %error, "the channel cannot be read back; the post relies on its nonce alone");
            Ok(None)
        }
        Err(passing) => Err(passing),
    }
}

/// Another process has sent it and said so: its message is one that is known, and would not be found.
async fn sent_by_another(env: &Env, post: &Post) -> Result<Option<Receipt>, PostFailure> {
    if !env.store.is_shared() {
        return Ok(None);
    }
    let stored = patiently(|| env.store.post(post.id)).await?;
    let sent = stored.filter(|stored| stored.status == PostStatus::Sent);
    Ok(sent.map(|sent| Receipt {
        message_id: sent.platform_message_id,
    }))
}

async fn known(env: &Env, post: &Post) -> Result<Vec<String>, PostFailure> {
    let since = post.created_at - BEFORE;
    patiently(|| env.store.arrived(&post.platform, &post.destination, since)).await
}

/// Waits for a store that is away: that is no failure of the platform, and spends no attempt.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, PostFailure>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_transient() => sleep(AGAIN).await,
            Err(error) => {
                let text = format!("what has arrived is not known: {error}");
                return Err(PostFailure::Unprepared(text));
            }
        }
    }
}
