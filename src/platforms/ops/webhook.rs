//! Any receiver that takes JSON: one signed POST a notice, as Standard Webhooks says (headers `webhook-id`,
//! `webhook-timestamp`, `webhook-signature`; HMAC-SHA256).
//!
//! The id is the notice's in every attempt, and stands in `Idempotency-Key`, too; the time is that of the attempt, because
//! receivers refuse old ones.

use async_trait::async_trait;
use chrono::SecondsFormat;
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook as Signer,
};

use super::{NotDelivered, OpsChannel, address, names, outlet::Outlet, text};
use crate::{
    clock::Clock,
    domain::{
        Instant,
        alert::{AlertKind, Notice, Stage},
    },
};

const USER_AGENT: &str = concat!("actor-server/", env!("CARGO_PKG_VERSION"));
/// What a secret in base64 begins with.
const PREFIX: &str = "whsec_";
/// The shortest key behind the prefix, in bytes (Standard Webhooks), and the shortest text without one.
const SHORTEST: (usize, usize) = (24, 32);
/// The longest texts, in UTF-16 units.
const TITLE: usize = 500;
const DETAIL: usize = 10_000;
/// Headers that are set here, or that are the connection's.
const OURS: [&str; 10] = [
    HEADER_WEBHOOK_ID,
    HEADER_WEBHOOK_TIMESTAMP,
    HEADER_WEBHOOK_SIGNATURE,
    "idempotency-key",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "host",
    "user-agent",
];

/// Where to send, and how to sign.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// `https://…` or `http://…`.
    pub url: String,
    /// `whsec_` and base64 of at least 24 bytes, or a text of at least 32 bytes.
    pub secret: SecretString,
    /// Further headers, such as an `Authorization`.
    pub headers: Vec<(String, SecretString)>,
}

/// One receiver.
pub struct Webhook {
    outlet: Outlet,
    url: Url,
    signer: Signer,
    headers: HeaderMap,
    /// What no error may show.
    secrets: Vec<SecretString>,
    clock: Clock,
}

impl Webhook {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the options, and what would be right.
    pub fn new(options: WebhookOptions) -> Result<Self, String> {
        let url = address::parse("the webhook's URL", &options.url)?;
        let mut secrets = address::secrets(&url);
        secrets.push(options.secret.clone());
        secrets.extend(options.headers.iter().map(|(_, value)| value.clone()));
        Ok(Self {
            outlet: Outlet::new(USER_AGENT, 0)?,
            signer: signer(options.secret.expose_secret())?,
            headers: headers(&options.headers)?,
            url,
            secrets,
            clock: Clock::process(),
        })
    }
}

pub(in crate::platforms) fn signer(secret: &str) -> Result<Signer, String> {
    let (key, text) = SHORTEST;
    let wrong = || {
        format!(
            "the webhook's secret is no good; it must be {PREFIX} and base64 of at least {key} bytes, \
             or a text of at least {text} bytes"
        )
    };
    let signer = match secret.strip_prefix(PREFIX) {
        Some(encoded) if encoded.trim_end_matches('=').len() < key / 3 * 4 => return Err(wrong()),
        Some(_) => Signer::new(secret),
        None if secret.len() < text => return Err(wrong()),
        None => Signer::from_bytes(secret.as_bytes().to_vec()),
    };
    signer.map_err(|_| wrong())
}

fn headers(given: &[(String, SecretString)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let shown = name.escape_debug();
        if OURS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!(
                "the header `{shown}` is the sender's own; leave it out"
            ));
        }
        let name = HeaderName::try_from(name)
            .map_err(|_| format!("`{shown}` is no name that a header can have"))?;
        let mut value = HeaderValue::try_from(value.expose_secret()).map_err(|_| {
            format!("the header `{name}` contains characters that no header may carry")
        })?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
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
    incident: &'a str,
    kind: &'static str,
    stage: &'static str,
    severity: &'static str,
    actor: Option<&'a str>,
    title: String,
    detail: String,
    since: String,
    runbook: Option<&'a str>,
}

fn body(notice: &Notice) -> Vec<u8> {
    let body = Body {
        kind: event(notice),
        timestamp: moment(notice.at),
        data: Data {
            id: &names::id(&notice.id),
            incident: &notice.incident,
            kind: notice.kind.as_str(),
            stage: notice.stage.as_str(),
            severity: notice.severity.as_str(),
            actor: notice.bot.as_ref().map(|bot| bot.as_str()),
            title: text::line(&notice.title, TITLE),
            detail: text::lines(&notice.detail, DETAIL),
            since: moment(notice.since),
            runbook: notice.runbook.as_deref(),
        },
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

const fn event(notice: &Notice) -> &'static str {
    match (notice.kind, notice.stage) {
        (AlertKind::Test, _) => "alert.test",
        (_, Stage::Raised) => "alert.raised",
        (_, Stage::Reminder) => "alert.reminder",
        (_, Stage::Recovered) => "alert.recovered",
    }
}

fn moment(moment: Instant) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[async_trait]
impl OpsChannel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered> {
        let (id, body) = (names::id(&notice.id), body(notice));
        let at = self.clock.now().timestamp();
        let signature = self.signer.sign(&id, at, &body).map_err(|error| {
            NotDelivered::Never(format!("the notice cannot be signed: {error}"))
        })?;
        let request = self
            .outlet
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &*id)
            .header(HEADER_WEBHOOK_TIMESTAMP, at)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .header("idempotency-key", &*id)
            .body(body);
        let answer = Outlet::send(request).await?;
        answer.verdict(&self.clock, &self.secrets).await
    }
}
