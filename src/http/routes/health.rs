//! Probes and the health report. Probes read atomics only: they cost nothing, wait for nobody, and answer while the store
//! is away and the actors are not there yet.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, HttpResponseBuilder, get, http::StatusCode, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    actors::{
        door::Unanswered,
        messages::{AskHealth, HealthReport},
        vitals::Phase,
    },
    domain::{
        Instant,
        health::{Health, Level},
    },
    http::Shared,
};

/// How long actors may take over the report: whoever asks how they are must hear of it if they do not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an orchestrator asks.
pub(in crate::http) fn probes(config: &mut ServiceConfig<'_>) {
    config.service(live).service(ready).service(startup);
}

/// What a person asks.
pub(in crate::http) fn report(config: &mut ServiceConfig<'_>) {
    config.service(everything);
}

/// The answer of a probe.
#[derive(Serialize, ToSchema)]
struct Probe {
    /// In a word.
    #[schema(example = "ok")]
    status: &'static str,
    /// Now.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Instant,
}

/// Whether slots are run, and what is missing if not.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// Now.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Instant,
    /// What it takes, besides that the server is not stopping.
    checks: Checks,
}

/// What being ready takes.
#[derive(Serialize, ToSchema)]
struct Checks {
    /// The database answers, and takes writes.
    database: bool,
    /// The bots are known.
    actors_loaded: bool,
}

fn answer(good: bool) -> HttpResponseBuilder {
    HttpResponse::build(match good {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    })
}

/// Whether the actors are at work; if not, only a restart helps.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "The actors are at work", body = Probe),
        (status = 503, description = "They are not: only a restart helps", body = Probe),
    )
)]
#[get("/health/live")]
async fn live(shared: web::Data<Shared>) -> HttpResponse {
    let live = shared.door.vitals().is_live();
    answer(live).json(Probe {
        status: if live { "ok" } else { "wedged" },
        timestamp: shared.clock.now(),
    })
}

/// Whether slots are run: the database answers, the bots are known, and the server is not stopping.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "Slots are run", body = Readiness),
        (status = 503, description = "They are not, and the checks say why", body = Readiness),
    )
)]
#[get("/health/ready")]
async fn ready(shared: web::Data<Shared>) -> HttpResponse {
    let vitals = shared.door.vitals();
    let ready = vitals.is_ready();
    answer(ready).json(Readiness {
        status: if ready { "ready" } else { "not_ready" },
        timestamp: shared.clock.now(),
        checks: Checks {
            database: vitals.database(),
            actors_loaded: vitals.loaded(),
        },
    })
}

/// Whether the start is over; once it is, it stays so.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "The start is over", body = Probe),
        (status = 503, description = "The start goes on", body = Probe),
    )
)]
#[get("/health/startup")]
async fn startup(shared: web::Data<Shared>) -> HttpResponse {
    let started = shared.door.vitals().started();
    answer(started).json(Probe {
        status: if started { "started" } else { "starting" },
        timestamp: shared.clock.now(),
    })
}

/// How something is, and since when.
#[derive(Serialize, ToSchema)]
struct Component {
    /// `healthy`, `degraded` or `unhealthy`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
}

impl Component {
    fn new(health: &Health, since: Instant) -> Self {
        Self {
            status: health.level().as_str(),
            reason: health.reason().map(str::to_owned),
            since,
        }
    }
}

/// How the whole is, and every part of it.
#[derive(Serialize, ToSchema)]
struct Report {
    #[serde(flatten)]
    whole: Component,
    /// Now.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Instant,
    /// Every part by its name.
    components: BTreeMap<String, Component>,
}

/// How the server and its parts are, and since when. A database that is away leaves it degraded: runs end, and their
/// results are kept in memory until the database is back.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "Healthy, or degraded", body = Report),
        (status = 503, description = "Unhealthy", body = Report),
    )
)]
#[get("/health")]
async fn everything(shared: web::Data<Shared>) -> HttpResponse {
    fail::fail_point!("http.report");
    let now = shared.clock.now();
    let asked = tokio::time::timeout(PATIENCE, shared.door.ask(AskHealth)).await;
    let HealthReport { mut whole, parts } = match asked.unwrap_or(Err(Unanswered::NotInTime)) {
        Ok(report) => report,
        Err(unanswered) => unanswered_report(&unanswered, now - shared.door.vitals().silence()),
    };
    if whole == Health::Healthy && shared.door.vitals().phase() == Phase::Draining {
        whole = Health::Degraded("the server is stopping".into());
    }
    let components = parts.iter();
    answer(whole.level() != Level::Unhealthy).json(Report {
        whole: Component::new(&whole, since(whole.level(), &parts).unwrap_or(now)),
        timestamp: now,
        components: components
            .map(|(name, health, since)| (name.clone(), Component::new(health, *since)))
            .collect(),
    })
}

/// Nobody was there to ask: that is what there is to say.
fn unanswered_report(unanswered: &Unanswered, since: Instant) -> HealthReport {
    let reason = unanswered.to_string();
    let whole = match unanswered {
        Unanswered::Starting => Health::Degraded(reason),
        Unanswered::NotInTime => Health::Unhealthy(reason),
    };
    let part = ("coordinator".to_owned(), whole.clone(), since);
    HealthReport {
        whole,
        parts: vec![part].into(),
    }
}

/// The whole is well since its last part became so, and unwell since its first part is.
fn since(level: Level, parts: &[(String, Health, Instant)]) -> Option<Instant> {
    if level == Level::Healthy {
        return parts.iter().map(|(.., since)| *since).max();
    }
    let unwell = parts
        .iter()
        .filter(|(_, health, _)| *health != Health::Healthy);
    unwell.map(|(.., since)| *since).min()
}
