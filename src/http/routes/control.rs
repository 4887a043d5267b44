//! What operators want of bots: pause, resume, trigger. The coordinator decides; every wish is safe to repeat.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    bot_name, now,
    refusals::{OfChange, OfMany},
};
use crate::{
    actors::messages::{BotCard, DescribeBot, Pause, Resume, ResumeAll, TriggerRun},
    domain::{
        Instant,
        hold::{Hold, HoldKind},
        state::BotState,
        text::has_nul,
    },
    http::{
        Shared,
        auth::Operator,
        body::{Body, Params, PathOf},
        error::{Answer, Problem},
        moment,
        view::{actor::Actor, outline::Outline, time::Time},
    },
};

/// The longest reason or note, in characters.
const LONGEST: usize = 500;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(resume_actors)
        .service(pause_actor)
        .service(resume_actor)
        .service(trigger_actor);
}

/// Why and how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PauseRequest {
    /// For people: why
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// When the bot goes on by itself: RFC 3339, in the future; until somebody resumes it if none is given
    #[schema(format = DateTime)]
    until: Option<String>,
}

impl PauseRequest {
    fn hold(self, by: &str, now: Instant) -> Result<Hold, Problem> {
        let until = self
            .until
            .as_deref()
            .map(|text| moment::read("until", text));
        let until = until.transpose()?;
        if until.is_some_and(|until| until <= now) {
            return Err(Problem::bad_request(
                "`until` is in the past; it must be in the future",
            ));
        }
        let reason = self.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason
            .map(|reason| one_line("reason", reason))
            .transpose()?;
        Ok(Hold {
            kind: HoldKind::Manual,
            reason: reason.unwrap_or_else(|| "paused by an operator".into()),
            until,
            by: by.to_owned(),
        })
    }
}

/// A text for people, fit for a log and a terminal.
fn one_line(name: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > LONGEST {
        let detail = format!("`{name}` is longer than {LONGEST} characters");
        return Err(Problem::bad_request(detail));
    }
    if text.chars().any(char::is_control) {
        let detail = format!("`{name}` has control characters; it must be one line of text");
        return Err(Problem::bad_request(detail));
    }
    Ok(text)
}

