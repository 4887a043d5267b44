//! Posts to Discord's webhooks: no bot and no token, the URL is all that it takes, so it is shown to nobody.
//!
//! Discord enforces no nonce there: a post whose answer was lost may arrive twice. Each webhook has limits of its own.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    answer::{Answer, Asked},
    limits::{Limits, Major, Place, Route},
    payload::{Payload, Sender},
    spans,
};
use crate::{
    domain::post::Post,
    outbound::{Bounds, Outbound, Outgoing},
    platforms::{
        ContentPoster, PostFailure, Receipt,
        named::{unknown, unsent},
        ops::address,
    },
};

/// The longest wait for a whole answer.
const TIME: Duration = Duration::from_secs(30);

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Discord's webhooks, by their names in the configuration.
pub struct DiscordWebhooks {
    outbound: Outbound,
    hooks: HashMap<String, Hook>,
    limits: Limits,
}

struct Hook {
    url: Url,
    /// What no error may show.
    secrets: Vec<SecretString>,
}

impl DiscordWebhooks {
    /// Names and URLs; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with a URL; it is not shown.
    pub fn new(
        hooks: impl IntoIterator<Item = (String, SecretString)>,
        outbound: Outbound,
    ) -> Result<Self, String> {
        let hook = |(name, url): (String, SecretString)| {
            let hook = Hook::new(&name, url.expose_secret())?;
            Ok((name, hook))
        };
        Ok(Self {
            outbound,
            hooks: hooks.into_iter().map(hook).collect::<Result<_, String>>()?,
            limits: Limits::default(),
        })
    }
}

impl Hook {
    /// `wait=true`: the answer comes when the message is stored, with its id, and says so if it is not.
    fn new(name: &str, url: &str) -> Result<Self, String> {
        let mut url = address::parse(&format!("the URL of the webhook `{name}`"), url)?;
        let secrets = address::secrets(&url);
        let pairs = url.query_pairs().filter(|(key, _)| key != "wait");
        let others: Vec<(String, String)> = pairs
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("wait", "true");
        Ok(Self { url, secrets })
    }

    fn request(&self, nonce: &str, (kind, body): (String, Vec<u8>)) -> Result<Outgoing, String> {
        let fit = |text: &str| {
            HeaderValue::try_from(text).map_err(|_| format!("`{text}` fits into no header"))
        };
        let request = Outgoing::new(Method::POST, self.url.clone())
            .header(CONTENT_TYPE, fit(&kind)?)
            .header(HeaderName::from_static("idempotency-key"), fit(nonce)?);
        Ok(Outgoing {
            body,
            bounds: Bounds {
                time: TIME,
                bytes: MAX_ANSWER_BYTES,
                redirects: 0,
            },
            ..request
        })
    }

    fn redacted(&self, failure: PostFailure) -> PostFailure {
        failure.map(|text| address::redacted(text, &self.secrets))
    }
}

impl DiscordWebhooks {
    async fn send(&self, hook: &Hook, request: Outgoing) -> Result<Answer, PostFailure> {
        let mut shown = hook.url.clone();
        shown.set_path("/api/webhooks/***");
        shown.set_query(None);
        let span = spans::begin(&Method::POST, Route::Webhook, &shown);
        let answer = self.outbound.send(request).await;
        let answer = answer
            .map(|answer| Answer::new(answer.status, answer.headers, answer.body))
            .map_err(unsent);
        spans::end(&span, &answer);
        answer
    }
}

impl fmt::Debug for DiscordWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.hooks.keys()).finish()
    }
}

#[async_trait]
impl ContentPoster for DiscordWebhooks {
    fn platform(&self) -> &'static str {
        "discord_webhook"
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let name = post.destination.as_str();
        let hook = self.hooks.get(name).ok_or_else(|| unknown(name))?;
        let payload = Payload::of(post, Sender::Webhook).map_err(PostFailure::Rejected)?;
        let place = Place {
            route: Route::Webhook,
            major: Major::Webhook(Arc::from(name)),
        };
        if let Some(wait) = self.limits.wait(&place) {
            return Err(PostFailure::RateLimited(wait));
        }
        let body = payload.whole(&self.outbound).await?;
        let request = hook.request(&post.nonce, body);
        let answer = self
            .send(hook, request.map_err(PostFailure::Rejected)?)
            .await
            .map_err(|failure| hook.redacted(failure))?;
        self.limits.hear(&place, &answer);
        let receipt = answer.verdict(Asked::Webhook(name));
        receipt.map_err(|failure| hook.redacted(failure))
    }
}
