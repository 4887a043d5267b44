//! The name of a request, in its answer, in problem documents and in the log.

use std::{
    future::{Ready, ready},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{HeaderName, HeaderValue},
};
use uuid::Uuid;

/// The header that carries it, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken over from a client.
const LONGEST: usize = 64;

/// A handler that takes it can log it beside what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The client's, if it is short and plain; else a new one.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let header = request.headers().get(X_REQUEST_ID);
        let text = header.and_then(|value| value.to_str().ok());
        text.filter(|text| is_plain(text))
            .map_or_else(Self::fresh, |text| Self(text.into()))
    }

    /// Unlike any other: the process's own random part, and a number.
    fn fresh() -> Self {
        static PROCESS: OnceLock<String> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let process = PROCESS.get_or_init(|| Uuid::new_v4().simple().to_string());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(format!("{}-{number}", process.get(..16).unwrap_or_default()).into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("-"))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(plain)
}

impl FromRequest for RequestId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().cloned();
        ready(Ok(known.unwrap_or_else(Self::fresh)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_and_plain_names_are_taken_over() {
        for good in ["a", "7f3c.A_b-9", &"x".repeat(64)] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "ä", "a;b", &"x".repeat(65)] {
            assert!(!is_plain(bad), "{bad}");
        }
        assert_ne!(RequestId::fresh(), RequestId::fresh());
    }
}
