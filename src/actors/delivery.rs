//! Sending a stored post until its fate is known, and marking it.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant as Monotonic;

use super::{
    breakers::{Downstream, Sign},
    counting,
    env::Env,
    reading_back,
};
use crate::{
    domain::{
        post::{Post, PostStatus},
        retry::RetryPolicy,
    },
    platforms::{ContentPoster, PostFailure, Receipt},
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
    /// It stays `pending`: nothing gets through now, for a reason that is not the post's.
    NotNow(String),
    /// It stays `pending`: others go first, and are not this process's to send.
    Waits(String),
}

/// What an open breaker is to whoever has a post sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insistence {
    /// A reason not to ask.
    None,
    /// An operator wants to know: it is asked once in any case.
    Once,
}

/// What has become of a post, if it is not to be sent any more.
#[must_use]
pub fn fate(post: &Post) -> Option<Delivered> {
    match post.status {
        PostStatus::Pending => None,
        PostStatus::Sent => Some(Delivered::Sent(post.platform_message_id.clone())),
        PostStatus::Failed | PostStatus::Dead => {
            Some(Delivered::Failed(post.error.clone().unwrap_or_default()))
        }
    }
}

/// Sends a post, at its turn; waits out rate limits, and retries what may pass as often as the policy allows, over all runs
/// of it. `maybe_sent`: an earlier attempt or process may have sent it.
///
/// Dropping the future between two attempts loses nothing: the post stays `pending` and goes out later.
pub async fn deliver(
    env: &Arc<Env>,
    post: Post,
    retry: &RetryPolicy,
    insistence: Insistence,
    maybe_sent: bool,
) -> Delivered {
    let Some(platform) = env.platforms.get(&post.platform) else {
        let error = format!("the platform `{}` is not configured", post.platform);
        return Delivered::NotNow(error);
    };
    let (env, platform) = (env.as_ref(), platform.as_ref());
    let downstream = Downstream::new(&post.platform, &post.destination);
    let delivery = Delivery {
        env,
        platform,
        downstream,
        maybe_sent: maybe_sent || post.attempts > 0,
        post,
        retry,
        failed: 0,
    };
    delivery.work(insistence).await
}

/// One post on its way.
struct Delivery<'a> {
    env: &'a Env,
    platform: &'a dyn ContentPoster,
    /// `None` for the console.
    downstream: Option<Downstream>,
    post: Post,
    retry: &'a RetryPolicy,
    /// Failed attempts since the post was taken up; waits begin anew each time.
    failed: u32,
    /// It may have arrived.
    maybe_sent: bool,
}

/// What follows from one attempt.
enum Step {
    Again(Duration),
    End(Delivered),
}

/// What the answer says of the downstream; being asked to wait says nothing.
fn sign(answer: &Result<Receipt, PostFailure>) -> Option<Sign> {
    match answer {
        Ok(_) | Err(PostFailure::Rejected(_) | PostFailure::Forbidden(_)) => Some(Sign::Answered),
        Err(PostFailure::RateLimited(_) | PostFailure::Unprepared(_)) => None,
        Err(PostFailure::Transient(_) | PostFailure::TimedOut(_)) => Some(Sign::Failed),
        Err(PostFailure::Unauthorized(_)) => Some(Sign::TokenRefused),
    }
}

