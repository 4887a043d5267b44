//! Problem documents (RFC 9457), and the only place where statuses are chosen.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::{
    door::Unanswered,
    messages::{ControlError, ReloadError},
};

/// The result of a handler.
pub type Answer<T = HttpResponse> = Result<T, Problem>;

/// What went wrong, as clients see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind it is: a URI reference that names it for good.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what would be right.
    pub detail: String,
    /// The `X-Request-Id` of this answer.
    pub request_id: String,
    /// Every single problem, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Headers of the answer.
    #[serde(skip)]
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem with this status; title and kind follow from it.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Problem").into(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: String::new(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The same, with a header in its answer.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
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
        let mut answer = HttpResponse::build(self.status_code());
        for header in &self.headers {
            answer.append_header((header.0, header.1.as_str()));
        }
        answer.content_type("application/problem+json").json(self)
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

    /// The body is longer than that: 413.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        let detail = format!("the body is longer than {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// The body does not come, or too slowly: 408.
    #[must_use]
    pub fn too_slow() -> Self {
        let detail = "the body came too slowly; send it at once";
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
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
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::UnknownBot(_)
            | ControlError::UnknownRun(_)
            | ControlError::UnknownDependency(_) => StatusCode::NOT_FOUND,
            ControlError::Invalid(..) | ControlError::Busy(_) | ControlError::NotRunning(_) => {
                StatusCode::CONFLICT
            }
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
