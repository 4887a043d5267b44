//! PagerDuty's Events API v2: an incident is triggered, triggered again by a reminder, and resolved, always under the
//! same `dedup_key`.
//!
//! Limits and words are those of <https://developer.pagerduty.com/docs/send-alert-event>. What nothing ends, a test or a
//! digest of many notices, triggers an incident and resolves it at once.

use async_trait::async_trait;
use chrono::SecondsFormat;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{NotDelivered, OpsChannel, address, names, outlet::Outlet, text};
use crate::{
    clock::Clock,
    domain::alert::{AlertKind, Notice, Stage},
};

const USER_AGENT: &str = concat!("actor-server/", env!("CARGO_PKG_VERSION"));
/// Where events go, below the URL.
const ENQUEUE: &str = "/v2/enqueue";
/// The longest `payload.summary`, in characters.
const SUMMARY: usize = 1024;
/// The longest `payload.source` that is sent.
const SOURCE: usize = 255;
/// The longest detail, in UTF-16 units: a whole event may have 512 KB.
const DETAIL: usize = 10_000;

/// Which service, and who we are to it.
#[derive(Clone, Debug)]
pub struct PagerDutyOptions {
    /// The integration key of a service.
    pub routing_key: SecretString,
    /// `https://events.pagerduty.com`, that of another region, or a test server; with or without `/v2/enqueue`.
    pub url: String,
    /// What is affected, such as this machine's name.
    pub source: String,
}

/// One service.
pub struct PagerDuty {
    outlet: Outlet,
    url: Url,
    routing_key: SecretString,
    source: String,
    clock: Clock,
}

impl PagerDuty {
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the options, and what would be right.
    pub fn new(options: PagerDutyOptions) -> Result<Self, String> {
        let url = address::parse("PagerDuty's URL", &options.url)?;
        if options.routing_key.expose_secret().trim().is_empty() {
            return Err(
                "PagerDuty's routing key is empty; it is the integration key of an \
                 Events API v2 integration"
                    .into(),
            );
        }
        let complete = url.path().trim_end_matches('/').ends_with(ENQUEUE);
        let source = match text::line(&options.source, SOURCE) {
            source if source.is_empty() => "actor-server".to_owned(),
            source => source,
        };
        Ok(Self {
            outlet: Outlet::new(USER_AGENT, 0)?,
            url: address::below(&url, if complete { "" } else { ENQUEUE }),
            routing_key: options.routing_key,
            source,
            clock: Clock::process(),
        })
    }

    fn event(&self, action: &str, notice: &Notice) -> Value {
        json!({
            "routing_key": self.routing_key.expose_secret().trim(),
            "event_action": action,
            "dedup_key": names::dedup_key(&notice.incident),
        })
    }

    fn trigger(&self, notice: &Notice) -> Value {
        let mut event = self.event("trigger", notice);
        if let Value::Object(fields) = &mut event {
            fields.insert("client".into(), "actor-server".into());
            fields.insert("payload".into(), self.payload(notice));
            if let Some(runbook) = &notice.runbook {
                let links = json!([{ "href": runbook, "text": "Runbook" }]);
                fields.insert("links".into(), links);
            }
        }
        event
    }

    fn payload(&self, notice: &Notice) -> Value {
        let moment = |at: crate::domain::Instant| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let summary = match text::line(&notice.title, SUMMARY) {
            title if title.is_empty() => notice.kind.as_str().to_owned(),
            title => title,
        };
        let mut payload = json!({
            "summary": summary,
            "source": self.source,
            "severity": notice.severity.as_str(),
            "timestamp": moment(notice.at),
            "group": "actor-server",
            "class": notice.kind.as_str(),
            "custom_details": {
                "detail": text::lines(&notice.detail, DETAIL),
                "since": moment(notice.since),
                "stage": notice.stage.as_str(),
                "incident": notice.incident,
                "id": notice.id,
            },
        });
        if let (Some(bot), Value::Object(fields)) = (&notice.bot, &mut payload) {
            fields.insert("component".into(), bot.as_str().into());
        }
        payload
    }

    async fn send(&self, event: Value) -> Result<(), NotDelivered> {
        let request = self.outlet.post(self.url.clone()).json(&event);
        let answer = Outlet::send(request).await?;
        let secrets = std::slice::from_ref(&self.routing_key);
        answer.verdict(&self.clock, secrets).await
    }
}

#[async_trait]
impl OpsChannel for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered> {
        match (notice.kind, notice.stage) {
            (AlertKind::Test | AlertKind::Digest, _) => {
                self.send(self.trigger(notice)).await?;
                self.send(self.event("resolve", notice)).await
            }
            (_, Stage::Raised | Stage::Reminder) => self.send(self.trigger(notice)).await,
            (_, Stage::Recovered) => self.send(self.event("resolve", notice)).await,
        }
    }
}
