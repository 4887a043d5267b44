//! What a trace says of a request, by the semantic conventions for HTTP clients; and what Discord is told of the trace.

use reqwest::{Method, RequestBuilder, Url};

use super::{answer::Answer, limits::Route};
use crate::{platforms::PostFailure, telemetry::traces::Span};

/// The path, without what is in it.
const fn template(route: Route) -> &'static str {
    match route {
        Route::Create | Route::Read => "/api/v10/channels/{channel}/messages",
        Route::Channel => "/api/v10/channels/{channel}",
        Route::Me => "/api/v10/users/@me",
        Route::Webhook => "/api/webhooks/{id}/{token}",
    }
}

/// The span of a request to this address, if it is part of a trace.
pub(super) fn begin(method: &Method, route: Route, url: &Url) -> Span {
    let around = Span::current();
    if !around.is_recording() {
        return around;
    }
    let template = template(route);
    let span = around.client(format!("{method} {template}"));
    span.set("http.request.method", method.to_string());
    span.set("url.full", url.to_string());
    span.set("url.template", template);
    span.set(
        "server.address",
        url.host_str().unwrap_or_default().to_owned(),
    );
    span.set(
        "server.port",
        url.port_or_known_default().unwrap_or_default(),
    );
    span
}

/// The request with the headers of the W3C recommendation, if it is part of a trace.
pub(super) fn told(request: RequestBuilder, span: &Span) -> RequestBuilder {
    let Some(context) = span.context() else {
        return request;
    };
    let request = request.header("traceparent", context.parent());
    match context.state() {
        "" => request,
        state => request.header("tracestate", state),
    }
}

/// What came of it. A span that is not recorded is not this request's own.
pub(super) fn end(span: &Span, answer: &Result<Answer, PostFailure>) {
    if !span.is_recording() {
        return;
    }
    match answer {
        Ok(answer) => {
            let status = answer.status();
            span.set("http.response.status_code", status.as_u16());
            if !status.is_success() {
                span.set("error.type", status.as_u16().to_string());
                span.fail(&format!("Discord answered {status}"));
            }
        }
        Err(failure) => {
            span.set("error.type", "no_answer");
            span.fail(&failure.to_string());
        }
    }
    span.end();
}
