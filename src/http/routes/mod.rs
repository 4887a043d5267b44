//! The routes, one file for each subject. Each handler is collected for the OpenAPI document by `utoipa-actix-web`.

pub mod actors;
pub mod alerts;
pub mod audit;
pub mod breakers;
pub mod configuration;
pub mod content;
pub mod control;
pub mod events;
pub mod executions;
pub(super) mod health;
pub(super) mod metrics;
pub mod openapi;
mod optional;
pub mod page;
pub mod posts;
pub mod refusals;
pub mod stream;
pub mod supervision;
mod wishes;

use utoipa_actix_web::service_config::ServiceConfig;

use super::{Shared, error::Problem};
use crate::{
    actors::door::Unanswered,
    domain::{Instant, bot::BotName, run::ExecutionId},
};

/// Where the API is.
pub const BASE: &str = "/api/v1";

/// Everything below [`BASE`].
pub fn api(config: &mut ServiceConfig<'_>) {
    // `/actors/resume` stands before `/actors/{id}`: the first pattern that fits is the one that the audit tells of.
    config
        .configure(control::routes)
        .configure(actors::routes)
        .configure(executions::routes)
        .configure(posts::routes)
        .configure(configuration::routes)
        .configure(supervision::routes)
        .configure(breakers::routes)
        .configure(alerts::routes)
        .configure(content::routes)
        .configure(audit::routes)
        .configure(events::routes)
        .configure(stream::routes)
        .configure(openapi::routes);
}

/// What is not below [`BASE`]: the operations page.
pub fn root(config: &mut ServiceConfig<'_>) {
    config.configure(page::routes);
}

/// What time it is, by the clock that the scheduler goes by.
fn now(shared: &Shared) -> Result<Instant, Problem> {
    let env = shared.door.env().ok_or(Unanswered::Starting)?;
    Ok(env.clock.now())
}

/// The bot of a path. A name that no bot can have is refused like one that no bot has.
fn bot_name(text: &str) -> Result<BotName, Problem> {
    BotName::parse(text)
        .map_err(|_| Problem::not_found(format!("there is no bot `{}`", text.escape_debug())))
}

/// The run of a path. A number that no run can have is refused like one that no run has.
fn run_id(text: &str) -> Result<ExecutionId, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|id| digits && *id > 0);
    id.map(ExecutionId)
        .ok_or_else(|| Problem::not_found(format!("there is no run {}", text.escape_debug())))
}
