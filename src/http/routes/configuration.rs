//! The configuration in force, and reading the files again.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    control::note_after,
    now,
    refusals::{OfReload, OfShown},
};
use crate::{
    actors::messages::{ReloadConfiguration, ShowConfiguration},
    http::{
        Shared,
        auth::{Admin, Readonly},
        body::Body,
        error::Answer,
        view::time::Time,
    },
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_config).service(reload_config);
}

/// Show the configuration in force
///
/// Files, environment and flags together; secrets are `"***"`. Role: `readonly`, also if `auth.public_reads` is set.
#[utoipa::path(
    tag = "configuration",
    responses((status = 200, description = "The configuration", body = Object), OfShown),
    security(("bearerAuth" = []))
)]
#[get("/config")]
async fn get_config(_: Readonly, shared: web::Data<Shared>) -> Answer {
    let shown = shared.door.ask(ShowConfiguration).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// What to do with what was read.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReloadRequest {
    /// Only say what would change
    #[serde(default)]
    dry_run: bool,
}

/// The files were read.
#[derive(Debug, Serialize, ToSchema)]
struct Reloaded {
    #[schema(example = "Configuration reload triggered")]
    message: &'static str,
    timestamp: Time,
    /// Whether nothing was changed because nothing was to be
    dry_run: bool,
    /// What has changed, or would
    #[schema(value_type = Object)]
    plan: Value,
}

/// Read the configuration again
///
/// Applied as a whole or not at all; bots that have not changed keep their timers. SIGHUP does the same. Role: `admin`.
#[utoipa::path(
    tag = "configuration",
    request_body(content = Option<ReloadRequest>, description = "May be left out"),
    responses((status = 200, description = "What has changed, or would", body = Reloaded), OfReload),
    security(("bearerAuth" = []))
)]
#[post("/config/reload")]
async fn reload_config(
    _: Admin,
    Body(ReloadRequest { dry_run }): Body<ReloadRequest>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let plan = shared.door.ask(ReloadConfiguration { dry_run }).await??;
    note_after(&request, json!({ "dry_run": dry_run, "plan": plan }));
    let message = match dry_run {
        true => "Configuration checked; nothing was changed",
        false => "Configuration reload triggered",
    };
    Ok(HttpResponse::Ok().json(Reloaded {
        message,
        timestamp: Time(now(&shared)?),
        dry_run,
        plan,
    }))
}
