//! Bots, from the actors' memory; only the recent runs of one are read from the database.

use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    bot_name, now,
    refusals::{OfList, OfOne},
};
use crate::{
    actors::messages::{BotCard, Bots, DescribeBot, FindRuns, ListBots},
    domain::{Instant, ledger::LedgerQuery},
    http::{
        Shared,
        auth::Reads,
        body::{Params, PathOf},
        error::{Answer, Problem},
        paging::{self, Cursors},
        view::{
            actor::Actor,
            gallery::Gallery,
            status::{ActorStatus, RECENT},
        },
    },
};

/// Lists longer than this are drawn on another thread, so that a worker goes on answering.
const LONG: usize = 500;
/// The longest text to look for, in characters.
const LONGEST_TEXT: usize = 200;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .app_data(web::Data::new(Gallery::default()))
        .service(list_actors)
        .service(get_actor)
        .service(get_actor_status);
}

/// Which bots.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActorFilters {
    /// Only those with (or without) a hold
    paused: Option<bool>,
    /// Only those that are switched on (or off) in the configuration
    enabled: Option<bool>,
    /// Only those with this text in name, title or description, whatever its case
    #[param(max_length = 200)]
    q: Option<String>,
    /// At most so many; all without it
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `X-Next-Cursor` of the page before
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

impl ActorFilters {
    fn is_everything(&self) -> bool {
        let Self {
            paused,
            enabled,
            q,
            limit,
            cursor,
        } = self;
        let filtered = paused.is_some() || enabled.is_some() || q.is_some();
        !filtered && limit.is_none() && cursor.is_none()
    }

    fn check(&self) -> Result<(), Problem> {
        let length = self.q.as_ref().map_or(0, |q| q.chars().count());
        if length <= LONGEST_TEXT {
            return Ok(());
        }
        let detail = format!("`q` has {length} characters; it must have {LONGEST_TEXT} at most");
        Err(Problem::bad_request(detail))
    }

    fn takes(&self, card: &BotCard) -> bool {
        let right = |wanted: Option<bool>, is| wanted.is_none_or(|wanted| wanted == is);
        right(self.paused, card.state.hold.is_some())
            && right(self.enabled, card.bot.enabled)
            && self
                .q
                .as_ref()
                .is_none_or(|q| mentions(card, &q.to_lowercase()))
    }
}

fn mentions(card: &BotCard, text: &str) -> bool {
    let behaviour = &card.bot.behaviour;
    [
        card.bot.name.as_str(),
        &behaviour.title,
        &behaviour.description,
    ]
    .iter()
    .any(|field| field.to_lowercase().contains(text))
}

/// List the bots
///
/// By name. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "actors",
    params(ActorFilters),
    responses(
        (status = 200, description = "The bots", body = [Actor], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfList,
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/actors")]
async fn list_actors(
    _: Reads,
    Params(filters): Params<ActorFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
    gallery: web::Data<Gallery>,
) -> Answer {
    filters.check()?;
    let bots = shared.door.ask(ListBots).await?;
    let now = now(&shared)?;
    if filters.is_everything() {
        return Ok(json(everything(gallery, bots, now).await?));
    }
    let page = page(&bots, &filters)?;
    let mut answer = HttpResponse::Ok();
    if let Some(cursor) = &page.next {
        paging::lead_on(&mut answer, &request, cursor);
    }
    let cards = page.cards.into_iter().filter_map(|n| bots.cards.get(n));
    Ok(answer
        .content_type("application/json")
        .body(gallery.some(cards, now)))
}

async fn everything(gallery: web::Data<Gallery>, bots: Bots, now: Instant) -> Answer<Bytes> {
    if let Some(drawn) = gallery.whole(&bots.cards, now) {
        return Ok(drawn);
    }
    if bots.cards.len() <= LONG {
        return Ok(gallery.draw_whole(&bots.cards, now));
    }
    let drawn = web::block(move || gallery.draw_whole(&bots.cards, now)).await;
    drawn.map_err(|_| Problem::unavailable("the server is stopping"))
}

struct Page {
    /// Which cards.
    cards: Vec<usize>,
    next: Option<String>,
}

fn page(bots: &Bots, filters: &ActorFilters) -> Result<Page, Problem> {
    let cursors = Cursors::of("actors", filters);
    let after = filters.cursor.as_deref().map(|cursor| cursors.row(cursor));
    let after = after.transpose()?;
    let limit = filters.limit.map(paging::bounded).transpose()?;
    let matching = bots.cards.iter().enumerate().filter(|(_, card)| {
        after
            .as_deref()
            .is_none_or(|after| card.bot.name.as_str() > after)
            && filters.takes(card)
    });
    let most = limit.map_or(usize::MAX, |limit| limit as usize + 1);
    let mut cards: Vec<usize> = matching.map(|(n, _)| n).take(most).collect();
    let more = limit.is_some_and(|limit| paging::cut(&mut cards, limit));
    let last = cards
        .last()
        .and_then(|n| bots.cards.get(*n))
        .filter(|_| more);
    let next = last.map(|card| cursors.after(card.bot.name.as_str()));
    Ok(Page { cards, next })
}

/// Show one bot
///
/// Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "actors",
    params(("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    responses((status = 200, description = "The bot", body = Actor), OfOne),
    security((), ("bearerAuth" = []))
)]
#[get("/actors/{id}")]
async fn get_actor(
    _: Reads,
    PathOf(id): PathOf<String>,
    shared: web::Data<Shared>,
    gallery: web::Data<Gallery>,
) -> Answer {
    let card = shared.door.ask(DescribeBot(bot_name(&id)?)).await??;
    Ok(json(gallery.one(&card, now(&shared)?)))
}

/// Show how a bot has been doing
///
/// Over its last five runs. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "actors",
    params(("id" = String, Path, description = "The bot's name", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    responses((status = 200, description = "How it has been doing", body = ActorStatus), OfOne),
    security((), ("bearerAuth" = []))
)]
#[get("/actors/{id}/status")]
async fn get_actor_status(
    _: Reads,
    PathOf(id): PathOf<String>,
    shared: web::Data<Shared>,
) -> Answer {
    let card = shared.door.ask(DescribeBot(bot_name(&id)?)).await??;
    let recent = LedgerQuery {
        bot: Some(card.bot.name.clone()),
        limit: RECENT,
        ..LedgerQuery::default()
    };
    let runs = shared.door.ask(FindRuns(recent)).await??;
    let success = runs.iter().map(|(run, _)| run.success);
    Ok(HttpResponse::Ok().json(ActorStatus::of(&card, success)))
}

fn json(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(body)
}
