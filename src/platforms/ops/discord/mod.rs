//! A Discord channel for the people who run the server: through a webhook of that channel, or as the bot.
//!
//! As the bot a notice arrives once, because Discord enforces the nonce that is made from its id; webhooks take none, so
//! that a notice whose answer was lost may stand there twice.

mod embed;
mod markdown;

use std::num::NonZeroU64;

use async_trait::async_trait;
use reqwest::{
    RequestBuilder, Url,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{NotDelivered, OpsChannel, address, names, outlet::Outlet};
use crate::{clock::Clock, domain::alert::Notice};

/// Discord's rule for API clients: `DiscordBot (url, version)`.
const USER_AGENT: &str = concat!(
    "DiscordBot (https://crates.io/crates/actor-server, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// A webhook's URL, or a channel with a bot's token; never both.
#[derive(Clone, Debug)]
pub struct DiscordOpsOptions {
    /// `https://discord.com/api/webhooks/ID/TOKEN`, with `?thread_id=…` if it is to be a thread.
    pub webhook_url: Option<SecretString>,
    /// The channel, for a bot.
    pub channel_id: Option<u64>,
    /// The origin of the REST API, for a bot: `https://discord.com`, a proxy, or a test server.
    pub api_url: String,
    /// The bot token, without the `Bot ` prefix.
    pub token: Option<SecretString>,
}

/// One channel.
pub struct DiscordOps {
    outlet: Outlet,
    url: Url,
    /// The bot's; a webhook's URL is all that it takes.
    credentials: Option<HeaderValue>,
    /// What no error may show.
    secrets: Vec<SecretString>,
    clock: Clock,
}

impl DiscordOps {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the options, and what would be right.
    pub fn new(options: DiscordOpsOptions) -> Result<Self, String> {
        let way = match (&options.webhook_url, options.channel_id) {
            (Some(url), None) => through_webhook(url)?,
            (None, Some(channel)) => as_bot(&options, channel)?,
            _ => {
                return Err(
                    "alerts go to Discord through a webhook's URL or as the bot to a \
                     channel; give one of the two"
                        .into(),
                );
            }
        };
        Ok(Self {
            outlet: Outlet::new(USER_AGENT, 0)?,
            url: way.url,
            credentials: way.credentials,
            secrets: way.secrets,
            clock: Clock::process(),
        })
    }

    fn request(&self, notice: &Notice) -> RequestBuilder {
        let request = self.outlet.post(self.url.clone());
        match &self.credentials {
            Some(bot) => request
                .header(AUTHORIZATION, bot.clone())
                .json(&with_nonce(message(notice), &notice.id)),
            None => request.json(&message(notice)),
        }
    }
}

/// How a channel is reached.
struct Way {
    url: Url,
    credentials: Option<HeaderValue>,
    secrets: Vec<SecretString>,
}

/// `wait=true`: the answer comes when the message is stored, and says so if it is not.
fn through_webhook(url: &SecretString) -> Result<Way, String> {
    let mut url = address::parse("the Discord webhook's URL", url.expose_secret())?;
    let secrets = address::secrets(&url);
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "wait")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("wait", "true");
    Ok(Way {
        url,
        credentials: None,
        secrets,
    })
}

fn as_bot(options: &DiscordOpsOptions, channel: u64) -> Result<Way, String> {
    let channel = NonZeroU64::new(channel).ok_or(
        "0 is no channel of Discord; a channel's id is a decimal number such as 1234567890",
    )?;
    let token = options.token.as_ref();
    let token = token.filter(|token| !token.expose_secret().trim().is_empty());
    let token = token.ok_or(
        "alerts to a Discord channel need the bot's token; set DISCORD_TOKEN, or use a webhook's URL",
    )?;
    let mut credentials = HeaderValue::try_from(format!("Bot {}", token.expose_secret().trim()))
        .map_err(|_| "the Discord token contains characters that no header may carry")?;
    credentials.set_sensitive(true);
    let origin = address::parse("Discord's API URL", &options.api_url)?;
    if origin.path() != "/" || origin.query().is_some() {
        return Err("Discord's API URL is no origin; write it like https://discord.com".into());
    }
    Ok(Way {
        url: address::below(&origin, &format!("/api/v10/channels/{channel}/messages")),
        credentials: Some(credentials),
        secrets: vec![token.clone()],
    })
}

/// Nobody is mentioned, whatever the texts say.
fn message(notice: &Notice) -> Value {
    json!({
        "embeds": [embed::of(notice)],
        "allowed_mentions": { "parse": [] },
    })
}

fn with_nonce(mut message: Value, id: &str) -> Value {
    if let Value::Object(fields) = &mut message {
        fields.insert("nonce".into(), names::nonce(id).into());
        fields.insert("enforce_nonce".into(), true.into());
    }
    message
}

#[async_trait]
impl OpsChannel for DiscordOps {
    fn name(&self) -> &'static str {
        "discord"
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered> {
        let answer = Outlet::send(self.request(notice)).await?;
        answer.verdict(&self.clock, &self.secrets).await
    }
}
