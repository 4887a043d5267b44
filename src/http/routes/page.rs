//! The operations page: what an operator wants to see at a glance, from this server alone.
//!
//! A shell without data: everything shown is fetched from the API and put in as text, never as markup. A token that is
//! typed in stays in the page's memory.

use actix_web::{HttpResponse, get, http::header};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{openapi::get_docs, refusals::OfPage};

/// Only files of this server, no inline code, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_page)
        .service(get_docs)
        .service(get_page_script)
        .service(get_page_style);
}

/// The operations page
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OfPage),
    security(())
)]
#[get("/")]
async fn get_page() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// The script of the operations page
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "The script", body = String, content_type = "text/javascript"), OfPage),
    security(())
)]
#[get("/page.js")]
async fn get_page_script() -> HttpResponse {
    file(
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    )
}

/// The style of the operations page
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "The style", body = String, content_type = "text/css"), OfPage),
    security(())
)]
#[get("/page.css")]
async fn get_page_style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("page/page.css"))
}

fn file(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type(content_type)
        .body(text)
}
