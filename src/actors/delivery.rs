//! Sending a stored post until its fate is known, and marking it.

use std::{sync::Arc, time::Duration};

use super::env::Env;
use crate::{
    domain::{
        post::{Post, PostStatus},
        retry::RetryPolicy,
    },
    platforms::{PostFailure, Receipt},
    store::{PostMark, Write},
};

/// What became of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The platform has it, now or from an earlier attempt.
    Sent(Option<String>),
    /// It will not be sent: refused for good, or its attempts are spent.
    Failed(String),
    /// Refused because of its destination.
    Forbidden(String),
}

/// Sends a post; waits out rate limits, and retries what may pass as often as the policy allows, over all runs of it.
///
/// Dropping the future between two attempts loses nothing: the post stays `pending` and goes out later.
pub async fn deliver(env: &Arc<Env>, mut post: Post, retry: &RetryPolicy) -> Delivered {
    match post.status {
        PostStatus::Sent => return Delivered::Sent(post.platform_message_id),
        PostStatus::Failed | PostStatus::Dead => {
            return Delivered::Failed(post.error.unwrap_or_else(|| "the post has failed".into()));
        }
        PostStatus::Pending => {}
    }
    let Some(platform) = env.platforms.get(&post.platform).cloned() else {
        return Delivered::Failed(format!(
            "the platform `{}` is not configured",
            post.platform
        ));
    };
    let mut failed = 0;
    loop {
        let answer = platform.post(&post).await;
        fail::fail_point!("post.sent");
        let failure = match answer {
            Ok(receipt) => return sent(env, &post, receipt),
            Err(failure) => failure,
        };
        let wait = match failure {
            PostFailure::RateLimited(wait) => wait,
            PostFailure::Transient(error) => {
                (post.attempts, failed) = (post.attempts + 1, failed + 1);
                let Some(wait) = next_wait(&post, failed, retry) else {
                    return dead(env, &post, error);
                };
                tracing::warn!(
                    post = post.id,
                    error,
                    wait_ms = wait.as_millis(),
                    "the post was not confirmed; trying again"
                );
                mark(env, &post, PostStatus::Pending, None, Some(error));
                wait
            }
            PostFailure::Unauthorized(error) => {
                mark(env, &post, PostStatus::Pending, None, Some(error.clone()));
                return Delivered::Failed(error);
            }
            PostFailure::Rejected(error) => {
                return refused(env, &mut post, error, Delivered::Failed);
            }
            PostFailure::Forbidden(error) => {
                return refused(env, &mut post, error, Delivered::Forbidden);
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// The attempts of a post are counted over its whole life, the waits anew each time it is taken up.
fn next_wait(post: &Post, failed: u32, retry: &RetryPolicy) -> Option<Duration> {
    (post.attempts < retry.max_attempts)
        .then(|| retry.backoff_after(failed, 0.5))
        .flatten()
}

fn sent(env: &Env, post: &Post, Receipt { message_id }: Receipt) -> Delivered {
    let counted = Post {
        attempts: post.attempts + 1,
        ..post.clone()
    };
    mark(env, &counted, PostStatus::Sent, message_id.clone(), None);
    Delivered::Sent(message_id)
}

fn dead(env: &Env, post: &Post, error: String) -> Delivered {
    tracing::error!(post = post.id, actor = %post.bot, error, attempts = post.attempts, "the post is dead: its attempts are spent");
    mark(env, post, PostStatus::Dead, None, Some(error.clone()));
    Delivered::Failed(error)
}

fn refused(env: &Env, post: &mut Post, error: String, end: fn(String) -> Delivered) -> Delivered {
    post.attempts += 1;
    mark(env, post, PostStatus::Failed, None, Some(error.clone()));
    end(error)
}

fn mark(
    env: &Env,
    post: &Post,
    status: PostStatus,
    platform_message_id: Option<String>,
    error: Option<String>,
) {
    let posted_at = (status == PostStatus::Sent).then(|| env.clock.now());
    let mark = PostMark {
        id: post.id,
        status,
        attempts: post.attempts,
        platform_message_id,
        error,
        posted_at,
    };
    env.queue.keep(Write::MarkPost(mark));
}
