//! Where posts go: one trait, and what it takes to be told apart from a failure to reach it.

#[cfg(feature = "discord")]
mod attachments;
pub mod console;
#[cfg(feature = "discord")]
pub mod discord;
mod named;
pub mod ops;
pub mod stub;
pub mod webhook;

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::post::Post;

/// Hands stored posts to an outside platform. Never retries by itself: the caller owns attempts and waits.
#[async_trait]
pub trait ContentPoster: Send + Sync + 'static {
    /// The word in the `platform` column, such as `discord`.
    fn platform(&self) -> &'static str;

    /// Another text when the credentials are others, from which nobody gets to them; `None` if the platform has none. A
    /// refusal ([`PostFailure::Unauthorized`]) stands against these credentials alone.
    fn credential(&self) -> Option<String> {
        None
    }

    /// How long the platform recognises a repetition by its nonce and answers with the message that it has; `None` if it never
    /// does. Give less rather than more.
    fn remembers(&self) -> Option<Duration> {
        None
    }

    /// Whether all destinations are one downstream, beside each being one of its own: `true` for Discord, `false` where
    /// they have nothing but the protocol in common.
    fn is_one_downstream(&self) -> bool {
        true
    }

    /// Looks whether a post has arrived, by reading back what its destination has got since it was stored. `known`: the
    /// platform's ids of messages that belong to other posts.
    ///
    /// # Errors
    /// What the platform answered, or why nothing is known.
    async fn find(&self, _post: &Post, _known: &[String]) -> Result<Found, PostFailure> {
        Ok(Found::CannotTell)
    }

    /// Sends one post, with its nonce, once.
    ///
    /// # Errors
    /// What the platform answered, or why nothing is known.
    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure>;
}

/// What reading back has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has arrived.
    Yes(Receipt),
    /// It has not.
    No,
    /// The platform cannot be read back.
    CannotTell,
}

/// The platform has the post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The platform's own id of the message, if it has one.
    pub message_id: Option<String>,
}

/// Why a post is not known to have arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostFailure {
    /// Asked to wait; no attempt is spent (Discord: 429 with `Retry-After`).
    #[error("rate limited for {} ms", .0.as_millis())]
    RateLimited(Duration),
    /// May pass: a connection that failed or was cut, a 5xx. The post may have arrived: the nonce tells.
    #[error("{0}")]
    Transient(String),
    /// The same, because no answer came in time.
    #[error("{0}")]
    TimedOut(String),
    /// Refused for good, because of this post (400 and other 4xx).
    #[error("{0}")]
    Rejected(String),
    /// Refused for good, because of the destination (403, 404): the bot should not go on.
    #[error("{0}")]
    Forbidden(String),
    /// Nothing was sent, because something that the post needs could not be had (an attachment, its destination's
    /// settings). May pass, and says nothing of the platform.
    #[error("{0}")]
    Unprepared(String),
    /// The token is not accepted (401).
    #[error("{0}")]
    Unauthorized(String),
}

impl PostFailure {
    /// The same failure in other words.
    #[must_use]
    pub(crate) fn map(self, say: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::RateLimited(wait) => Self::RateLimited(wait),
            Self::Transient(text) => Self::Transient(say(text)),
            Self::TimedOut(text) => Self::TimedOut(say(text)),
            Self::Rejected(text) => Self::Rejected(say(text)),
            Self::Forbidden(text) => Self::Forbidden(say(text)),
            Self::Unprepared(text) => Self::Unprepared(say(text)),
            Self::Unauthorized(text) => Self::Unauthorized(say(text)),
        }
    }
}