/// A body that says nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Pause a bot
///
/// Sets the hold `manual`, or gives it a new reason and end. A bot with another hold keeps that one. Role: `operator`.
#[utoipa::path(
    tag = "control",
    params(("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    request_body(content = Option<PauseRequest>, description = "May be left out"),
    responses((status = 200, description = "The bot, held", body = Actor), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/actors/{id}/pause")]
async fn pause_actor(
    Operator(caller): Operator,
    PathOf(id): PathOf<String>,
    Body(wish): Body<PauseRequest>,
    shared: web::Data<Shared>,
) -> Answer {
    let bot = bot_name(&id)?;
    let hold = wish.hold(&caller.subject, now(&shared)?)?;
    let state = shared.door.ask(Pause { bot, hold }).await??;
    described(&shared, state).await
}

/// Resume a bot
///
/// Ends its hold and sets its failure count to 0; without a hold nothing changes. A hold `invalid` ends by itself when the
/// bot's file is good. Role: `operator`.
#[utoipa::path(
    tag = "control",
    params(("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    request_body(content = Option<Nothing>, description = "May be left out"),
    responses((status = 200, description = "The bot", body = Actor), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/actors/{id}/resume")]
async fn resume_actor(
    _: Operator,
    PathOf(id): PathOf<String>,
    _: Body<Nothing>,
    shared: web::Data<Shared>,
) -> Answer {
    let bot = bot_name(&id)?;
    let state = shared.door.ask(Resume { bot, kind: None }).await??;
    described(&shared, state).await
}

/// The bot in the state that the store has just answered; memory may be a moment behind it.
async fn described(shared: &web::Data<Shared>, state: BotState) -> Answer {
    let card = shared.door.ask(DescribeBot(state.bot.clone())).await??;
    let card = BotCard {
        state,
        ..(*card).clone()
    };
    let outline = Outline::of(&card.bot, card.state.anchor);
    let coming = outline.coming(&card.state, card.claimed, now(shared)?);
    Ok(HttpResponse::Ok().json(Actor::of(&card, &outline, &coming)))
}

/// What the run is given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TriggerRequest {
    /// For people: why; stored with the run
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Do everything but post
    #[serde(default)]
    dry_run: bool,
    /// What templates see as `content`: an object, or a text that becomes its `body`
    #[schema(value_type = Option<Value>)]
    content: Option<Value>,
}

impl TriggerRequest {
    fn input(self) -> Result<Value, Problem> {
        let mut input = Map::new();
        if let Some(note) = self.note {
            input.insert("note".into(), one_line("note", note)?.into());
        }
        if self.dry_run {
            input.insert("dry_run".into(), true.into());
        }
        if self.content.as_ref().is_some_and(has_nul) {
            return Err(Problem::bad_request(
                "`content` has a NUL character, which cannot be stored",
            ));
        }
        match self.content {
            None | Some(Value::Null) => {}
            Some(content @ Value::Object(_)) => {
                input.insert("content".into(), content);
            }
            Some(Value::String(body)) => {
                input.insert("content".into(), serde_json::json!({ "body": body }));
            }
            Some(_) => {
                return Err(Problem::bad_request(
                    "`content` must be an object or a text",
                ));
            }
        }
        Ok(input.into())
    }
}

/// A run was started.
#[derive(Debug, Serialize, ToSchema)]
struct Triggered {
    #[schema(example = "Triggered execution for actor 'daily_poster'")]
    message: String,
    timestamp: Time,
    /// The run: see `/executions/{id}`
    execution_id: i64,
}

/// Run a bot now
///
/// Works under a hold, too. Refused with 409 while a run of the bot is on, unless its `overlap` is `allow_all`.
/// Role: `operator`.
#[utoipa::path(
    tag = "control",
    params(("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    request_body(content = Option<TriggerRequest>, description = "May be left out"),
    responses((status = 200, description = "A run was started", body = Triggered), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/actors/{id}/trigger")]
async fn trigger_actor(
    _: Operator,
    PathOf(id): PathOf<String>,
    Body(wish): Body<TriggerRequest>,
    shared: web::Data<Shared>,
) -> Answer {
    let (bot, input) = (bot_name(&id)?, wish.input()?);
    let message = format!("Triggered execution for actor '{bot}'");
    let execution = shared.door.ask(TriggerRun { bot, input }).await??;
    Ok(HttpResponse::Ok().json(Triggered {
        message,
        timestamp: Time(now(&shared)?),
        execution_id: execution.0,
    }))
}

/// The holds that an operator can end on all bots; `invalid` ends by itself.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EndableHold {
    Manual,
    Failures,
    Refused,
    GivenUp,
}

impl EndableHold {
    const ALL: [Self; 4] = [Self::Manual, Self::Failures, Self::Refused, Self::GivenUp];

    const fn kind(self) -> HoldKind {
        match self {
            Self::Manual => HoldKind::Manual,
            Self::Failures => HoldKind::Failures,
            Self::Refused => HoldKind::Refused,
            Self::GivenUp => HoldKind::GivenUp,
        }
    }
}

/// Which holds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Kinds {
    /// Only this kind; all of these without it
    #[param(inline)]
    kind: Option<EndableHold>,
}

/// Bots whose hold has ended.
#[derive(Debug, Serialize, ToSchema)]
struct Resumed {
    /// Their names, in order
    resumed: Vec<String>,
}

/// Resume all bots
///
/// Ends one kind of hold, or every kind but `invalid`, on every bot that has it. Role: `operator`.
#[utoipa::path(
    tag = "control",
    params(Kinds),
    request_body(content = Option<Nothing>, description = "May be left out"),
    responses((status = 200, description = "What was resumed", body = Resumed), OfMany),
    security(("bearerAuth" = []))
)]
#[post("/actors/resume")]
async fn resume_actors(
    _: Operator,
    Params(kinds): Params<Kinds>,
    _: Body<Nothing>,
    shared: web::Data<Shared>,
) -> Answer {
    let mut resumed = Vec::new();
    let kinds = kinds
        .kind
        .map_or(EndableHold::ALL.to_vec(), |kind| vec![kind]);
    for kind in kinds {
        let bots = shared.door.ask(ResumeAll(kind.kind())).await??;
        resumed.extend(bots.iter().map(ToString::to_string));
    }
    resumed.sort();
    Ok(HttpResponse::Ok().json(Resumed { resumed }))
}