impl Delivery<'_> {
    async fn work(mut self, mut insistence: Insistence) -> Delivered {
        loop {
            // It may have opened since the run started, or while the post waited.
            if insistence == Insistence::None && self.must_wait() {
                return Delivered::NotNow("the breaker is open".into());
            }
            insistence = Insistence::None;
            match self.attempt().await {
                Step::Again(wait) => tokio::time::sleep(wait).await,
                Step::End(end) => return end,
            }
        }
    }

    fn must_wait(&self) -> bool {
        let (breakers, now) = (&self.env.breakers, self.env.clock.now());
        let downstream = self.downstream.as_ref();
        downstream.is_some_and(|downstream| breakers.is_cooling_down(downstream, now))
    }

    async fn attempt(&mut self) -> Step {
        let answer = match self.look().await {
            Ok(Some(receipt)) => return Step::End(self.found(receipt)),
            Ok(None) => self.post().await,
            Err(failure) => Err(failure),
        };
        if let (Some(downstream), Some(sign)) = (&self.downstream, sign(&answer)) {
            self.env.heard_of(downstream, sign);
        }
        match answer {
            Ok(receipt) => {
                self.post.attempts += 1;
                Step::End(self.sent(receipt))
            }
            Err(PostFailure::RateLimited(wait)) => Step::Again(wait),
            Err(
                PostFailure::Transient(error)
                | PostFailure::TimedOut(error)
                | PostFailure::Unprepared(error),
            ) => self.unconfirmed(error).await,
            Err(PostFailure::Unauthorized(error)) => {
                // Not the post's fault: it goes out with a token that is accepted.
                self.mark(PostStatus::Pending, None, Some(error.clone()));
                Step::End(Delivered::NotNow(error))
            }
            Err(PostFailure::Rejected(error)) => {
                Step::End(Delivered::Failed(self.refused(error, false)))
            }
            Err(PostFailure::Forbidden(error)) => {
                Step::End(Delivered::Forbidden(self.refused(error, true)))
            }
        }
    }

    async fn post(&mut self) -> Result<Receipt, PostFailure> {
        let asked = Monotonic::now();
        let answer = self.platform.post(&self.post).await;
        let platform = self.platform.platform();
        counting::posted(&self.env.metrics, platform, &answer, asked.elapsed());
        fail::fail_point!("post.sent");
        self.maybe_sent |= matches!(
            answer,
            Err(PostFailure::Transient(_) | PostFailure::TimedOut(_))
        );
        answer
    }

    /// A post that may have arrived goes out again with its nonce as long as the platform is sure to remember it, counted
    /// from the earliest moment at which it can have been sent; after that it is looked for first. Where others share the
    /// store, any post of that age may have arrived: this process may have stood still while another one sent it.
    async fn look(&self) -> Result<Option<Receipt>, PostFailure> {
        let age = self.env.clock.now() - self.post.created_at;
        let window = self.platform.remembers();
        let remembered = window.is_some_and(|window| age.to_std().is_ok_and(|age| age < window));
        let by_another = window.is_some() && self.env.store.is_shared();
        if remembered || !(self.maybe_sent || by_another) {
            return Ok(None);
        }
        reading_back::find(self.env, self.platform, &self.post).await
    }

    /// It had arrived before.
    fn found(&self, receipt: Receipt) -> Delivered {
        fail::fail_point!("post.found");
        let (actor, post) = (&self.post.bot, self.post.id);
        tracing::info!(%actor, post, message_id = receipt.message_id, "the post had arrived; it is not sent again");
        self.sent(receipt)
    }

    fn sent(&self, receipt: Receipt) -> Delivered {
        self.mark(PostStatus::Sent, receipt.message_id.clone(), None);
        Delivered::Sent(receipt.message_id)
    }

    /// The post may have arrived or not: the same nonce goes out again, as long as there are attempts.
    async fn unconfirmed(&mut self, error: String) -> Step {
        self.post.attempts += 1;
        self.failed += 1;
        let (actor, post, attempts) = (&self.post.bot, self.post.id, self.post.attempts);
        let left = attempts < self.retry.max_attempts;
        if left && self.must_wait() {
            // It keeps the attempts that it has: it goes out when the downstream is back.
            self.mark(PostStatus::Pending, None, Some(error.clone()));
            return Step::End(Delivered::NotNow(format!("{error}; the breaker is open")));
        }
        if let Some(wait) = self.retry.backoff_after(self.failed, 0.5).filter(|_| left) {
            tracing::warn!(%actor, post, error, wait_ms = wait.as_millis(), "the post was not confirmed; trying again");
            self.mark(PostStatus::Pending, None, Some(error));
            return Step::Again(wait);
        }
        Step::End(self.dead(error).await)
    }

    /// Its attempts are spent; before it is given up, it is looked for.
    async fn dead(&self, error: String) -> Delivered {
        let (actor, post, attempts) = (&self.post.bot, self.post.id, self.post.attempts);
        match reading_back::find(self.env, self.platform, &self.post).await {
            Ok(Some(receipt)) => return self.found(receipt),
            Ok(None) => {}
            Err(why) => {
                tracing::warn!(%actor, post, error = %why, "whether the post has arrived cannot be read back");
            }
        }
        tracing::error!(%actor, post, error, attempts, "the post is dead: its attempts are spent");
        self.mark(PostStatus::Dead, None, Some(error.clone()));
        Delivered::Failed(error)
    }

    fn refused(&mut self, error: String, frees_item: bool) -> String {
        self.post.attempts += 1;
        let mark = self.marked(PostStatus::Failed, None, Some(error.clone()));
        // An item that may have been shown is not shown again.
        let frees_item = frees_item && !self.maybe_sent;
        self.keep(PostMark { frees_item, ..mark });
        error
    }

    fn mark(&self, status: PostStatus, platform_message_id: Option<String>, error: Option<String>) {
        self.keep(self.marked(status, platform_message_id, error));
    }

    fn marked(
        &self,
        status: PostStatus,
        platform_message_id: Option<String>,
        error: Option<String>,
    ) -> PostMark {
        PostMark {
            id: self.post.id,
            status,
            attempts: self.post.attempts,
            platform_message_id,
            error,
            posted_at: (status == PostStatus::Sent).then(|| self.env.clock.now()),
            frees_item: false,
        }
    }

    /// Those who come after it must not find it in their way before the store knows.
    fn keep(&self, mark: PostMark) {
        if mark.status != PostStatus::Pending {
            self.env.lanes.settled(&self.post);
            counting::post_ended(&self.env.metrics, self.platform.platform(), mark.status);
        }
        self.env.queue.keep(Write::MarkPost(mark));
    }
}
