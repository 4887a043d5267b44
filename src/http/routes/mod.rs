//! The routes, one file for each subject. Each handler is collected for the OpenAPI document by `utoipa-actix-web`.

pub(super) mod health;
pub(super) mod metrics;

use utoipa_actix_web::service_config::ServiceConfig;

/// Everything below `/api/v1`.
pub fn api(_: &mut ServiceConfig<'_>) {}
