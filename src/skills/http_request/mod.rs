//! Sends one request and hands its answer to the skills behind it.
//!
//! The operator writes the request and strangers may fill it: what templates print into a URL is encoded, cannot lead
//! to another host, and cannot climb up the path.

mod answer;
mod request;

use async_trait::async_trait;
use reqwest::{Method, StatusCode, header::HeaderName};
use serde_json::{Map, Value};

use self::{answer::Answer, request::Address};
use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    content_formatter::template::{self, Variables},
    outside,
    patience::Patience,
    settings::{Reader, table, text, wanted},
};
use crate::{
    domain::need::Need,
    outbound::{Bounds, Outbound, is_framing, retry_after},
};

/// `http_request`.
///
/// | setting | default | |
/// |---|---|---|
/// | `url` | – | templates may fill what stands behind the host |
/// | `method` | `GET` | `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS` |
/// | `headers` | `{}` | a table of templates |
/// | `body` | – | a template; `{{ value | tojson }}` writes JSON |
/// | `expect_status` | 200 to 299 | a number or a list |
/// | `into` | – | `content`: the answer becomes the run's content |
/// | `timeout_seconds`, `max_bytes`, `max_redirects` | 30, 128 KiB, 5 | |
///
/// The result is `{ "status", "headers", "text", "json" }`. A method that changes something is sent with an
/// `Idempotency-Key`, the same in every attempt of a run.
#[derive(Debug, Default)]
pub struct HttpRequest {
    outbound: Outbound,
    patience: Patience,
}

const KEYS: [&str; 6] = ["url", "method", "headers", "body", "expect_status", "into"];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Bytes of an answer, unless `max_bytes` is set.
const USUAL_BYTES: usize = 128 * 1024;

/// The largest `max_bytes`.
const MOST_BYTES: u64 = 1024 * 1024;

/// What the settings say; templates are not filled yet.
struct Settings<'a> {
    method: Method,
    address: Option<Address<'a>>,
    headers: Vec<(HeaderName, &'a str)>,
    body: Option<&'a str>,
    expected: Option<Vec<StatusCode>>,
    into_content: bool,
    bounds: Bounds,
}

impl<'a> Settings<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let usual = Bounds {
            bytes: USUAL_BYTES,
            ..Bounds::default()
        };
        Self {
            method: reader.value("method", method).unwrap_or(Method::GET),
            address: reader.value("url", |value| Address::parse(text(value)?)),
            headers: reader.value("headers", headers).unwrap_or_default(),
            body: reader.value("body", checked),
            expected: reader.value("expect_status", statuses),
            into_content: reader.value("into", into_content).unwrap_or_default(),
            bounds: outside::bounds(reader, usual, MOST_BYTES),
        }
    }

    fn expects(&self, status: StatusCode) -> bool {
        match &self.expected {
            Some(expected) => expected.contains(&status),
            None => status.is_success(),
        }
    }
}

impl HttpRequest {
    /// The name in bot files.
    pub const NAME: &str = "http_request";

    /// One that goes out by this way.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        let patience = Patience::default();
        Self { outbound, patience }
    }
}

#[async_trait]
impl Skill for HttpRequest {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let known = [&KEYS[..], &outside::BOUND_KEYS[..]].concat();
        let mut reader = Reader::new(settings, "").only(&known);
        let read = Settings::read(&mut reader);
        if !settings.contains_key("url") {
            reader.add(vec![problem("url", "is missing; give the address to ask")]);
        }
        if read.body.is_some() && matches!(read.method, Method::GET | Method::HEAD) {
            let message = format!("cannot be sent with {}; set `method` to POST", read.method);
            reader.add(vec![problem("body", &message)]);
        }
        reader.problems()
    }

    fn needs(&self, settings: &Map<String, Value>) -> Vec<(String, Need)> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let address = read.address.into_iter();
        let hosts = address.map(|address| ("url".to_owned(), Need::Host(address.host)));
        hosts.collect()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let request = Variables::of(run).and_then(|variables| read.request(run, &variables));
        let request = request.map_err(SkillError::unrecoverable)?;
        let url = request.url.clone();
        self.patience.check(&url)?;
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| outside::unanswered(&error))?;
        if !read.expects(answer.status) {
            let busy = matches!(answer.status.as_u16(), 429 | 503);
            let wait = retry_after::wait(&answer.headers, "", run.now).filter(|_| busy);
            let origin = url.origin().ascii_serialization();
            return Err(match wait {
                Some(wait) => self.patience.have(&url, wait),
                None => outside::unwanted(&origin, answer.status),
            });
        }
        let answer = Answer::read(answer).map_err(SkillError::unrecoverable)?;
        answer.hand_over(run, read.into_content)
    }
}

fn problem(key: &str, message: &str) -> SettingProblem {
    SettingProblem {
        key: key.into(),
        message: message.into(),
    }
}

fn method(value: &Value) -> Result<Method, String> {
    let known = METHODS
        .into_iter()
        .find(|method| Some(method.as_str()) == value.as_str());
    known.ok_or_else(|| wanted("one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", value))
}

/// Values are not repeated in problems: they may be secrets.
fn headers(value: &Value) -> Result<Vec<(HeaderName, &str)>, String> {
    let fields = table(value).map_err(|_| "must be a table of texts")?;
    let mut headers = Vec::new();
    for (name, value) in fields {
        let shown = crate::domain::text::bounded(name, 64);
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{shown}` is no name of a header"))?;
        if is_framing(&header) {
            return Err(format!("`{shown}` is set by the connection; leave it out"));
        }
        let value = value
            .as_str()
            .ok_or_else(|| format!("`{shown}` must be a text"))?;
        template::check(value).map_err(|error| format!("`{shown}`: {error}"))?;
        headers.push((header, value));
    }
    Ok(headers)
}

fn checked(value: &Value) -> Result<&str, String> {
    let source = text(value)?;
    template::check(source).map(|()| source)
}

fn statuses(value: &Value) -> Result<Vec<StatusCode>, String> {
    let one = |value: &Value| {
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
        let number = number.filter(|number| (200..600).contains(number));
        number.and_then(|number| StatusCode::from_u16(number).ok())
    };
    let all = match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(one).collect(),
        value => one(value).map(|status| vec![status]),
    };
    all.ok_or_else(|| wanted("a status from 200 to 599, or a list of some", value))
}

fn into_content(value: &Value) -> Result<bool, String> {
    match value.as_str() {
        Some("content") => Ok(true),
        _ => Err(wanted("`content`", value)),
    }
}
