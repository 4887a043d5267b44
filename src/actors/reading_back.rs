//! Looking whether a post has arrived, at the platform itself.

use std::time::Duration;

use tokio::time::sleep;

use super::env::Env;
use crate::{
    domain::post::Post,
    platforms::{ContentPoster, Found, PostFailure, Receipt},
};

/// How long to wait before a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(250);

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

/// Waits for a store that is away: that is no failure of the platform, and spends no attempt.
async fn known(env: &Env, post: &Post) -> Result<Vec<String>, PostFailure> {
    env.queue.caught_up().await;
    loop {
        let arrived = env
            .store
            .arrived(&post.platform, &post.destination, post.created_at);
        match arrived.await {
            Ok(known) => return Ok(known),
            Err(error) if error.is_transient() => sleep(AGAIN).await,
            Err(error) => {
                let text = format!("what has arrived is not known: {error}");
                return Err(PostFailure::Unprepared(text));
            }
        }
    }
}
