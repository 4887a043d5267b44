//! What operators want of bots: pause, resume, trigger. The coordinator decides; every wish is safe to repeat.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    bot_name, now,
    refusals::{OfChange, OfMany},
    wishes::{Kinds, Nothing, PauseRequest, TriggerRequest},
};
use crate::{
    actors::messages::{BotCard, DescribeBot, Pause, Resume, ResumeAll, TriggerRun},
    domain::{input::RunInput, state::BotState},
    http::{
        Shared,
        audit::{self, Note},
        auth::Operator,
        body::{Body, Params, PathOf},
        error::Answer,
        spans::{self, traced},
        view::{
            actor::{Actor, HoldView},
            outline::Outline,
            time::Time,
        },
    },
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(resume_actors)
        .service(pause_actor)
        .service(resume_actor)
        .service(trigger_actor);
}

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
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let bot = bot_name(&id)?;
    let hold = wish.hold(&caller.subject, now(&shared)?)?;
    let before = shared.door.ask(DescribeBot(bot.clone())).await??;
    let state = shared.door.ask(Pause { bot, hold }).await??;
    note(&request, &before.state, &state);
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
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let bot = bot_name(&id)?;
    let before = shared.door.ask(DescribeBot(bot.clone())).await??;
    let state = shared.door.ask(Resume { bot, kind: None }).await??;
    note(&request, &before.state, &state);
    described(&shared, state).await
}

/// For the audit: the hold before and after.
fn note(request: &HttpRequest, before: &BotState, after: &BotState) {
    let hold = |state: &BotState| json!({ "hold": state.hold.as_ref().map(HoldView::from) });
    let note = Note {
        before: Some(hold(before)),
        after: Some(hold(after)),
        ..Note::default()
    };
    audit::note(request, note);
}

/// For the audit: what came of it.
pub(super) fn note_after(request: &HttpRequest, after: Value) {
    let after = Some(after);
    audit::note(
        request,
        Note {
            after,
            ..Note::default()
        },
    );
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
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let work = trigger(&id, wish, &request, &shared);
    traced(&request, "POST /api/v1/actors/{id}/trigger", work).await
}

async fn trigger(id: &str, wish: TriggerRequest, request: &HttpRequest, shared: &Shared) -> Answer {
    let bot = bot_name(id)?;
    let input = RunInput::traced(wish.input()?, spans::current());
    let message = format!("Triggered execution for actor '{bot}'");
    let execution = shared.door.ask(TriggerRun { bot, input }).await??;
    note_after(request, json!({ "execution_id": execution.0 }));
    Ok(HttpResponse::Ok().json(Triggered {
        message,
        timestamp: Time(now(shared)?),
        execution_id: execution.0,
    }))
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
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let mut resumed = Vec::new();
    for kind in kinds.kinds() {
        let bots = shared.door.ask(ResumeAll(kind)).await??;
        resumed.extend(bots.iter().map(ToString::to_string));
    }
    resumed.sort();
    note_after(&request, json!({ "resumed": resumed }));
    Ok(HttpResponse::Ok().json(Resumed { resumed }))
}
