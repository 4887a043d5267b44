//! Alerts: what is wrong, what was told, and whether anybody hears it.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    now,
    refusals::{OfChange, OfList},
};
use crate::{
    actors::messages::{AlertTested, FindAlerts, TEST_DEADLINE, TestAlert},
    http::{
        Shared,
        audit::{self, Note},
        auth::{Operator, Reads},
        body::{Body, Params},
        error::{Answer, Problem},
        paging,
        view::{
            alert::{Alerts, TestedView},
            time::Time,
        },
    },
};

/// Deliveries, if nobody says how many.
const USUAL: u32 = 50;
/// Whoever waits for the channels waits a little longer than they do.
const LONGEST_TEST: Duration = TEST_DEADLINE.saturating_add(Duration::from_secs(2));
/// No channel has a longer name, in bytes.
const LONGEST_NAME: usize = 64;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_alerts).service(test_alert);
}

/// How much of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertFilters {
    /// At most so many deliveries; 50 without it. Incidents that are open are all shown
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List alerts
///
/// The incidents that are open, and the newest deliveries to the channels. Role: `readonly`, or none if
/// `auth.public_reads` is set.
#[utoipa::path(
    tag = "alerts",
    params(AlertFilters),
    responses((status = 200, description = "What is wrong and what was told", body = Alerts), OfList),
    security((), ("bearerAuth" = []))
)]
#[get("/alerts")]
async fn list_alerts(
    _: Reads,
    Params(filters): Params<AlertFilters>,
    shared: web::Data<Shared>,
) -> Answer {
    let limit = paging::bounded(filters.limit.unwrap_or(USUAL))?;
    let limit = i64::from(limit);
    let found = shared.door.ask(FindAlerts { limit }).await??;
    Ok(HttpResponse::Ok().json(Alerts::from(found)))
}

/// Which channels.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestRequest {
    /// `webhook`, `discord` or `pagerduty`; all that are configured without it
    #[schema(example = "webhook")]
    channel: Option<String>,
}

impl TestRequest {
    /// A name that no channel can have is refused like one that no channel has.
    fn channel(self) -> Result<Option<String>, Problem> {
        let possible = |name: &String| {
            (1..=LONGEST_NAME).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match self.channel {
            Some(name) if !possible(&name) => Err(Problem::not_found("there is no such channel")),
            channel => Ok(channel),
        }
    }
}

/// What the channels said.
#[derive(Debug, Serialize, ToSchema)]
struct Tested {
    channels: Vec<TestedView>,
    timestamp: Time,
}

/// Send a test alert
///
/// To every channel, or to one, at once and without the queue; the answer comes when each has answered, within 15 s. That a
/// channel did not take it is part of the answer. Role: `operator`.
#[utoipa::path(
    tag = "alerts",
    request_body(content = Option<TestRequest>, description = "May be left out"),
    responses((status = 200, description = "What each channel said", body = Tested), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/alerts/test")]
async fn test_alert(
    _: Operator,
    Body(wish): Body<TestRequest>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let channel = wish.channel()?;
    note(&request, channel.clone(), None);
    let test = TestAlert {
        channel: channel.clone(),
    };
    let tested = shared.door.ask_within(LONGEST_TEST, test).await??;
    note(&request, channel, Some(&tested));
    Ok(HttpResponse::Ok().json(Tested {
        channels: tested.into_iter().map(TestedView::from).collect(),
        timestamp: Time(now(&shared)?),
    }))
}

/// For the audit: which channel, and what each said.
fn note(request: &HttpRequest, target: Option<String>, tested: Option<&Vec<AlertTested>>) {
    let said = |one: &AlertTested| {
        let said = one.error.clone().unwrap_or_else(|| "sent".into());
        (one.channel.clone(), Value::from(said))
    };
    let after = tested.map(|tested| tested.iter().map(said).collect::<Map<_, _>>());
    let note = Note {
        target,
        after: after.map(Value::from),
        ..Note::default()
    };
    audit::note(request, note);
}
