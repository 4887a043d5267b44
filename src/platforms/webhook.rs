//! Posts to anybody who takes JSON: one signed request a post, as Standard Webhooks says (headers `webhook-id`,
//! `webhook-timestamp`, `webhook-signature`; HMAC-SHA256).
//!
//! The id is the post's nonce in every attempt, and stands in `Idempotency-Key`, too: a post may come again when its answer
//! was lost, and the receiver can tell. The time in the header is that of the attempt, because receivers refuse old ones; the
//! body is the same in all of them. URL and secret are in nothing that anybody sees.

use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use chrono::SecondsFormat;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook as Signer,
};

use super::{
    ContentPoster, PostFailure, Receipt,
    named::{unknown, unsent},
    ops::{address, webhook::signer},
};
use crate::{
    clock::Clock,
    domain::{post::Post, text::bounded},
    outbound::{Bounds, Incoming, Outbound, Outgoing, retry_after},
};

/// What an answer may take.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(30),
    bytes: 64 * 1024,
    redirects: 0,
};

/// The wait when a 429 names none.
const UNNAMED_WAIT: Duration = Duration::from_secs(1);

/// The longest quotation of the receiver's own words, in characters.
const LONGEST_QUOTE: usize = 200;

/// One receiver.
#[derive(Clone, Debug)]
pub struct SignedWebhook {
    /// Its name in the configuration, which is what posts know.
    pub name: String,
    /// `https://…` or `http://…`.
    pub url: SecretString,
    /// `whsec_` and base64 of at least 24 bytes, or a text of at least 32 bytes.
    pub secret: SecretString,
}

/// The receivers, by name.
pub struct SignedWebhooks {
    outbound: Outbound,
    hooks: HashMap<String, Hook>,
    clock: Clock,
}

struct Hook {
    url: Url,
    signer: Signer,
    /// What no error may show.
    secrets: Vec<SecretString>,
}

impl SignedWebhooks {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with a URL or a secret; it is not shown.
    pub fn new(
        hooks: impl IntoIterator<Item = SignedWebhook>,
        outbound: Outbound,
    ) -> Result<Self, String> {
        let hook = |one: SignedWebhook| Ok((one.name.clone(), Hook::new(&one)?));
        Ok(Self {
            outbound,
            hooks: hooks.into_iter().map(hook).collect::<Result<_, String>>()?,
            clock: Clock::process(),
        })
    }
}

impl Hook {
    fn new(one: &SignedWebhook) -> Result<Self, String> {
        let what = format!("the URL of the webhook `{}`", one.name);
        let url = address::parse(&what, one.url.expose_secret())?;
        let mut secrets = address::secrets(&url);
        secrets.push(one.secret.clone());
        let signer = signer(one.secret.expose_secret());
        Ok(Self {
            url,
            signer: signer.map_err(|error| format!("`{}`: {error}", one.name))?,
            secrets,
        })
    }

    /// # Errors
    /// It cannot be signed, for a reason that will not pass.
    fn request(&self, post: &Post, now: i64) -> Result<Outgoing, String> {
        let body = body(post)?;
        let signature = self.signer.sign(&post.nonce, now, &body);
        let signature = signature.map_err(|error| format!("the post cannot be signed: {error}"))?;
        let mut request = Outgoing::new(Method::POST, self.url.clone());
        for (name, value) in [
            (CONTENT_TYPE.as_str(), "application/json"),
            (HEADER_WEBHOOK_ID, &post.nonce),
            (HEADER_WEBHOOK_TIMESTAMP, &now.to_string()),
            (HEADER_WEBHOOK_SIGNATURE, &signature),
            ("idempotency-key", &post.nonce),
        ] {
            let value = HeaderValue::try_from(value)
                .map_err(|_| format!("the header `{name}` cannot be written"))?;
            request = request.header(HeaderName::from_static(name), value);
        }
        let bounds = BOUNDS;
        Ok(Outgoing {
            body,
            bounds,
            ..request
        })
    }

    fn redacted(&self, failure: PostFailure) -> PostFailure {
        failure.map(|text| address::redacted(text, &self.secrets))
    }
}

/// The body. Fields may be added to it, none is ever taken away or renamed.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: &'a str,
    bot: &'a str,
    execution_id: i64,
    position: i32,
    text: &'a str,
    options: &'a Value,
}

fn body(post: &Post) -> Result<Vec<u8>, String> {
    let at = post.created_at;
    let body = Body {
        kind: "post",
        timestamp: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        data: Data {
            id: &post.nonce,
            bot: post.bot.as_str(),
            execution_id: post.execution.0,
            position: post.position,
            text: &post.message.body,
            options: &post.message.options,
        },
    };
    serde_json::to_vec(&body).map_err(|error| format!("the post cannot be written: {error}"))
}

impl SignedWebhooks {
    /// 2xx: taken. 401, 403, 404 and 410: the receiver wants none of this bot. 429, and 503 with a time: later. 408, 425,
    /// redirects and 5xx may pass. Any other 4xx: this post.
    fn verdict(&self, name: &str, answer: &Incoming) -> Result<Receipt, PostFailure> {
        let said = String::from_utf8_lossy(&answer.body);
        let wait = retry_after::wait(&answer.headers, &said, self.clock.now());
        let status = answer.status.as_u16();
        let text = format!(
            "the webhook `{name}` answered {status}{}",
            quote(answer, &said)
        );
        Err(match (status, wait) {
            (200..=299, _) => return Ok(Receipt { message_id: None }),
            (429, wait) => PostFailure::RateLimited(wait.unwrap_or(UNNAMED_WAIT)),
            (503, Some(wait)) => PostFailure::RateLimited(wait),
            (401 | 403 | 404 | 410, _) => PostFailure::Forbidden(text),
            (300..=399, _) => PostFailure::Transient(format!(
                "{text}; redirects are not followed: is its `url` right?"
            )),
            (400..=499, _) if !matches!(status, 408 | 425) => PostFailure::Rejected(text),
            _ => PostFailure::Transient(text),
        })
    }
}

/// A page for people says nothing that fits into a line.
fn quote(answer: &Incoming, said: &str) -> String {
    let kind = answer.headers.get(CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    match said.trim() {
        said if said.is_empty() || is_page => String::new(),
        said => format!(": {}", bounded(said, LONGEST_QUOTE)),
    }
}

impl fmt::Debug for SignedWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.hooks.keys()).finish()
    }
}

#[async_trait]
impl ContentPoster for SignedWebhooks {
    fn platform(&self) -> &'static str {
        "webhook"
    }

    /// Receivers have nothing but the protocol in common.
    fn is_one_downstream(&self) -> bool {
        false
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let name = post.destination.as_str();
        let hook = self.hooks.get(name).ok_or_else(|| unknown(name))?;
        let request = hook.request(post, self.clock.now().timestamp());
        let request = request.map_err(PostFailure::Rejected)?;
        let answer = self.outbound.send(request).await;
        let receipt = answer
            .map_err(unsent)
            .and_then(|answer| self.verdict(name, &answer));
        receipt.map_err(|failure| hook.redacted(failure))
    }
}
