//! `/metrics`: what Prometheus reads.

use actix_web::{HttpResponse, get, middleware::Compress, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    actors::gauges,
    http::{Shared, error::Problem},
    telemetry::metrics::Picture,
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
#[get("/metrics", wrap = "Compress::default()")]
async fn scrape(shared: web::Data<Shared>) -> Result<HttpResponse, Problem> {
    let page = shared.press.page(|| draw(Shared::clone(&shared))).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(page))
}

/// On a thread of its own: whoever shares the listener does not wait for it.
async fn draw(shared: Shared) -> Result<String, Problem> {
    let drawn = web::block(move || match shared.door.env() {
        Some(env) => gauges::render(env),
        None => shared.metrics.render(&Picture::default()),
    });
    drawn.await.map_err(|_| Problem::broken())
}
