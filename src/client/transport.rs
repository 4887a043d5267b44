//! Requests out, answers in: the only place that speaks HTTP.

use std::time::Duration;

use reqwest::{
    Certificate, Method, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Client, Error, Reply, Timeouts, address::Address};

/// The longest answer that is read, in bytes: far more than the largest list has.
const LONGEST: usize = 64 << 20;
/// How much of an answer that is no problem document is shown.
const SHOWN: usize = 200;

/// The pool of connections, with what every request has in common.
pub(super) fn connections(address: &Address, timeouts: Timeouts) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("actor-server-client/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(timeouts.connect);
    if address.is_local() {
        builder = builder.no_proxy();
    }
    if address.is_encrypted() {
        // What this machine trusts (a company's own authority, SSL_CERT_FILE), beside what everybody trusts.
        for certificate in rustls_native_certs::load_native_certs().certs {
            if let Ok(certificate) = Certificate::from_der(&certificate) {
                builder = builder.add_root_certificate(certificate);
            }
        }
    }
    let unusable = |error: reqwest::Error| Error::Url(format!("`{address}`: {}", causes(&error)));
    builder.build().map_err(unusable)
}

/// The header that says who we are.
pub(super) fn credentials(token: &SecretString) -> Result<HeaderValue, Error> {
    let token = token.expose_secret().trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::Token);
    }
    let value = format!("Bearer {token}");
    let mut value = HeaderValue::from_str(&value).map_err(|_| Error::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Client {
    pub(super) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        let request = self.anonymous(method, path)?;
        Ok(match &self.credentials {
            Some(credentials) => request.header(AUTHORIZATION, credentials.clone()),
            None => request,
        })
    }

    /// A request without the token.
    pub(super) fn anonymous(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        Ok(self.http.request(method, self.address.at(path)?))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Reply<T>, Error> {
        self.ask(self.request(Method::GET, path)?).await
    }

    pub(super) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &(impl Serialize + Sync),
    ) -> Result<Reply<T>, Error> {
        self.ask(self.request(Method::GET, path)?.query(query))
            .await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<Reply<T>, Error> {
        self.ask(self.request(Method::POST, path)?.json(body)).await
    }

    /// Sends, and takes only a success for an answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Reply<T>, Error> {
        self.ask_within(self.timeouts.request, request).await
    }

    /// The same with another deadline.
    pub(super) async fn ask_within<T: DeserializeOwned>(
        &self,
        time: Duration,
        request: RequestBuilder,
    ) -> Result<Reply<T>, Error> {
        let received = self.send_within(time, request).await?;
        if received.status.is_success() {
            received.reply(&self.address)
        } else {
            Err(received.problem(&self.address))
        }
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Received, Error> {
        self.send_within(self.timeouts.request, request).await
    }

    async fn send_within(
        &self,
        time: Duration,
        request: RequestBuilder,
    ) -> Result<Received, Error> {
        let exchange = async {
            let response = request.send().await.map_err(|error| self.failed(&error))?;
            self.receive(response).await
        };
        self.within(time, exchange).await
    }

    /// Reads an answer to its end, if it has one.
    pub(super) async fn receive(&self, mut response: Response) -> Result<Received, Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failed(&error))?
        {
            if body.len() + chunk.len() > LONGEST {
                let reason = format!("more than {} MiB", LONGEST >> 20);
                return Err(unexpected(&self.address, status, reason));
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Received {
            status,
            headers,
            body,
        })
    }

    pub(super) async fn within<T>(
        &self,
        time: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = |_| Error::Timeout {
            url: self.address.to_string(),
        };
        tokio::time::timeout(time, work).await.map_err(late)?
    }

    pub(super) fn failed(&self, error: &reqwest::Error) -> Error {
        if error.is_builder() {
            let what = "something has characters that a request may not have";
            return Error::Argument(format!("{what}: {}", causes(error)));
        }
        let url = self.address.to_string();
        if error.is_timeout() && !error.is_connect() {
            return Error::Timeout { url };
        }
        Error::Unreachable {
            url,
            reason: causes(error),
        }
    }
}

/// An answer as it came.
pub(super) struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

/// A problem document, or as much of it as is there.
#[derive(Deserialize)]
struct Document {
    title: Option<String>,
    detail: Option<String>,
    request_id: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

impl Received {
    pub(super) fn reply<T: DeserializeOwned>(self, from: &Address) -> Result<Reply<T>, Error> {
        // An answer without a body (204) is the JSON value that says nothing.
        let text = if self.body.trim().is_empty() {
            "null"
        } else {
            &self.body
        };
        let unreadable = |error| {
            let reason = format!("not what this client understands ({error})");
            unexpected(from, self.status, reason)
        };
        Ok(Reply {
            value: serde_json::from_str(text).map_err(unreadable)?,
            text: text.to_owned(),
            request_id: self.header("x-request-id"),
            next_cursor: self.header("x-next-cursor").filter(|text| !text.is_empty()),
        })
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn is_problem(&self) -> bool {
        let kind = self.header("content-type");
        kind.is_some_and(|kind| kind.starts_with("application/problem+json"))
    }

    pub(super) fn problem(self, from: &Address) -> Error {
        if let Some(target) = self
            .header(LOCATION.as_str())
            .filter(|_| self.status.is_redirection())
        {
            let reason = format!(
                "it redirects to {target}, which is not followed; give that URL if it is right"
            );
            return unexpected(from, self.status, reason);
        }
        let Ok(document) = serde_json::from_str::<Document>(&self.body) else {
            return self.not_ours(from);
        };
        let request_id = document.request_id.or_else(|| self.header("x-request-id"));
        let title = document.title.unwrap_or_else(|| reason_of(self.status));
        let detail = document.detail.unwrap_or_else(|| title.clone());
        if self.status == StatusCode::UNAUTHORIZED {
            return Error::Unauthorized { detail, request_id };
        }
        Error::Problem {
            status: self.status.as_u16(),
            title,
            detail,
            request_id,
            errors: document.errors,
        }
    }

    fn not_ours(&self, from: &Address) -> Error {
        let said: String = self.body.trim().chars().take(SHOWN).collect();
        let reason = if said.is_empty() {
            reason_of(self.status)
        } else {
            said
        };
        if self.status == StatusCode::UNAUTHORIZED {
            let request_id = self.header("x-request-id");
            let detail = reason_of(self.status);
            return Error::Unauthorized { detail, request_id };
        }
        unexpected(from, self.status, reason)
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    }
}

fn unexpected(from: &Address, status: StatusCode, reason: String) -> Error {
    Error::Unexpected {
        url: from.to_string(),
        status: status.as_u16(),
        reason,
    }
}

fn reason_of(status: StatusCode) -> String {
    status
        .canonical_reason()
        .unwrap_or("no reason given")
        .to_owned()
}

/// The innermost cause: the outer ones repeat the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// What a `Content-Type` announces.
pub(super) fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get("content-type");
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"))
}
