//! Items that posts are made of: each is used by a bot once. Written with the post; a bot's posts are stored under the lock
//! of its state, so that of two runs one sees what the other has used.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Double, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    connection::Connection,
    error,
    flush::{Texts, Times, column},
    rows::name,
    stretches,
};
use crate::{
    domain::{Instant, bot::BotName, run::ExecutionId},
    store::{PostMark, walk::Changed},
};

/// An item that a bot has used, and the run whose post is made of it.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) bot: BotName,
    pub(super) item: i64,
    pub(super) execution: ExecutionId,
    pub(super) at: Instant,
}

#[derive(QueryableByName)]
struct UseRow {
    #[diesel(sql_type = Text)]
    task_id: String,
    #[diesel(sql_type = BigInt)]
    content_id: i64,
    #[diesel(sql_type = BigInt)]
    execution_id: i64,
}

/// Who has used these items for these bots.
pub(super) async fn stored(
    connection: &mut Connection,
    items: &[(BotName, i64)],
) -> QueryResult<Vec<((BotName, i64), ExecutionId)>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<UseRow> = sql_query(
        "SELECT u.task_id, u.content_id, u.execution_id FROM unnest($1, $2) AS w(task_id, content_id) \
         JOIN actor_server_content_uses u USING (task_id, content_id)",
    )
    .bind::<Texts, _>(items.iter().map(|(bot, _)| bot.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(column(items, |(_, item)| *item))
    .load(connection)
    .await?;
    let read = |row: UseRow| {
        let key = (name(&row.task_id)?, row.content_id);
        Ok((key, ExecutionId(row.execution_id)))
    };
    rows.into_iter().map(read).collect()
}

/// Stores uses of items that are there still.
///
/// # Errors
/// [`error::moved`] if another process has used one meanwhile: for a bot that nobody could lock, because it has no state.
pub(super) async fn insert(connection: &mut Connection, uses: &[&Use]) -> QueryResult<()> {
    if uses.is_empty() {
        return Ok(());
    }
    let rows: Vec<UseRow> = sql_query(
        "INSERT INTO actor_server_content_uses AS x (task_id, content_id, execution_id, used_at) \
         SELECT u.* FROM unnest($1, $2, $3, $4) AS u(task_id, content_id, execution_id, used_at) \
         JOIN actor_server_content c ON c.id = u.content_id ORDER BY u.content_id FOR KEY SHARE OF c \
         ON CONFLICT (task_id, content_id) DO UPDATE SET used_at = x.used_at \
         RETURNING x.task_id, x.content_id, x.execution_id",
    )
    .bind::<Texts, _>(column(uses, |u| u.bot.as_str()))
    .bind::<Array<BigInt>, _>(column(uses, |u| u.item))
    .bind::<Array<BigInt>, _>(column(uses, |u| u.execution.0))
    .bind::<Times, _>(column(uses, |u| u.at))
    .load(connection)
    .await?;
    let ours = |row: &UseRow| {
        let mut uses = uses.iter();
        uses.any(|u| u.item == row.content_id && u.execution.0 == row.execution_id)
    };
    if rows.iter().all(ours) {
        Ok(())
    } else {
        Err(error::moved())
    }
}

#[derive(QueryableByName)]
struct FreedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Double)]
    priority: f64,
}

/// Makes the items of posts free again that were not sent, unless the run has another post of one.
pub(super) async fn free(connection: &mut Connection, marks: &[&PostMark]) -> QueryResult<()> {
    let posts: Vec<i64> = marks
        .iter()
        .filter(|m| m.frees_item)
        .map(|m| m.id)
        .collect();
    if posts.is_empty() {
        return Ok(());
    }
    let freed: Vec<FreedRow> = sql_query(
        "WITH freed AS (DELETE FROM actor_server_content_uses x USING actor_server_posts p WHERE p.id = ANY($1) \
         AND p.status <> 'sent' AND x.task_id = p.task_id AND x.content_id = p.content_id \
         AND x.execution_id = p.execution_id AND NOT EXISTS (SELECT 1 FROM actor_server_posts o \
         WHERE o.execution_id = p.execution_id AND o.content_id = p.content_id AND o.id <> p.id \
         AND o.status <> 'failed') RETURNING x.content_id) \
         SELECT c.id, c.table_name, c.priority FROM actor_server_content c \
         WHERE c.id IN (SELECT content_id FROM freed) ORDER BY c.table_name",
    )
    .bind::<Array<BigInt>, _>(posts)
    .load(connection)
    .await?;
    for row in freed {
        if stretches::raise(connection, &row.table_name).await? {
            let changed = Changed::Here(vec![(row.id, row.priority)]);
            stretches::give_up(connection, &row.table_name, &changed).await?;
        }
    }
    Ok(())
}
