//! Who did what: a row for every control request, carried out or refused, written when its answer is known.
//!
//! It is a middleware around the routes, so that a new control route is recorded without anybody thinking of it; a
//! handler adds what only it knows with [`note`]. The address is the one that the connection comes from: headers that
//! name another one are a stranger's word. Writing never waits for the database.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};
use serde_json::Value;

use super::{Shared, auth::Caller, error::Problem, request_id::RequestId};
use crate::{clock::Clock, domain::audit::AuditEntry};

/// What every control route begins with.
const ROOT: &str = "/api/v1";
/// The longest text of a request that goes into a row, in characters.
const LONGEST: usize = 300;

/// The actions, by method and route.
const ACTIONS: [(&str, &str, &str); 13] = [
    ("POST", "/actors/{id}/pause", "pause"),
    ("POST", "/actors/{id}/resume", "resume"),
    ("POST", "/actors/{id}/trigger", "trigger"),
    ("POST", "/actors/resume", "resume_all"),
    ("POST", "/executions/{id}/cancel", "cancel"),
    ("POST", "/posts/{id}/resend", "resend_post"),
    ("POST", "/config/reload", "reload"),
    ("POST", "/breakers/{dependency}/reset", "reset_breaker"),
    ("POST", "/alerts/test", "test_alert"),
    ("POST", "/content/{table}", "add_content"),
    ("DELETE", "/content/{table}", "remove_content"),
    ("DELETE", "/content/{table}/{id}", "remove_content"),
    ("POST", "/events", "event"),
];

/// What a handler knows beyond its route; see [`note`].
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// Who, if it is not a token's bearer.
    pub subject: Option<String>,
    /// To what, if it is not in the path.
    pub target: Option<String>,
    /// What was there before.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
}

/// Adds to the row of this request; a later note takes the place of an earlier one.
pub fn note(request: &HttpRequest, note: Note) {
    request.extensions_mut().insert(note);
}

/// The middleware: `wrap(from_fn(audit::record))`, outside of the routes of `/api/v1`.
///
/// # Errors
/// Those of the routes.
pub async fn record<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let action = action(request.method(), request.match_pattern().as_deref());
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let answer = next.call(request).await;
    if let (Some(action), Some(shared), Ok(answer)) = (action, shared, &answer) {
        write(&shared, action, answer);
    }
    answer
}

/// The name of what is asked for; `None` for what only reads, and for what is no route.
fn action(method: &Method, pattern: Option<&str>) -> Option<String> {
    if method.is_safe() {
        return None;
    }
    let route = pattern?.strip_prefix(ROOT)?;
    let known = |(a, b, _): &&(&str, &str, &str)| *a == method.as_str() && *b == route;
    match ACTIONS.iter().find(known) {
        Some((_, _, action)) => Some((*action).to_owned()),
        None if ACTIONS.iter().any(|(_, known, _)| *known == route) => None,
        None => Some(format!("{method} {route}")),
    }
}

fn write<B>(shared: &Shared, action: String, answer: &ServiceResponse<B>) {
    let request = answer.request();
    let caller = request.extensions().get::<Caller>().cloned();
    let note = request.extensions().get::<Note>().cloned();
    let note = note.unwrap_or_default();
    let known = caller.is_some() || note.subject.is_some();
    let stranger = !known && !answer.status().is_success();
    let clock = shared.door.env().map(|env| env.clock.clone());
    let entry = AuditEntry {
        at: clock.unwrap_or_else(Clock::process).now(),
        role: caller.as_ref().map(|caller| caller.role.as_str().into()),
        subject: caller
            .map(|caller| caller.subject)
            .or(note.subject)
            .unwrap_or_else(|| "anonymous".into()),
        action,
        target: note.target.or_else(|| in_path(request)).map(shortened),
        remote: request.peer_addr().map(|address| address.ip().to_string()),
        request_id: request_id(answer),
        before: note.before,
        after: note.after,
        outcome: outcome(answer),
    };
    match stranger {
        true => shared.door.audit().note_stranger(entry),
        false => shared.door.audit().note(entry),
    }
}

/// The parts of the path that name something.
fn in_path(request: &HttpRequest) -> Option<String> {
    let parts: Vec<&str> = request
        .match_info()
        .iter()
        .map(|(_, value)| value)
        .collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn request_id<B>(answer: &ServiceResponse<B>) -> Option<String> {
    let extensions = answer.request().extensions();
    extensions.get::<RequestId>().map(ToString::to_string)
}

fn outcome<B>(answer: &ServiceResponse<B>) -> String {
    let status = answer.status();
    if status.is_success() {
        return "ok".into();
    }
    let error = answer.response().error();
    let detail = match error.and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem.detail.clone(),
        None => status.canonical_reason().unwrap_or("refused").into(),
    };
    shortened(format!("{}: {detail}", status.as_u16()))
}

/// Without control characters and bounded: parts of it come from the request.
fn shortened(text: String) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(clean).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_and_what_is_no_route_is_no_action() {
        for (method, pattern, expected) in [
            (
                Method::POST,
                Some("/api/v1/actors/{id}/pause"),
                Some("pause"),
            ),
            (Method::GET, Some("/api/v1/actors/{id}"), None),
            (Method::DELETE, Some("/api/v1/actors/{id}/pause"), None),
            (Method::POST, Some("/health/live"), None),
            (Method::POST, None, None),
            (Method::PUT, Some("/api/v1/new/{id}"), Some("PUT /new/{id}")),
        ] {
            assert_eq!(action(&method, pattern).as_deref(), expected);
        }
    }
}
