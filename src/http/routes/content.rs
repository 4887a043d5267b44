//! Knowledge tables: a table is there as soon as it has an item.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, delete, get, post, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    control::note_after,
    refusals::{OfList, OfOverview, OfRemoval, OfUpload},
};
use crate::{
    actors::messages::{AddContent, FindContent, FindTables, LONG_DEADLINE, RemoveContent},
    domain::{
        bot::BotName,
        content::{ContentItem, ContentQuery},
        import::{self, Format},
    },
    http::{
        Shared,
        auth::{Operator, Reads},
        body::{Params, PathOf, Raw},
        error::{Answer, Problem},
        paging::{self, Cursors},
        view::content::{Item, Table},
    },
};

/// The longest file.
const LARGEST: usize = 8 << 20;
/// Rows of a page, if nobody says how many.
const USUAL: u32 = 50;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_tables)
        .service(list_content)
        .service(add_content)
        .service(remove_content);
}

/// Names of tables are made like those of bots.
fn table_name(text: String) -> Result<String, Problem> {
    match BotName::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(Problem::not_found(format!(
            "`{}` is no table; use 1 to 64 of A-Z a-z 0-9 _ -",
            text.escape_debug()
        ))),
    }
}

/// List knowledge tables
///
/// By name; a table is there as soon as it has an item. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "content",
    responses((status = 200, description = "The tables", body = [Table]), OfOverview),
    security((), ("bearerAuth" = []))
)]
#[get("/content")]
async fn list_tables(_: Reads, shared: web::Data<Shared>) -> Answer {
    let tables = shared.door.ask(FindTables).await??;
    let tables: Vec<Table> = tables.into_iter().map(Table::from).collect();
    Ok(HttpResponse::Ok().json(tables))
}

/// Which items.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ContentFilters {
    /// At most so many; 50 without it
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `X-Next-Cursor` of the page before
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

/// List knowledge items
///
/// Newest first; a table that nobody has filled has none. Role: `readonly`, or none if `auth.public_reads` is set.
#[utoipa::path(
    tag = "content",
    params(
        ("table" = String, Path, description = "The knowledge table", pattern = "^[A-Za-z0-9_-]{1,64}$"),
        ContentFilters,
    ),
    responses(
        (status = 200, description = "The items", body = [Item], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfList,
        (status = 404, description = "No table has such a name", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("bearerAuth" = []))
)]
#[get("/content/{table}")]
async fn list_content(
    _: Reads,
    PathOf(table): PathOf<String>,
    Params(filters): Params<ContentFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let table = table_name(table)?;
    let cursors = Cursors::of("content", &table);
    let limit = paging::bounded(filters.limit.unwrap_or(USUAL))?;
    let after = after(&cursors, filters.cursor.as_deref())?;
    let query = ContentQuery {
        table,
        after,
        limit: limit + 1,
    };
    let mut items = shared.door.ask(FindContent(query)).await??;
    let more = paging::cut(&mut items, limit);
    let mut answer = HttpResponse::Ok();
    if let Some(last) = items.last().filter(|_| more) {
        paging::lead_on(&mut answer, &request, &cursors.after(&last.id.to_string()));
    }
    let items: Vec<Item> = items.into_iter().map(Item::from).collect();
    Ok(answer.json(items))
}

fn after(cursors: &Cursors, cursor: Option<&str>) -> Result<Option<i64>, Problem> {
    let row = cursor.map(|cursor| cursors.row(cursor)).transpose()?;
    Ok(row.and_then(|row| row.parse().ok()))
}

/// What was stored.
#[derive(Debug, Serialize, ToSchema)]
struct Added {
    /// How many items
    count: usize,
    /// Their rows, in the order of the items
    ids: Vec<i64>,
}

