//! From settings and variables to a request.

use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Settings;
use crate::{
    domain::reach::check_form,
    outbound::Outgoing,
    skills::{
        RunContext,
        content_formatter::template::{self, Variables},
        outside,
    },
};

/// What begins a template.
const MARKS: [&str; 3] = ["{{", "{%", "{#"];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Where a request goes: a URL, or a template of one behind a fixed host.
pub(super) struct Address<'a> {
    source: &'a str,
    /// The URL up to its first template.
    pub(super) host: Url,
    is_template: bool,
}

impl<'a> Address<'a> {
    /// Reads one; what is wrong is told without showing it, for it may have a secret in it.
    pub(super) fn parse(source: &'a str) -> Result<Self, String> {
        let mark = MARKS.iter().filter_map(|mark| source.find(mark)).min();
        let fixed = mark.and_then(|at| source.get(..at)).unwrap_or(source);
        let host = outside::url(&Value::from(fixed))?;
        if mark.is_some() {
            if !ends_its_host(fixed) {
                return Err(
                    "has a template in its host; begin it with a fixed `https://host/`".into(),
                );
            }
            template::check(source)?;
        }
        Ok(Self {
            source,
            host,
            is_template: mark.is_some(),
        })
    }

    fn fill(&self, variables: &Variables) -> Result<Url, String> {
        if !self.is_template {
            return Ok(self.host.clone());
        }
        let text = template::render_url(self.source, variables)?;
        if climbs(&text) {
            return Err("a value climbs up the path with `.` or `..`".into());
        }
        let url = Url::parse(&text).map_err(|error| error.to_string())?;
        check_form(&url)?;
        match url.origin() == self.host.origin() {
            true => Ok(url),
            false => Err("a value leads to another host".into()),
        }
    }
}

/// Whether something stands behind the host, so that what follows cannot lengthen it.
fn ends_its_host(fixed: &str) -> bool {
    let behind = fixed.split_once("://").map(|(_, rest)| rest);
    behind.is_some_and(|rest| rest.contains(['/', '?', '#']))
}

/// Whether a part of the path means "here" or "up", in any spelling (WHATWG URL, section 4.1).
fn climbs(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split(['/', '\\']);
    parts.any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    })
}

impl Settings<'_> {
    /// The request, filled in.
    pub(super) fn request(
        &self,
        run: &RunContext<'_>,
        variables: &Variables,
    ) -> Result<Outgoing, String> {
        let address = self.address.as_ref().ok_or("url: is missing")?;
        let url = address
            .fill(variables)
            .map_err(|error| format!("url: {error}"))?;
        let mut request = Outgoing::new(self.method.clone(), url);
        request.bounds = self.bounds;
        if let Some(body) = self.body {
            let body =
                template::render(body, variables).map_err(|error| format!("body: {error}"))?;
            request = request.header(CONTENT_TYPE, kind(&body));
            request.body = body.into_bytes();
        }
        if changes(&self.method) {
            request = request.header(IDEMPOTENCY_KEY, idempotency_key(run)?);
        }
        for (name, value) in &self.headers {
            let value = template::render(value, variables);
            let value = value.map_err(|error| format!("headers: `{name}`: {error}"))?;
            let value = HeaderValue::from_str(&value);
            let mut value = value
                .map_err(|_| format!("headers: `{name}` has a line break or the like in it"))?;
            value.set_sensitive(true);
            request = request.header(name.clone(), value);
        }
        Ok(request)
    }
}

fn kind(body: &str) -> HeaderValue {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    HeaderValue::from_static(match is_json {
        true => "application/json",
        false => "text/plain; charset=utf-8",
    })
}

/// Methods that are not safe (RFC 9110, section 9.2.1).
fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The same in every attempt of a run, and in no other run.
fn idempotency_key(run: &RunContext<'_>) -> Result<HeaderValue, String> {
    let slot = run.slot.map(|slot| slot.timestamp_millis());
    let run = format!("{} {} {slot:?}", run.bot, run.execution.0);
    let key: String = format!("{:x}", Sha256::digest(run.as_bytes()))
        .chars()
        .take(32)
        .collect();
    HeaderValue::from_str(&key).map_err(|error| error.to_string())
}
