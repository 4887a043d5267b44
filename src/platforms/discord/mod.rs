//! Posts to Discord channels through the bot API (v10), one request a post.
//!
//! The request is ours, the payload is made by serenity's builders: its own client would wait out rate limits inside
//! the call and hide the headers of a 429. This one never waits and never retries: it says what the platform
//! answered, and while a limit that it has heard of lasts it refuses by itself. The token
//! is in no error and no `Debug` output.

mod answer;
mod limits;
mod options;
mod payload;
mod spans;

use std::{fmt, num::NonZeroU64, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub use self::options::DiscordOptions;
use self::{
    answer::Answer,
    limits::Limits,
    options::{client, origin},
};
use super::{ContentPoster, PostFailure, Receipt};
use crate::domain::post::Post;

/// The longest answer that is read. A message with all its embeds is far below.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// One token's client. Everything that posts with the token must share it, because the limits are the token's.
pub struct Discord {
    client: Client,
    /// The origin, with `/` as its path.
    origin: Url,
    token: SecretString,
    timeout: Duration,
    limits: Limits,
}

impl Discord {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the options, and what would be right.
    pub fn new(options: DiscordOptions) -> Result<Self, String> {
        let origin = origin(&options.api_url)?;
        let client = client(&options, &origin)?
            .build()
            .map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self {
            client,
            origin,
            token: options.token,
            timeout: options.timeout,
            limits: Limits::default(),
        })
    }

    async fn send(&self, channel: NonZeroU64, body: Vec<u8>) -> Result<Answer, PostFailure> {
        let mut url = self.origin.clone();
        url.set_path(&format!("/api/v10/channels/{channel}/messages"));
        let span = spans::begin(&url);
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        let answer = self.answered(spans::told(request, &span)).await;
        let answer = answer.map_err(|failure| self.redacted(failure));
        spans::end(&span, &answer);
        answer
    }

    async fn answered(&self, request: RequestBuilder) -> Result<Answer, PostFailure> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read(response).await {
            Ok(body) => body,
            // The status says enough, but for a success, which needs the message's id.
            Err(_) if !status.is_success() => Vec::new(),
            Err(why) => return Err(self.unread(why)),
        };
        Ok(Answer::new(status, headers, body))
    }

    fn unreached(&self, error: reqwest::Error) -> PostFailure {
        let origin = self.origin.origin().ascii_serialization();
        if error.is_timeout() && !error.is_connect() {
            let waited = self.timeout;
            return PostFailure::TimedOut(format!("{origin} did not answer within {waited:?}"));
        }
        PostFailure::Transient(if error.is_connect() {
            format!("cannot connect to {origin}: {}", innermost(&error))
        } else {
            format!("the connection to {origin} was lost: {}", innermost(&error))
        })
    }

    fn unread(&self, why: Unread) -> PostFailure {
        PostFailure::Transient(match why {
            Unread::TooLong => format!("Discord's answer is longer than {MAX_ANSWER_BYTES} bytes"),
            Unread::Cut(error) if error.is_timeout() => {
                let waited = self.timeout;
                let text = format!("Discord's answer did not end within {waited:?}");
                return PostFailure::TimedOut(text);
            }
            Unread::Cut(error) => format!("Discord's answer was cut: {}", innermost(&error)),
        })
    }

    /// An answer may quote anything; the token is taken out of what is shown.
    fn redacted(&self, failure: PostFailure) -> PostFailure {
        let clean = |text: String| {
            let token = self.token.expose_secret();
            if token.is_empty() {
                text
            } else {
                text.replace(token, "***")
            }
        };
        match failure {
            PostFailure::RateLimited(wait) => PostFailure::RateLimited(wait),
            PostFailure::Transient(text) => PostFailure::Transient(clean(text)),
            PostFailure::TimedOut(text) => PostFailure::TimedOut(clean(text)),
            PostFailure::Rejected(text) => PostFailure::Rejected(clean(text)),
            PostFailure::Forbidden(text) => PostFailure::Forbidden(clean(text)),
            PostFailure::Unauthorized(text) => PostFailure::Unauthorized(clean(text)),
        }
    }
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord")
            .field("origin", &self.origin.as_str())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ContentPoster for Discord {
    fn platform(&self) -> &'static str {
        "discord"
    }

    /// The start of a hash: nobody gets from it to the token.
    fn credential(&self) -> Option<String> {
        let digest = Sha256::digest(self.token.expose_secret());
        let bytes = digest.iter().take(8);
        Some(bytes.map(|byte| format!("{byte:02x}")).collect())
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let channel = channel(&post.destination)?;
        let body = payload::of(post).map_err(PostFailure::Rejected)?;
        if let Some(wait) = self.limits.wait(channel) {
            return Err(PostFailure::RateLimited(wait));
        }
        let answer = self.send(channel, body).await?;
        self.limits.hear(channel, &answer);
        answer
            .verdict(channel)
            .map_err(|failure| self.redacted(failure))
    }
}

fn channel(destination: &str) -> Result<NonZeroU64, PostFailure> {
    destination.parse().map_err(|_| {
        PostFailure::Forbidden(format!(
            "`{}` is no channel id; a Discord channel is a decimal number",
            destination.escape_debug()
        ))
    })
}

enum Unread {
    TooLong,
    Cut(reqwest::Error),
}

async fn read(mut response: Response) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Cut)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause at the bottom, which says more than the layers above it, and no address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
