//! What a trace says of a request, by the semantic conventions for HTTP clients; and what the other side is told of the trace.

use reqwest::RequestBuilder;

use super::{Incoming, OutboundError, Outgoing};
use crate::telemetry::traces::Span;

/// The span of a request, if it is part of a trace. Path and query may be secrets and are not in it.
pub(super) fn begin(request: &Outgoing) -> Span {
    let around = Span::current();
    if !around.is_recording() {
        return around;
    }
    let span = around.client(request.method.to_string());
    let (url, host) = (&request.url, request.url.host_str());
    span.set("http.request.method", request.method.to_string());
    span.set("url.scheme", url.scheme().to_owned());
    span.set("server.address", host.unwrap_or_default().to_owned());
    span.set(
        "server.port",
        url.port_or_known_default().unwrap_or_default(),
    );
    span
}

/// The request with the headers of the W3C recommendation, if it is part of a trace.
pub(super) fn told(request: RequestBuilder) -> RequestBuilder {
    let Some(context) = Span::current().context() else {
        return request;
    };
    let request = request.header("traceparent", context.parent());
    match context.state() {
        "" => request,
        state => request.header("tracestate", state),
    }
}

/// What came of it. A span that is not recorded is not this request's own.
pub(super) fn end(span: &Span, answer: &Result<Incoming, OutboundError>) {
    if !span.is_recording() {
        return;
    }
    match answer {
        Ok(answer) => {
            let status = answer.status;
            span.set("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.set("error.type", status.as_u16().to_string());
                span.fail(&format!("the answer was {status}"));
            }
        }
        Err(error) => {
            span.set("error.type", "no_answer");
            span.fail(&error.to_string());
        }
    }
    span.end();
}
