//! Posts to Discord: to channels through the bot API (v10), and to webhooks; one request a post.
//!
//! The request is ours, the payload is made by serenity's builders: its own client would wait out rate limits inside
//! the call and hide the headers of a 429. This one never retries: it says what the platform
//! answered, and while a limit that it has heard of lasts it refuses by itself. What it does wait for is its turn among
//! the 50 requests a second that a token has. Neither the token nor a webhook's URL is in any error or `Debug` output.

mod answer;
mod embeds;
mod limits;
mod options;
mod pace;
mod payload;
mod reading;
mod spans;
mod webhooks;
mod wire;

use std::{fmt, num::NonZeroU64, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use self::{
    answer::Asked,
    limits::{Major, Place, Route},
    payload::{Payload, Sender},
    wire::{Question, Wire},
};
pub use self::{options::DiscordOptions, webhooks::DiscordWebhooks};
use super::{ContentPoster, Found, PostFailure, Receipt};
use crate::{domain::post::Post, outbound::Outbound};

/// One token's client. Everything that posts with the token must share it, because the limits are the token's.
pub struct Discord {
    wire: Wire,
    token: SecretString,
    nonce_window: Duration,
    outbound: Outbound,
    /// The bot's own id, once it was asked for.
    me: OnceCell<String>,
}

impl Discord {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the options, and what would be right.
    pub fn new(options: DiscordOptions) -> Result<Self, String> {
        Ok(Self {
            wire: Wire::new(&options)?,
            token: options.token,
            nonce_window: options.nonce_window,
            outbound: options.outbound,
            me: OnceCell::new(),
        })
    }
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord")
            .field("origin", &self.wire.origin.as_str())
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

    fn remembers(&self) -> Option<Duration> {
        Some(self.nonce_window)
    }

    async fn find(&self, post: &Post, known: &[String]) -> Result<Found, PostFailure> {
        let channel = channel(&post.destination)?;
        let found = self.look_back(channel, post, known).await;
        found.map_err(|failure| self.wire.redacted(failure))
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let channel = channel(&post.destination)?;
        let payload = Payload::of(post, Sender::Bot).map_err(PostFailure::Rejected)?;
        let place = Place {
            route: Route::Create,
            major: Major::Channel(channel),
        };
        self.wire.check(&place)?;
        let answer = self.wire.ask(Question {
            place,
            path: format!("/api/v10/channels/{channel}/messages"),
            query: Vec::new(),
            body: Some(payload.whole(&self.outbound).await?),
        });
        let receipt = answer.await?.verdict(Asked::Channel(channel));
        receipt.map_err(|failure| self.wire.redacted(failure))
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
