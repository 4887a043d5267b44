//! What Discord's answer means, mostly to a new message.
//!
//! 2xx: it has the message. 429: wait. 401: the token. 403 and 404: the channel. Any other 4xx: this message.
//! All else may pass, and the nonce tells whether the message had arrived.

use std::{fmt, num::NonZeroU64, time::Duration};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    domain::text::bounded,
    platforms::{PostFailure, Receipt},
};

/// The longest quotation of Discord's own words.
const MAX_QUOTE: usize = 300;

/// The longest name of a bucket; Discord's have 32.
const MAX_BUCKET: usize = 64;

/// Waits outside these bounds are a mistake of somebody's; a ban at Discord's edge lasts about an hour.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(3600));

/// The wait when a 429 names none.
const UNNAMED_WAIT: f64 = 1.0;

/// A whole answer.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// The body, or null when it is no JSON.
    body: Value,
}

/// A wait that an answer asks for, and of whom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    /// Of every request with this token.
    Everywhere(Duration),
    /// Of requests of the same bucket.
    Bucket(Duration),
}

/// Who is asked, for texts and for whose fault a refusal is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// The bot API, about a channel.
    Channel(NonZeroU64),
    /// A webhook, by its name here. Whoever knows its URL may post, so that a refusal is about the webhook alone.
    Webhook(&'a str),
}

impl Asked<'_> {
    fn address(self) -> &'static str {
        match self {
            Self::Channel(_) => "`discord.api_url`",
            Self::Webhook(_) => "the webhook's `url`",
        }
    }
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(channel) => write!(f, "channel {channel}"),
            Self::Webhook(name) => write!(f, "the webhook `{name}`"),
        }
    }
}

impl Answer {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Self {
            status,
            headers,
            body,
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn body(&self) -> &Value {
        &self.body
    }

    /// The name of the bucket that it was counted in.
    pub(super) fn bucket(&self) -> Option<&str> {
        self.header("x-ratelimit-bucket")
            .filter(|name| !name.is_empty() && name.len() <= MAX_BUCKET)
    }

    /// Whether it is others, too, who have spent the limit.
    pub(super) fn is_shared(&self) -> bool {
        self.header("x-ratelimit-scope") == Some("shared")
    }

    /// The receipt of a new message, or why there is none.
    pub(super) fn verdict(&self, asked: Asked<'_>) -> Result<Receipt, PostFailure> {
        self.success(asked)?;
        self.receipt()
    }

    /// Whether it is what was asked for, or why it is not.
    pub(super) fn success(&self, asked: Asked<'_>) -> Result<(), PostFailure> {
        let says = || self.quote();
        Err(match (self.status.as_u16(), asked) {
            (200..=299, _) => return Ok(()),
            (429, _) => PostFailure::RateLimited(self.asked_wait()),
            (401, Asked::Channel(_)) => PostFailure::Unauthorized(format!(
                "Discord does not accept the token (401){}",
                says()
            )),
            (status @ (401 | 403 | 404), _) => {
                PostFailure::Forbidden(format!("Discord refuses {asked} ({status}){}", says()))
            }
            (status @ (300..=399 | 408), _) => PostFailure::Transient(format!(
                "Discord answered {status}; is {} right?",
                asked.address()
            )),
            (status @ 400..=499, _) => {
                PostFailure::Rejected(format!("Discord rejects the message ({status}){}", says()))
            }
            (status, _) => PostFailure::Transient(format!("Discord answered {status}{}", says())),
        })
    }

    /// What later requests have to wait for.
    pub(super) fn limit(&self) -> Option<Limit> {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let wait = self.asked_wait();
            return Some(if self.is_global() {
                Limit::Everywhere(wait)
            } else {
                Limit::Bucket(wait)
            });
        }
        let spent = self.header("x-ratelimit-remaining") == Some("0");
        let reset = self.seconds("x-ratelimit-reset-after")?;
        (spent && reset > 0.0).then(|| Limit::Bucket(duration(reset)))
    }

    fn receipt(&self) -> Result<Receipt, PostFailure> {
        match self.body.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() && id.len() <= 20 => Ok(Receipt {
                message_id: Some(id.to_owned()),
            }),
            _ => Err(PostFailure::Transient(format!(
                "Discord answered {} without a message id",
                self.status.as_u16()
            ))),
        }
    }

    fn is_global(&self) -> bool {
        self.header("x-ratelimit-global")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || self.header("x-ratelimit-scope") == Some("global")
            || self.body.get("global") == Some(&Value::Bool(true))
    }

    pub(super) fn asked_wait(&self) -> Duration {
        let named = self
            .seconds("retry-after")
            .or_else(|| self.body.get("retry_after").and_then(Value::as_f64))
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        duration(named.unwrap_or(UNNAMED_WAIT))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        let seconds: f64 = self.header(name)?.parse().ok()?;
        (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
    }

    /// `: message (code 50013)`, or nothing when the body is not Discord's.
    fn quote(&self) -> String {
        let Some(message) = self.body.get("message").and_then(Value::as_str) else {
            return String::new();
        };
        let mut quote = format!(": {}", bounded(message, MAX_QUOTE));
        if let Some(code) = self.body.get("code").and_then(Value::as_i64) {
            quote.push_str(&format!(" (code {code})"));
        }
        if let Some(errors) = self.body.get("errors") {
            quote.push_str(&format!(": {}", bounded(&errors.to_string(), MAX_QUOTE)));
        }
        quote
    }
}

fn duration(seconds: f64) -> Duration {
    let (shortest, longest) = WAITS;
    Duration::from_secs_f64(seconds.min(longest.as_secs_f64())).max(shortest)
}