/// An item to store
#[derive(ToSchema)]
#[schema(as = NewItem)]
#[expect(dead_code, reason = "tells the document what `domain::import` reads")]
struct NewItem {
    /// What it is known by within its table; the text decides without it
    #[schema(max_length = 500)]
    key: Option<String>,
    title: Option<String>,
    #[schema(min_length = 1)]
    body: String,
    #[schema(max_length = 500)]
    source: Option<String>,
    #[schema(required = false)]
    tags: Vec<String>,
    /// The higher the sooner
    #[schema(required = false, minimum = 0, maximum = 1, default = 0.5)]
    priority: f64,
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required = false)]
    media: Vec<String>,
    #[schema(required = false, value_type = Object)]
    metadata: serde_json::Value,
}

/// One item or many
#[derive(ToSchema)]
#[schema(as = NewItems)]
#[expect(dead_code, reason = "tells the document what `domain::import` reads")]
#[serde(untagged)]
enum NewItems {
    One(Box<NewItem>),
    Many(Vec<NewItem>),
}

/// Add knowledge items
///
/// All or none, up to 8 MiB: an object, an array, JSON Lines, or CSV with a line of column names (tags and media separated
/// by `;`). An item with a known key takes the place of the stored one. Role: `operator`.
#[utoipa::path(
    tag = "content",
    params(("table" = String, Path, description = "The knowledge table", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    request_body(content(
        (NewItems = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
    )),
    responses((status = 201, description = "All are stored", body = Added), OfUpload),
    security(("bearerAuth" = []))
)]
#[post("/content/{table}")]
async fn add_content(
    _: Operator,
    PathOf(table): PathOf<String>,
    request: HttpRequest,
    Raw(body): Raw<LARGEST>,
    shared: web::Data<Shared>,
) -> Answer {
    let table = table_name(table)?;
    let items = items(&request, body).await?;
    let ids = shared
        .door
        .ask_within(LONG_DEADLINE, AddContent { table, items })
        .await??;
    note_after(&request, json!({ "count": ids.len() }));
    Ok(HttpResponse::Created().json(Added {
        count: ids.len(),
        ids,
    }))
}

async fn items(request: &HttpRequest, body: Bytes) -> Result<Vec<ContentItem>, Problem> {
    let format = format(request)?;
    let read = web::block(move || import::read(format, &body)).await;
    let read = read.map_err(|_| Problem::unavailable("the server is stopping"))?;
    read.map_err(|errors| {
        Problem::bad_request(format!("nothing was stored: {}", errors.join("; ")))
            .with_errors(errors)
    })
}

fn format(request: &HttpRequest) -> Result<Format, Problem> {
    match request.content_type().to_ascii_lowercase().as_str() {
        "" | "application/json" => Ok(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
            Ok(Format::JsonLines)
        }
        "text/csv" => Ok(Format::Csv),
        other => Err(Problem::unread_type(format!(
            "`{}` is not read here; send application/json, application/x-ndjson or text/csv",
            other.escape_debug()
        ))),
    }
}

/// Which items go.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// This one
    id: Option<i64>,
    /// `true`: all of the table
    all: Option<bool>,
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
struct Removed {
    /// How many items
    removed: u64,
}

/// Remove knowledge items
///
/// One by its `id`, or the whole table by `all=true`. Role: `operator`.
#[utoipa::path(
    tag = "content",
    params(
        ("table" = String, Path, description = "The knowledge table", pattern = "^[A-Za-z0-9_-]{1,64}$"),
        Removal,
    ),
    responses((status = 200, description = "They are gone", body = Removed), OfRemoval),
    security(("bearerAuth" = []))
)]
#[delete("/content/{table}")]
async fn remove_content(
    _: Operator,
    PathOf(table): PathOf<String>,
    Params(removal): Params<Removal>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let (table, id) = (table_name(table)?, removal.id);
    if id.is_some() == removal.all.unwrap_or_default() {
        let detail = "say which item by `id`, or `all=true` for the whole table";
        return Err(Problem::bad_request(detail));
    }
    let removed = shared
        .door
        .ask_within(LONG_DEADLINE, RemoveContent { table, id })
        .await??;
    note_after(&request, json!({ "id": id, "removed": removed }));
    if id.is_some() && removed == 0 {
        return Err(Problem::not_found("there is no such item in this table"));
    }
    Ok(HttpResponse::Ok().json(Removed { removed }))
}
