//! `/metrics`: what Prometheus reads.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    actors::env::Env,
    http::Shared,
    telemetry::metrics::{Metrics, raise},
};

/// On the metrics listener.
pub(in crate::http) fn metrics(config: &mut ServiceConfig<'_>) {
    config.service(scrape);
}

/// Everything that is counted, in Prometheus's text format.
#[utoipa::path(
    tag = "metrics",
    responses((status = 200, description = "Every figure", body = String, content_type = "text/plain; version=0.0.4"))
)]
#[get("/metrics")]
async fn scrape(shared: web::Data<Shared>) -> HttpResponse {
    if let Some(env) = shared.door.env() {
        take_over(&shared.metrics, env);
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(shared.metrics.render())
}

/// What the actors count themselves.
fn take_over(metrics: &Metrics, env: &Env) {
    let listeners = i64::try_from(env.news.listeners()).unwrap_or(i64::MAX);
    metrics.stream_listeners.set(listeners);
    raise(&metrics.stream_dropped, env.news.dropped());
    let reloads = env.configuration.reloads();
    for (result, count) in [
        ("applied", reloads.applied),
        ("refused", reloads.refused),
        ("unavailable", reloads.unavailable),
    ] {
        raise(&metrics.config_reloads.with_label_values(&[result]), count);
    }
}
