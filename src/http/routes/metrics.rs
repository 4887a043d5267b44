//! `/metrics`: what Prometheus reads.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::Shared;

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
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(shared.metrics.render())
}
