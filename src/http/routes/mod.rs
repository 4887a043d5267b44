//! The routes, one file for each subject. Each handler is collected for the OpenAPI document by `utoipa-actix-web`.

mod events;
mod stream;

use utoipa_actix_web::service_config::ServiceConfig;

/// Everything below `/api/v1`.
pub fn api(config: &mut ServiceConfig<'_>) {
    config.configure(events::routes).configure(stream::routes);
}
