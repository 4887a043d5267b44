//! The ledger: what became of runs and slots, newest first.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    bot_name, now,
    refusals::{OfChange, OfList, OfOne},
    run_id,
    wishes::Nothing,
};
use crate::{
    actors::messages::{Cancel, DescribeBot, FindRun, FindRuns},
    domain::{
        Instant,
        bot::BotName,
        ledger::LedgerQuery,
        outcome::Status,
        run::{ExecutionId, Trigger},
    },
    http::{
        Shared,
        auth::{Operator, Reads},
        body::{Body, Params, PathOf},
        error::{Answer, Problem},
        moment,
        paging::{self, Cursors},
        view::{
            run::Execution,
            time::Time,
            words::{RunStatus, RunTrigger},
        },
    },
};

/// Rows of a page, if nobody says how many.
const USUAL: u32 = 50;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_executions)
        .service(list_actor_executions)
        .service(get_execution)
        .service(cancel_execution);
}

/// What else to show.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    /// Also slots that did not run.
    All,
}

/// Which rows of the ledger.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunFilters {
    /// Only of this bot; a list without rows if there is no such bot
    actor: Option<String>,
    /// Only with this status; `missed` implies `include=all`
    #[param(inline)]
    status: Option<RunStatus>,
    /// Only those started by this
    #[param(inline)]
    trigger: Option<RunTrigger>,
    /// Only those whose time (start, else slot, else when it was recorded) is not before this
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those whose time is before this
    #[param(format = DateTime)]
    until: Option<String>,
    /// `all`: also slots that did not run
    #[param(inline)]
    include: Option<Include>,
    /// At most so many; 50 without it
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Leave out so many of the newest; not together with `cursor`
    #[serde(skip_serializing)]
    offset: Option<u32>,
    /// `X-Next-Cursor` of the page before
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

impl RunFilters {
    /// What the store is asked for; `None` if no row can match.
    fn query(&self, cursors: &Cursors) -> Result<Option<LedgerQuery>, Problem> {
        if self.offset.is_some() && self.cursor.is_some() {
            let detail = "`offset` and `cursor` exclude each other; a cursor knows its place";
            return Err(Problem::bad_request(detail));
        }
        let missed = self.status == Some(RunStatus::Missed);
        let query = LedgerQuery {
            bot: None,
            status: self.status.map(Status::from),
            trigger: self.trigger.map(Trigger::from),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            all: self.include.is_some() || missed,
            after: self.after(cursors)?,
            offset: self.offset.unwrap_or_default(),
            limit: self.limit()? + 1,
        };
        Ok(match self.actor.as_deref().map(BotName::parse) {
            None => Some(query),
            Some(Ok(bot)) => Some(LedgerQuery {
                bot: Some(bot),
                ..query
            }),
            Some(Err(_)) => None,
        })
    }

    fn limit(&self) -> Result<u32, Problem> {
        paging::bounded(self.limit.unwrap_or(USUAL))
    }

    fn after(&self, cursors: &Cursors) -> Result<Option<ExecutionId>, Problem> {
        let row = self.cursor.as_deref().map(|cursor| cursors.row(cursor));
        let id = row.transpose()?.map(|row| run_id(&row));
        id.transpose()
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Instant>, Problem> {
    text.map(|text| moment::read(name, text)).transpose()
}

/// List runs
///
/// Newest first; with `include=all` also slots that did not run. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "executions",
    params(RunFilters),
    responses(
        (status = 200, description = "The rows of the ledger", body = [Execution], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfList,
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/executions")]
async fn list_executions(
    _: Reads,
    Params(filters): Params<RunFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    page(&shared, &request, &filters).await
}

/// List the runs of one bot
///
/// Like `/executions?actor=…`, but a bot that does not exist is refused. Role: `readonly`, or none if
/// `auth.public_reads` is set.
#[utoipa::path(
    tag = "executions",
    params(
        ("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$"),
        RunFilters,
    ),
    responses(
        (status = 200, description = "The rows of the ledger", body = [Execution], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfList, OfOne,
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/executions/actor/{id}")]
async fn list_actor_executions(
    _: Reads,
    PathOf(id): PathOf<String>,
    Params(filters): Params<RunFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    if filters.actor.as_ref().is_some_and(|actor| *actor != id) {
        return Err(Problem::bad_request(
            "`actor` names another bot than the path; leave it out",
        ));
    }
    shared.door.ask(DescribeBot(bot_name(&id)?)).await??;
    let filters = RunFilters {
        actor: Some(id),
        ..filters
    };
    page(&shared, &request, &filters).await
}

async fn page(shared: &web::Data<Shared>, request: &HttpRequest, filters: &RunFilters) -> Answer {
    let cursors = Cursors::of("executions", filters);
    let mut rows = match filters.query(&cursors)? {
        Some(query) => shared.door.ask(FindRuns(query)).await??,
        None => Vec::new(),
    };
    let more = paging::cut(&mut rows, filters.limit()?);
    let mut answer = HttpResponse::Ok();
    if let Some((last, _)) = rows.last().filter(|_| more) {
        paging::lead_on(&mut answer, request, &cursors.after(&last.id.to_string()));
    }
    let rows: Vec<Execution> = rows.into_iter().map(Execution::from).collect();
    Ok(answer.json(rows))
}

/// Show one run
///
/// Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "executions",
    params(("id" = i64, Path, description = "The run", minimum = 1)),
    responses((status = 200, description = "The run", body = Execution), OfOne),
    security((), ("bearerAuth" = []))
)]
#[get("/executions/{id}")]
async fn get_execution(_: Reads, PathOf(id): PathOf<String>, shared: web::Data<Shared>) -> Answer {
    let found = shared.door.ask(FindRun(run_id(&id)?)).await??;
    Ok(HttpResponse::Ok().json(Execution::from(found)))
}

/// A run is wanted to stop.
#[derive(Debug, Serialize, ToSchema)]
struct Cancelling {
    message: String,
    /// The run: see `/executions/{id}`
    execution_id: i64,
    timestamp: Time,
}

/// Stop a run
///
/// Its process stops it within a second or so; it ends as `cancelled`, which is no failure. Role: `operator`.
#[utoipa::path(
    tag = "control",
    params(("id" = i64, Path, description = "The run", minimum = 1)),
    request_body(content = Option<Nothing>, description = "May be left out"),
    responses((status = 202, description = "It will stop", body = Cancelling), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/executions/{id}/cancel")]
async fn cancel_execution(
    _: Operator,
    PathOf(id): PathOf<String>,
    _: Body<Nothing>,
    shared: web::Data<Shared>,
) -> Answer {
    let execution = run_id(&id)?;
    shared.door.ask(Cancel(execution)).await??;
    Ok(HttpResponse::Accepted().json(Cancelling {
        message: format!("Cancelling execution {execution}"),
        execution_id: execution.0,
        timestamp: Time(now(&shared)?),
    }))
}
