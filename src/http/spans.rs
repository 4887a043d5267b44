//! Requests in traces: a request that starts runs goes on with its caller's trace, and the runs go on with it. Others, and
//! above all probes and scrapes, are in none.

use std::future::Future;

use actix_web::{HttpRequest, ResponseError, http::header::HeaderMap};
use serde_json::Value;

use super::error::Answer;
use crate::telemetry::traces::{Span, TraceContext};

/// Answers a request as part of a trace.
pub(super) async fn traced(
    request: &HttpRequest,
    name: &'static str,
    work: impl Future<Output = Answer>,
) -> Answer {
    if !Span::are_made() {
        return work.await;
    }
    let span = Span::server(name, caller(request.headers()).as_ref());
    describe(&span, request);
    let answer = span.around(work).await;
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(problem) => problem.status_code(),
    };
    span.set("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.set("error.type", status.as_u16().to_string());
        span.fail(
            status
                .canonical_reason()
                .unwrap_or("an error of the server"),
        );
    }
    span.end();
    answer
}

fn describe(span: &Span, request: &HttpRequest) {
    span.set("http.request.method", request.method().to_string());
    span.set("http.route", request.match_pattern().unwrap_or_default());
    span.set("url.path", request.path().to_owned());
    span.set("url.scheme", "http");
}

fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    let texts = |name| {
        headers
            .get_all(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    TraceContext::read(texts("traceparent"), texts("tracestate"))
}

/// What a run that is started now goes on with, as it is kept with the run; null outside of traces.
pub(super) fn current() -> Value {
    let context = Span::current().context();
    context.map_or(Value::Null, |context| context.to_json())
}
