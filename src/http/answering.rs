//! What every request and every answer goes through, on every listener: the request's id, panics, problem documents,
//! headers, counts.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
};
use bytes::Bytes;
use futures::FutureExt;
use tokio::time::Instant as Monotonic;

use super::{
    error::Problem,
    listeners::{Flight, Open},
    request_id::{RequestId, X_REQUEST_ID},
};
use crate::telemetry::metrics::Metrics;

/// What is known of a request when it has been answered.
struct Asked {
    id: RequestId,
    route: String,
    method: Method,
    began: Monotonic,
}

/// Answers one request. The handler behind it may fail or panic; the client gets a problem document then.
pub(super) async fn answer(
    metrics: Metrics,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Answered>, Error> {
    let flight = request.conn_data::<Open>().map(Open::begin);
    let asked = asked(&mut request);
    let answered = AssertUnwindSafe(async { next.call(request).await }).catch_unwind();
    let answered = match answered.await {
        Ok(Ok(answered)) => answered.map_into_boxed_body(),
        Ok(Err(error)) => return Err(lone(&metrics, &asked, problem_of(&error))),
        Err(_) => {
            // The hook has logged what and where.
            tracing::error!(request_id = %asked.id, route = asked.route, "a handler panicked");
            return Err(lone(&metrics, &asked, Problem::broken()));
        }
    };
    let (request, response) = answered.into_parts();
    let mut response = presentable(response, &asked.id);
    dress(response.headers_mut(), &asked);
    count(&metrics, &asked, response.status());
    let flight = match response.status() {
        StatusCode::REQUEST_TIMEOUT => flight.map(Flight::last),
        _ => flight,
    };
    let head = asked.method == Method::HEAD;
    let response = response.map_body(|_, body| Answered::new(body, flight, head));
    Ok(ServiceResponse::new(request, response))
}

fn asked(request: &mut ServiceRequest) -> Asked {
    let id = RequestId::of(request);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    if method == Method::HEAD {
        // The encoder leaves the body out by itself.
        request.head_mut().method = Method::GET;
    }
    Asked {
        id,
        route: request.match_pattern().unwrap_or("unmatched".into()),
        method,
        began: Monotonic::now(),
    }
}

/// The request is gone, and with it the way to make an answer of it: the framework makes one of the problem.
fn lone(metrics: &Metrics, asked: &Asked, problem: Problem) -> Error {
    let request_id = asked.id.to_string();
    let problem = Problem {
        request_id,
        ..problem
    };
    let problem = problem.with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let problem = problem.with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let error = Error::from(problem);
    count(metrics, asked, error.as_response_error().status_code());
    error
}

/// An answer that came of an error becomes a problem document, and a problem document names its request.
fn presentable(response: HttpResponse, id: &RequestId) -> HttpResponse {
    let Some(problem) = response.error().map(problem_of) else {
        return response;
    };
    let request_id = id.to_string();
    let mut presented = HttpResponse::from_error(Problem {
        request_id,
        ..problem
    });
    for (name, value) in response.headers() {
        if !presented.headers().contains_key(name) {
            presented.headers_mut().append(name.clone(), value.clone());
        }
    }
    presented
}

fn problem_of(error: &Error) -> Problem {
    let problem = error.as_error::<Problem>().cloned();
    problem.unwrap_or_else(|| Problem::foreign(error))
}

/// Headers of every answer, unless its handler has said otherwise.
fn dress(headers: &mut HeaderMap, asked: &Asked) {
    let mut unless_there = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    unless_there(X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_there(CACHE_CONTROL, "no-store");
    headers.insert(X_REQUEST_ID, asked.id.header());
}

fn count(metrics: &Metrics, asked: &Asked, status: StatusCode) {
    let (route, method, took) = (&asked.route, asked.method.as_str(), asked.began.elapsed());
    metrics.http.answered(route, method, status.as_u16(), took);
}

/// The body of an answer; as long as there is more of it the connection is at work.
pub(super) struct Answered {
    body: BoxBody,
    /// Ends with the body.
    flight: Option<Flight>,
    endless: bool,
}

impl Answered {
    fn new(body: BoxBody, flight: Option<Flight>, head: bool) -> Self {
        let endless = matches!(body.size(), BodySize::Stream);
        let flight = flight.map(|flight| if endless { flight.streaming() } else { flight });
        // A stream that nobody sees would never end.
        let body = if endless && head {
            BoxBody::new(())
        } else {
            body
        };
        Self {
            body,
            flight,
            endless,
        }
    }
}

impl MessageBody for Answered {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let flight = self.flight.as_ref().filter(|_| self.endless);
        if flight.is_some_and(|flight| flight.is_ending(cx)) {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
#[path = "answering_tests.rs"]
mod tests;
