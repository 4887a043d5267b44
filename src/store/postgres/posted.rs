//! What a bot has posted lately, found by its time.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use crate::{
    domain::{
        Instant,
        bot::BotName,
        content::{PostTally, PostedText},
        run::ExecutionId,
    },
    store::pages::bounded,
};

/// Posts of a bot that count, but for those of one run. The words of the index: it has no refused ones.
const COUNTING: &str = "FROM actor_server_posts p WHERE p.task_id = $1 AND p.status <> 'failed' AND p.execution_id <> $2";

/// A post's time.
const AT: &str = "coalesce(p.posted_at, p.created_at)";

#[derive(QueryableByName)]
struct PostedRow {
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Bool)]
    of_item: bool,
    #[diesel(sql_type = Nullable<Text>)]
    content_text: Option<String>,
}

impl From<PostedRow> for PostedText {
    fn from(row: PostedRow) -> Self {
        let item = row
            .of_item
            .then(|| row.content_text.unwrap_or_else(|| row.body.clone()));
        Self {
            body: row.body,
            item,
        }
    }
}

/// The texts since a moment, newest first.
pub(super) async fn texts(
    connection: &mut Connection,
    bot: BotName,
    since: Instant,
    but_not: ExecutionId,
    limit: u32,
) -> QueryResult<Vec<PostedText>> {
    let sql = format!(
        "SELECT p.body, p.content_id IS NOT NULL AS of_item, p.content_text {COUNTING} AND {AT} >= $3 \
         ORDER BY {AT} DESC, p.id DESC LIMIT $4"
    );
    let rows: Vec<PostedRow> = sql_query(sql)
        .bind::<Text, _>(bot.as_str())
        .bind::<BigInt, _>(but_not.0)
        .bind::<Timestamptz, _>(bounded(since))
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(PostedText::from).collect())
}

#[derive(QueryableByName)]
struct TallyRow {
    #[diesel(sql_type = BigInt)]
    since: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest: Option<Instant>,
}

/// How many since a moment, and the newest of all.
pub(super) async fn tally(
    connection: &mut Connection,
    bot: BotName,
    since: Instant,
    but_not: ExecutionId,
) -> QueryResult<PostTally> {
    let sql = format!(
        "SELECT (SELECT count(*) {COUNTING} AND {AT} >= $3) AS since, \
         (SELECT {AT} {COUNTING} ORDER BY {AT} DESC LIMIT 1) AS newest"
    );
    let row: TallyRow = sql_query(sql)
        .bind::<Text, _>(bot.as_str())
        .bind::<BigInt, _>(but_not.0)
        .bind::<Timestamptz, _>(bounded(since))
        .get_result(connection)
        .await?;
    Ok(PostTally {
        since: u32::try_from(row.since).unwrap_or(u32::MAX),
        newest: row.newest,
    })
}
