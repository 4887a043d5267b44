//! How the actor system is. A database that is away is part of the answer, not a reason to give none.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::refusals::OfOverview;
use crate::{
    actors::messages::{FindReplicas, Inspect},
    http::{Shared, auth::Reads, error::Answer, view::tree::Supervision},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_supervision);
}

/// Show the supervision tree
///
/// Every actor of the process that answers, the breakers, and the processes that share the database. Role: `readonly`, or
/// none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "supervision",
    responses((status = 200, description = "How the actor system is", body = Supervision), OfOverview),
    security((), ("bearerAuth" = []))
)]
#[get("/supervision")]
async fn get_supervision(_: Reads, shared: web::Data<Shared>) -> Answer {
    let tree = shared.door.ask(Inspect).await?;
    let replicas = match shared.door.ask(FindReplicas).await {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Ok(HttpResponse::Ok().json(Supervision::of(tree, replicas)))
}
