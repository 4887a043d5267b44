//! Circuit breakers, closed by hand.

use actix_web::{HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{now, refusals::OfChange, wishes::Nothing};
use crate::{
    actors::messages::ResetBreaker,
    http::{
        Shared,
        auth::Admin,
        body::{Body, PathOf},
        error::{Answer, Problem},
        view::time::Time,
    },
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(reset_breaker);
}

/// A breaker was closed.
#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    message: String,
    dependency: String,
    timestamp: Time,
}

/// Close a breaker
///
/// Closed already, it stays so. Role: `admin`.
#[utoipa::path(
    tag = "supervision",
    params(("dependency" = String, Path, description = "As `/supervision` names it")),
    request_body(content = Option<Nothing>, description = "May be left out"),
    responses((status = 200, description = "It is closed", body = Reset), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/breakers/{dependency}/reset")]
async fn reset_breaker(
    _: Admin,
    PathOf(dependency): PathOf<String>,
    _: Body<Nothing>,
    shared: web::Data<Shared>,
) -> Answer {
    if dependency.chars().any(char::is_control) {
        return Err(Problem::not_found("there is no such breaker"));
    }
    shared.door.ask(ResetBreaker(dependency.clone())).await??;
    Ok(HttpResponse::Ok().json(Reset {
        message: format!("Reset the breaker of '{dependency}'"),
        dependency,
        timestamp: Time(now(&shared)?),
    }))
}
