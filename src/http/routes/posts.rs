//! Posts: what became of each, newest first, and sending again what was given up.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    refusals::{OfChange, OfList, OfOne},
    wishes::Nothing,
};
use crate::{
    actors::messages::{FindPost, FindPosts, ResendPost},
    domain::{
        bot::BotName,
        post::{Post, PostQuery, PostStatus},
    },
    http::{
        Shared,
        audit::{self, Note},
        auth::{Operator, Reads},
        body::{Body, Params, PathOf},
        error::{Answer, Problem},
        paging::{self, Cursors},
        view::{run::PostView, words::PostWord},
    },
};

/// Rows of a page, if nobody says how many.
const USUAL: u32 = 50;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_posts)
        .service(get_post)
        .service(resend_post);
}

/// Which posts.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PostFilters {
    /// Only of this bot; a list without rows if there is no such bot
    actor: Option<String>,
    /// Only with this status
    #[param(inline)]
    status: Option<PostWord>,
    /// At most so many; 50 without it
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `X-Next-Cursor` of the page before
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

impl PostFilters {
    /// What the store is asked for; `None` if no row can match.
    fn query(&self, cursors: &Cursors, limit: u32) -> Result<Option<PostQuery>, Problem> {
        let cursor = self.cursor.as_deref();
        let row = cursor.map(|cursor| cursors.row(cursor)).transpose()?;
        let query = PostQuery {
            bot: None,
            status: self.status.map(PostStatus::from),
            after: row.and_then(|row| row.parse().ok()),
            limit: limit + 1,
        };
        Ok(match self.actor.as_deref().map(BotName::parse) {
            None => Some(query),
            Some(Ok(bot)) => Some(PostQuery {
                bot: Some(bot),
                ..query
            }),
            Some(Err(_)) => None,
        })
    }
}

/// The post of a path. A number that no post can have is refused like one that no post has.
fn post_id(text: &str) -> Result<i64, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|id| digits && *id > 0);
    id.ok_or_else(|| Problem::not_found(format!("there is no post {}", text.escape_debug())))
}

/// List posts
///
/// Newest first. Those with the status `dead` have spent their attempts, and those with `failed` were refused for good;
/// either is sent again only by hand. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "posts",
    params(PostFilters),
    responses(
        (status = 200, description = "The posts", body = [PostView], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfList,
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/posts")]
async fn list_posts(
    _: Reads,
    Params(filters): Params<PostFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let cursors = Cursors::of("posts", &filters);
    let limit = paging::bounded(filters.limit.unwrap_or(USUAL))?;
    let mut posts = match filters.query(&cursors, limit)? {
        Some(query) => shared.door.ask(FindPosts(query)).await??,
        None => Vec::new(),
    };
    let more = paging::cut(&mut posts, limit);
    let mut answer = HttpResponse::Ok();
    if let Some(last) = posts.last().filter(|_| more) {
        paging::lead_on(&mut answer, &request, &cursors.after(&last.id.to_string()));
    }
    let posts: Vec<PostView> = posts.into_iter().map(PostView::from).collect();
    Ok(answer.json(posts))
}

/// Show one post
///
/// Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "posts",
    params(("id" = i64, Path, description = "The post", minimum = 1)),
    responses((status = 200, description = "The post", body = PostView), OfOne),
    security((), ("bearerAuth" = []))
)]
#[get("/posts/{id}")]
async fn get_post(_: Reads, PathOf(id): PathOf<String>, shared: web::Data<Shared>) -> Answer {
    let post = shared.door.ask(FindPost(post_id(&id)?)).await??;
    Ok(HttpResponse::Ok().json(PostView::from(post)))
}

/// Send a post again
///
/// Only one that is `dead` or `failed`: it is `pending` again, its attempts begin anew, and it goes out behind all that
/// waits for its destination. If it has arrived after all, it is not doubled. Role: `operator`.
#[utoipa::path(
    tag = "posts",
    params(("id" = i64, Path, description = "The post", minimum = 1)),
    request_body(content = Option<Nothing>, description = "May be left out"),
    responses((status = 200, description = "The post, pending", body = PostView), OfChange),
    security(("bearerAuth" = []))
)]
#[post("/posts/{id}/resend")]
async fn resend_post(
    _: Operator,
    PathOf(id): PathOf<String>,
    _: Body<Nothing>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let (before, after) = shared.door.ask(ResendPost(post_id(&id)?)).await??;
    let state = |post: &Post| json!({ "status": post.status.as_str(), "attempts": post.attempts });
    let note = Note {
        before: Some(state(&before)),
        after: Some(state(&after)),
        ..Note::default()
    };
    audit::note(&request, note);
    Ok(HttpResponse::Ok().json(PostView::from(after)))
}
