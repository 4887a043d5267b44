//! The OpenAPI 3.1 document, collected from the handlers that serve the routes, and its page.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpResponse, get,
    http::header::{self, HeaderValue},
    web,
};
use bytes::Bytes;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, PathItem,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::Config;

use super::optional::never_null;
use super::refusals::OfPage;
use crate::http::{
    error::{Answer, Problem},
    listeners::document,
};

/// The page runs only scripts of this server, and speaks to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_openapi)
        .service(get_docs)
        .service(get_docs_page)
        .service(get_docs_file);
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "actor-server",
        description = "Controls bots that run on schedules. Times are RFC 3339 in UTC; every answer carries `X-Request-Id`; \
                       every refusal is a problem document (RFC 9457). Tokens are JWTs with `sub`, `exp` and `role` \
                       (`readonly` < `operator` < `admin`).",
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
    tags(
        (name = "actors", description = "Bots"),
        (name = "executions", description = "What became of runs and slots"),
        (name = "posts", description = "What was handed to platforms, and what became of it"),
        (name = "control", description = "Pause, resume, trigger, cancel"),
        (name = "content", description = "Knowledge items that bots choose from"),
        (name = "configuration", description = "What is in force, and reading it again"),
        (name = "supervision", description = "The actor system, breakers, replicas"),
        (name = "alerts", description = "What is wrong, and who is told"),
        (name = "events", description = "Starting bots from outside"),
        (name = "stream", description = "What happens, as it happens"),
        (name = "audit", description = "Who did what"),
        (name = "health", description = "Probes"),
        (name = "metrics", description = "Figures for Prometheus"),
        (name = "documents", description = "This document, and pages for people"),
    ),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

/// What the document says beside the routes.
pub(in crate::http) fn frame() -> openapi::OpenApi {
    Document::openapi()
}

/// The finishing touches, when all operations are known. Some routes are served below the API's root and beside it: there they
/// are two operations, so that each needs a name of its own.
pub(in crate::http) fn finished(mut document: openapi::OpenApi) -> openapi::OpenApi {
    let mut known = HashSet::new();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            never_null(operation);
            let name = operation.operation_id.get_or_insert_default();
            if !known.insert(name.clone()) {
                *name = format!("root_{name}");
            }
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = item;
    [get, post, put, patch, delete].into_iter().flatten()
}

/// The document as JSON, for people and programs.
#[must_use]
pub fn text() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let draw = || Bytes::from(document().to_pretty_json().unwrap_or_default());
    TEXT.get_or_init(draw).clone()
}

/// The OpenAPI document
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "This document", body = serde_json::Value), OfPage),
    security(())
)]
#[get("/openapi.json")]
async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(text())
}

/// The way to the page of this document
#[utoipa::path(
    tag = "documents",
    responses(
        (status = 308, description = "It is at `/api/v1/docs/`", headers(("Location" = String))),
        OfPage,
    ),
    security(())
)]
#[get("/docs")]
pub(super) async fn get_docs() -> HttpResponse {
    let place = (header::LOCATION, HeaderValue::from_static("/api/v1/docs/"));
    HttpResponse::PermanentRedirect()
        .insert_header(place)
        .finish()
}

/// The page of this document
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OfPage),
    security(())
)]
#[get("/docs/")]
async fn get_docs_page() -> Answer {
    file("index.html")
}

/// A file of the page
#[utoipa::path(
    tag = "documents",
    params(("file" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "*/*"),
        OfPage,
        (status = 404, description = "There is no such file", body = Problem, content_type = "application/problem+json"),
    ),
    security(())
)]
#[get("/docs/{file}")]
async fn get_docs_file(name: web::Path<String>) -> Answer {
    file(&name)
}

fn file(name: &str) -> Answer {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let config = Config::from("/api/v1/openapi.json").validator_url("none");
        // Without the field for another document's address: this page shows one.
        Arc::new(config.persist_authorization(false).use_base_layout())
    });
    let found = utoipa_swagger_ui::serve(name, Arc::clone(config))
        .ok()
        .flatten();
    let found = found.ok_or_else(|| Problem::not_found("there is no such file"))?;
    let mut answer = HttpResponse::Ok();
    if found.gzpipped {
        answer.insert_header(header::ContentEncoding::Gzip);
    }
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type(found.content_type);
    Ok(answer.body(found.bytes.into_owned()))
}
