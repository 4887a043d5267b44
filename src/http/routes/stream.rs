//! What happens, as it happens.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentEncoding},
    },
    web,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    actors::{
        door::Unanswered,
        env::Env,
        news::{Interest, Kind, Refused},
    },
    domain::bot::BotName,
    http::{
        Shared,
        auth::Reads,
        body::Params,
        error::{Answer, Problem},
        sse,
    },
};

/// Where a client was, in the request that it comes back with.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// When it is worth while to ask again for a place, in seconds.
const RETRY_AFTER: &str = "5";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(stream);
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filters {
    /// Only what is about this bot
    actor: Option<String>,
    /// Only these, separated by commas: `run_started`, `run_ended`, `hold_set`, `hold_cleared`, `actor_restarted`,
    /// `breaker_changed`
    events: Option<String>,
    /// Like the header `Last-Event-ID`, for clients that cannot set one
    last_event_id: Option<String>,
}

impl Filters {
    fn interest(&self, env: &Env) -> Result<Interest, Problem> {
        let bot = self.actor.as_deref().map(|text| known(text, env));
        let events = self.events.iter().flat_map(|names| names.split(','));
        Ok(Interest {
            bot: bot.transpose()?,
            kinds: events.map(kind).collect::<Result<_, _>>()?,
        })
    }
}

fn known(text: &str, env: &Env) -> Result<String, Problem> {
    let bot = BotName::parse(text)
        .ok()
        .filter(|bot| env.bot(bot).is_some());
    let detail = || {
        format!(
            "`actor` is `{}`, and there is no such bot",
            text.escape_debug()
        )
    };
    bot.map(|bot| bot.as_str().to_owned())
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, detail()))
}

fn kind(text: &str) -> Result<Kind, Problem> {
    Kind::parse(text).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::as_str).join(", ");
        let detail = format!(
            "`events` has `{}`; use some of {names}",
            text.escape_debug()
        );
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, refused.to_string());
        problem.with_header("Retry-After", RETRY_AFTER)
    }
}

/// An event of the stream: its fields, as the specification of server-sent events names them
#[derive(ToSchema)]
#[expect(dead_code, reason = "tells the document what `http::sse` writes")]
struct StreamEvent {
    event: StreamEventName,
    /// For `Last-Event-ID`
    #[schema(required = false, nullable = false)]
    id: String,
    /// One line of JSON: an object with `at`, and what the event is about
    data: String,
}

/// What has happened
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "tells the document what `http::sse` writes")]
enum StreamEventName {
    RunStarted,
    RunEnded,
    HoldSet,
    HoldCleared,
    ActorRestarted,
    BreakerChanged,
    /// Events may be missing before the next one
    Gap,
    /// This client did not keep up, and the stream ends
    Dropped,
}

/// Follow what happens
///
/// Server-sent events of this process: `run_started`, `run_ended`, `hold_set`, `hold_cleared`, `actor_restarted` and
/// `breaker_changed`. A client that comes back with `Last-Event-ID` gets what it missed; if that is not to be had, the
/// stream begins with `gap`. One that does not keep up gets `dropped`, and the stream ends. Role: `readonly`, or none if
/// `auth.public_reads` is set.
#[utoipa::path(
    tag = "stream",
    params(
        Filters,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was received"),
    ),
    responses(
        (status = 200, description = "Events, for as long as the client stays; the schema is one event's", body = StreamEvent, content_type = "text/event-stream"),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A token is missing or not good", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from this address", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many clients listen, or the server starts or stops", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/stream")]
async fn stream(
    _: Reads,
    Params(filters): Params<Filters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let env = shared.door.env().ok_or(Unanswered::Starting)?;
    let header = request.headers().get(LAST_EVENT_ID);
    // Whatever it is that is no id of this process: the client is told so by the stream.
    let header = header.map(|value| value.to_str().unwrap_or("?"));
    let after = header.or(filters.last_event_id.as_deref());
    let listener = env.news.subscribe(after, filters.interest(env)?)?;
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        // A compressor would hold events back until it has enough of them.
        .insert_header(ContentEncoding::Identity)
        .streaming(sse::body(listener, env.clock.clone(), sse::HEARTBEAT)))
}
