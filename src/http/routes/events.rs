//! Starting bots from outside: an event starts every bot that listens for its type.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post, web};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    actors::{
        door::Unanswered,
        messages::{ControlError, FindRun, StartEvent},
    },
    domain::{
        bot::BotName,
        json::{depth, means_the_same},
        run::ExecutionId,
    },
    http::{
        Shared,
        auth::sender::Sent,
        body::object,
        error::{Answer, Problem},
        spans::{self, traced},
    },
};

/// The longest type and the longest source, in characters.
const LONGEST_TYPE: usize = 128;
const LONGEST_SOURCE: usize = 256;
/// Arrays and objects inside one another; what is stored with a run wraps some more around them, and has to be read again.
const DEEPEST: usize = 64;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(start_event);
}

/// Something that happened elsewhere
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Event {
    /// What bots listen for: letters, digits and `._:/-`
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9._:/-]{1,128}$",
        example = "release.published"
    )]
    event_type: String,
    /// Where it comes from
    #[schema(min_length = 1, max_length = 256, example = "ci")]
    source: String,
    /// Goes to the runs: templates read it as `event.payload`
    #[serde(default)]
    payload: Value,
}

impl Event {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let event: Self = object(body).map_err(|what| wrong(&what))?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        let kind = (1..=LONGEST_TYPE).contains(&event.event_type.len());
        if !kind || !event.event_type.bytes().all(allowed) {
            return Err(wrong(
                "`event_type` must be 1 to 128 of A-Z a-z 0-9 . _ : / -",
            ));
        }
        let length = event.source.chars().count();
        if !(1..=LONGEST_SOURCE).contains(&length) || event.source.chars().any(char::is_control) {
            return Err(wrong(
                "`source` must be 1 to 256 characters, none of them a control character",
            ));
        }
        if depth(&event.payload) > DEEPEST {
            return Err(wrong("`payload` is nested more than 64 deep"));
        }
        Ok(event)
    }

    /// Whether `input`, what a run was started with, is of this event.
    fn has_started(&self, input: &Value) -> bool {
        let mine =
            json!({ "type": self.event_type, "source": self.source, "payload": self.payload });
        input
            .get("event")
            .is_none_or(|event| means_the_same(event, &mine))
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// What an event has started
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    /// One for each bot that listens; of a repetition those that the first one started
    executions: Vec<Started>,
    event_type: String,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// A run
#[derive(Debug, Serialize, ToSchema)]
struct Started {
    /// The bot's name
    actor: String,
    /// The run: see `/executions/{id}`
    execution_id: i64,
}

impl From<(BotName, ExecutionId)> for Started {
    fn from((bot, execution): (BotName, ExecutionId)) -> Self {
        Self {
            actor: bot.as_str().to_owned(),
            execution_id: execution.0,
        }
    }
}

/// Start the bots that listen for an event
///
/// Needs a token with the role `operator`, or a signature by the Standard Webhooks specification (`webhook-id`,
/// `webhook-timestamp`, `webhook-signature`) with `auth.events_secret`. A repetition with the same `Idempotency-Key`, or
/// of the same `webhook-id`, starts nothing and names the runs of the first.
#[utoipa::path(
    tag = "events",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters", pattern = "^[!-~]{1,255}$"),
        ("webhook-id" = Option<String>, Header, description = "Signed; what a repetition is recognised by"),
        ("webhook-timestamp" = Option<String>, Header, description = "Signed; Unix seconds, at most 300 away"),
        ("webhook-signature" = Option<String>, Header, description = "`v1,` and base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`"),
    ),
    request_body = Event,
    responses(
        (status = 202, description = "The runs that were started; none if no bot listens", body = Accepted),
        (status = 400, description = "A header or the body is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Neither a good token nor a good signature", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token's role is too low", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The key was used for another event", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from this address", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Neither a key nor a secret is configured, the server starts or stops, or the database is away", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("bearerAuth" = []))
)]
#[post("/events")]
async fn start_event(sent: Sent, request: HttpRequest, shared: web::Data<Shared>) -> Answer {
    traced(&request, "POST /api/v1/events", start(sent, &shared)).await
}

async fn start(sent: Sent, shared: &Shared) -> Answer {
    let event = Event::read(&sent.body)?;
    let at = shared.door.env().ok_or(Unanswered::Starting)?.clock.now();
    let keyed = sent.key.is_some();
    let wish = StartEvent {
        event_type: event.event_type.clone(),
        source: event.source.clone(),
        payload: event.payload.clone(),
        key: sent.key,
        trace: spans::current(),
    };
    let runs = shared.door.ask(wish).await??;
    if let Some((_, execution)) = runs.first().filter(|_| keyed) {
        refuse_another_event(shared, *execution, &event).await?;
    }
    Ok(HttpResponse::Accepted().json(Accepted {
        executions: runs.into_iter().map(Started::from).collect(),
        event_type: event.event_type,
        timestamp: at.to_rfc3339_opts(SecondsFormat::Micros, true),
    }))
}

/// A key that comes with another event than the first time is a mistake of the sender's: nothing was started by it.
async fn refuse_another_event(
    shared: &Shared,
    execution: ExecutionId,
    event: &Event,
) -> Result<(), Problem> {
    let run = match shared.door.ask(FindRun(execution)).await? {
        // It was deleted just now, with its history.
        Err(ControlError::UnknownRun(_)) => return Ok(()),
        run => run?.0,
    };
    match run.metadata.get("input") {
        Some(input) if !event.has_started(input) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("this key has started run {execution}, for another event; use a new key"),
        )),
        _ => Ok(()),
    }
}
