//! Problem documents (RFC 9457), and the only place where statuses are chosen.

use std::fmt;

use actix_web::{
    Error, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::request_id::X_REQUEST_ID;
use crate::actors::{
    door::Unanswered,
    messages::{ControlError, ReloadError},
};

/// The result of a handler.
pub type Answer<T = HttpResponse> = Result<T, Problem>;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, as clients see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind it is: a URI reference that names it for good.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// The kind, for people.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what would be right.
    pub detail: String,
    /// The `X-Request-Id` of this answer.
    pub request_id: String,
    /// Every single problem, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Headers of the answer besides those that every problem has.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) headers: Option<Box<HeaderMap>>,
}

impl Problem {
    /// A problem with this status; title and kind follow from it.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        let name = title.to_ascii_lowercase().replace(' ', "-");
        Self {
            kind: format!("/problems/{name}").into(),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            request_id: String::new(),
            errors: Vec::new(),
            headers: None,
        }
    }

    /// The same, with a header in its answer.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl TryInto<HeaderName>,
        value: impl TryInto<HeaderValue>,
    ) -> Self {
        if let (Ok(name), Ok(value)) = (name.try_into(), value.try_into()) {
            self.headers.get_or_insert_default().append(name, value);
        }
        self
    }

    /// The path leads somewhere, but not by this method; `allowed` is a list with commas.
    pub(super) fn wrong_method(method: &str, allowed: &str) -> Self {
        // A client may have made it up, as long as it likes.
        let method: String = method.chars().take(32).collect();
        let detail = format!("`{method}` is not possible here; use {allowed}");
        let allowed = HeaderValue::from_str(allowed).unwrap_or(HeaderValue::from_static("GET"));
        Self::new(StatusCode::METHOD_NOT_ALLOWED, detail).with_header(ALLOW, allowed)
    }

    /// Too many requests of one client.
    pub(super) fn too_many(limit: u32, wait_s: u64) -> Self {
        let detail = format!("more than {limit} requests in a second; try again in {wait_s} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .with_header(RETRY_AFTER, HeaderValue::from(wait_s))
    }

    /// Something broke here. What it was is in the log, beside the request's id, and nowhere else.
    pub(super) fn broken() -> Self {
        let detail =
            "something broke while the request was answered; the log of the server says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// What a part of the framework refused, in the words of the API.
    pub(super) fn foreign(error: &Error) -> Self {
        let status = error.as_response_error().status_code();
        if status.is_server_error() {
            tracing::error!(%error, "a request could not be answered");
            return Self::broken();
        }
        Self::new(status, error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        response.content_type(PROBLEM_JSON);
        for (name, value) in self.headers.iter().flat_map(|headers| headers.iter()) {
            response.append_header((name.clone(), value.clone()));
        }
        if !self.request_id.is_empty() {
            response.insert_header((X_REQUEST_ID, self.request_id.as_str()));
        }
        let headers = self.headers.as_ref();
        let says_how = headers.is_some_and(|headers| headers.contains_key(WWW_AUTHENTICATE));
        if status == StatusCode::UNAUTHORIZED && !says_how {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if status == StatusCode::REQUEST_TIMEOUT {
            response.force_close();
        }
        response.json(self)
    }
}

impl Problem {
    /// The request is wrong, and the detail says how: 400.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing, whoever asks: 404.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The same, with every single problem.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<String>) -> Self {
        self.errors = errors;
        self
    }

    /// The body is of no kind that is read here: 415.
    #[must_use]
    pub fn unread_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// Not now, but perhaps in a moment: 503.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl From<Unanswered> for Problem {
    fn from(error: Unanswered) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::UnknownBot(_)
            | ControlError::UnknownRun(_)
            | ControlError::UnknownPost(_)
            | ControlError::UnknownChannel(_)
            | ControlError::UnknownDependency(_) => StatusCode::NOT_FOUND,
            ControlError::Invalid(..)
            | ControlError::Busy(_)
            | ControlError::NoChannels
            | ControlError::NotGivenUp(..)
            | ControlError::NotRunning(_) => StatusCode::CONFLICT,
            ControlError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::Problems(errors) => Self {
                errors,
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "the configuration has problems; nothing was changed",
                )
            },
            ReloadError::Unavailable(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
        }
    }
}
