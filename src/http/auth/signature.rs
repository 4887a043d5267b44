//! Signatures of events by the Standard Webhooks specification: HMAC-SHA256 over id, time and the exact bytes of the body.
//!
//! The time is judged here, by the server's own clock; nothing else of a request is trusted before its signature is
//! found good. A repetition inside the window carries the same id, which is also what it is recognised by.

use std::{str, sync::Arc};

use actix_web::http::{StatusCode, header::HeaderMap};
use arc_swap::ArcSwapOption;
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use subtle::ConstantTimeEq;

use crate::{domain::Instant, http::error::Problem};

/// How far the time of a signature may be away, in seconds, in either direction (Standard Webhooks).
const TOLERANCE: u64 = 300;
/// A sender that changes its secret signs with both: more signatures than this are not looked at.
const MOST_SIGNATURES: usize = 8;
/// The longest id, in characters.
const LONGEST_ID: usize = 255;
/// What a secret in base64 begins with.
const PREFIX: &str = "whsec_";
/// The shortest key (Standard Webhooks), in bytes.
const SHORTEST_KEY: usize = 24;

const HEADERS: [&str; 3] = [
    HEADER_WEBHOOK_ID,
    HEADER_WEBHOOK_TIMESTAMP,
    HEADER_WEBHOOK_SIGNATURE,
];

/// Why an event's signature is refused. Nothing here says what the right one would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Neither a token nor a signature.
    #[error(
        "a token is needed, or a signature in webhook-id, webhook-timestamp and webhook-signature"
    )]
    Missing,
    /// One of the headers is missing, there twice, or no text.
    #[error("the header `{0}` must be there once, as text")]
    Header(&'static str),
    /// The id cannot be kept.
    #[error("webhook-id must be 1 to {LONGEST_ID} visible ASCII characters")]
    Id,
    /// The time is no number.
    #[error("webhook-timestamp must be seconds since 1970, in digits")]
    Timestamp,
    /// The time is too far away.
    #[error("webhook-timestamp is more than {TOLERANCE} s away from this server's time")]
    OutsideWindow,
    /// No signature is right.
    #[error("no signature in webhook-signature is right for this id, time and body")]
    Wrong,
    /// No secret is configured.
    #[error(
        "signatures are not accepted here, because no events_secret is configured; use a token"
    )]
    NoSecret,
}

impl From<Unsigned> for Problem {
    fn from(unsigned: Unsigned) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, unsigned.to_string()).with_header(
            "www-authenticate",
            r#"Bearer realm="actor-server", StandardWebhooks realm="actor-server""#,
        )
    }
}

/// Knows the secret of events; clones share it, so that a reload reaches every listener. Without one, no signature is
/// good.
#[derive(Clone, Default)]
pub struct Signatures(Arc<ArcSwapOption<Webhook>>);

impl Signatures {
    /// One that knows this secret.
    ///
    /// # Errors
    /// See [`Signatures::replace`].
    pub fn new(secret: Option<&SecretString>) -> Result<Self, String> {
        let signatures = Self::default();
        signatures.replace(secret)?;
        Ok(signatures)
    }

    /// From now on this secret counts: base64 behind `whsec_`, or else the bytes of the text as they are.
    ///
    /// # Errors
    /// It cannot be read, or is too short; the one before stays.
    pub fn replace(&self, secret: Option<&SecretString>) -> Result<(), String> {
        let key = secret
            .map(|secret| key(secret.expose_secret()))
            .transpose()?;
        self.0.store(key.map(Arc::new));
        Ok(())
    }

    /// Whether there is a secret.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.0.load().is_some()
    }

    /// Whether a request claims to be signed.
    #[must_use]
    pub fn are_in(headers: &HeaderMap) -> bool {
        HEADERS.iter().any(|name| headers.contains_key(*name))
    }

    /// The id of a message that is signed with the secret at about `now`.
    ///
    /// # Errors
    /// See [`Unsigned`].
    pub fn check(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Instant,
    ) -> Result<String, Unsigned> {
        let webhook = self.0.load_full().ok_or(Unsigned::NoSecret)?;
        let message = Message::of(headers)?;
        if message.at.abs_diff(now.timestamp()) > TOLERANCE {
            return Err(Unsigned::OutsideWindow);
        }
        let right = webhook.sign(message.id, message.at, body);
        let right = right.map_err(|_| Unsigned::Wrong)?;
        match message.is_signed(&right) {
            true => Ok(message.id.to_owned()),
            false => Err(Unsigned::Wrong),
        }
    }
}

fn key(secret: &str) -> Result<Webhook, String> {
    let wrong = || {
        format!(
            "events_secret begins with {PREFIX}, so base64 of at least {SHORTEST_KEY} bytes must follow"
        )
    };
    let webhook = match secret.strip_prefix(PREFIX) {
        Some(text) if text.len() < SHORTEST_KEY / 3 * 4 => return Err(wrong()),
        Some(_) => Webhook::new(secret),
        None => Webhook::from_bytes(secret.as_bytes().to_vec()),
    };
    webhook.map_err(|_| wrong())
}

/// What the headers say.
struct Message<'a> {
    id: &'a str,
    at: i64,
    signatures: &'a str,
}

impl<'a> Message<'a> {
    fn of(headers: &'a HeaderMap) -> Result<Self, Unsigned> {
        let [id, at, signatures] = HEADERS.map(|name| only(headers, name));
        let (id, at) = (id?, at?);
        if !is_key(id) {
            return Err(Unsigned::Id);
        }
        // What was signed is the text: only one text stands for a number.
        let number = at
            .parse()
            .ok()
            .filter(|number: &i64| number.to_string() == at);
        Ok(Self {
            id,
            at: number.ok_or(Unsigned::Timestamp)?,
            signatures: signatures?,
        })
    }

    /// Whether one of the signatures is the right one. Those of other versions are none.
    fn is_signed(&self, right: &str) -> bool {
        let given = self.signatures.split(' ').take(MOST_SIGNATURES);
        given.fold(false, |found, one| {
            found | bool::from(one.as_bytes().ct_eq(right.as_bytes()))
        })
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Unsigned> {
    let mut values = headers.get_all(name);
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(text)), None) => Ok(text),
        _ => Err(Unsigned::Header(name)),
    }
}

/// Whether a repetition can be recognised by it: 1 to 255 visible ASCII characters.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
