//! Posts on their way: who goes before whom, what has arrived, and what never did.

use async_trait::async_trait;
use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    PostgresStore,
    connection::Connection,
    flush::clean,
    rows::{NumberRow, POST, PostRow, TextRow},
};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        post::{Post, PostQuery, PostStatus},
    },
    store::{MOST_UNSENT, PostStore, StoreError, pages::bounded},
};

#[async_trait]
impl PostStore for PostgresStore {
    async fn arrived(
        &self,
        platform: &str,
        destination: &str,
        since: Instant,
    ) -> Result<Vec<String>, StoreError> {
        let (platform, destination) = (platform.to_owned(), destination.to_owned());
        self.gate
            .read(move |c| Box::pin(arrived(c, platform, destination, since)))
            .await
    }

    async fn find_posts(&self, query: &PostQuery) -> Result<Vec<Post>, StoreError> {
        let query = query.clone();
        self.gate.read(move |c| Box::pin(page(c, query))).await
    }

    async fn post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.gate.read(move |c| Box::pin(one(c, id))).await
    }

    async fn dead_posts(&self) -> Result<u64, StoreError> {
        self.gate.read(|c| Box::pin(dead(c))).await
    }

    async fn resend_post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.gate.write(move |c| Box::pin(resend(c, id))).await
    }
}

/// Posts of ended runs: of our own, and if we are the oldest, of those whose process is gone or unknown.
pub(super) async fn unsent(
    connection: &mut Connection,
    ours: Vec<String>,
    lease: f64,
) -> QueryResult<Vec<Post>> {
    let sql = format!(
        "WITH alive AS MATERIALIZED (SELECT id, started_at FROM actor_server_replicas \
         WHERE last_seen >= clock_timestamp() - make_interval(secs => $2)) \
         SELECT {POST} FROM (SELECT p.*, row_number() OVER (PARTITION BY p.platform, p.destination \
         ORDER BY coalesce(p.turn, p.id)) AS n FROM actor_server_posts p \
         LEFT JOIN actor_server_executions e ON e.id = p.execution_id \
         LEFT JOIN alive r ON r.id = e.replica WHERE p.status = 'pending' AND e.status IS DISTINCT FROM 'running' \
         AND coalesce(r.id, (SELECT id FROM alive ORDER BY started_at, id LIMIT 1)) = ANY($1)) p \
         WHERE p.n <= $3 ORDER BY coalesce(p.turn, p.id)"
    );
    let rows = sql_query(sql)
        .bind::<Array<Text>, _>(ours)
        .bind::<Double, _>(lease)
        .bind::<BigInt, _>(MOST_UNSENT);
    all(rows.load(connection).await?)
}

/// What is pending for one destination and has its turn before `turn`.
pub(super) async fn unsent_before(
    connection: &mut Connection,
    platform: String,
    destination: String,
    turn: Option<i64>,
) -> QueryResult<Vec<Post>> {
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p WHERE p.status = 'pending' AND p.platform = $1 AND p.destination = $2 \
         AND coalesce(p.turn, p.id) < $3 ORDER BY coalesce(p.turn, p.id) LIMIT $4"
    );
    let rows = sql_query(sql)
        .bind::<Text, _>(clean(&platform))
        .bind::<Text, _>(clean(&destination))
        .bind::<BigInt, _>(turn.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(MOST_UNSENT);
    all(rows.load(connection).await?)
}

/// The platform's ids of what has arrived at one destination.
pub(super) async fn arrived(
    connection: &mut Connection,
    platform: String,
    destination: String,
    since: Instant,
) -> QueryResult<Vec<String>> {
    let rows: Vec<TextRow> = sql_query(
        "SELECT platform_message_id AS value FROM actor_server_posts WHERE destination = $2 AND posted_at >= $3 \
         AND platform = $1 AND platform_message_id IS NOT NULL",
    )
    .bind::<Text, _>(clean(&platform))
    .bind::<Text, _>(clean(&destination))
    .bind::<Timestamptz, _>(bounded(since))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

/// One post.
pub(super) async fn one(connection: &mut Connection, id: i64) -> QueryResult<Option<Post>> {
    let sql = format!("SELECT {POST} FROM actor_server_posts p WHERE p.id = $1");
    let rows = sql_query(sql).bind::<BigInt, _>(id);
    Ok(all(rows.load(connection).await?)?.pop())
}

/// A page of posts, newest first.
pub(super) async fn page(connection: &mut Connection, query: PostQuery) -> QueryResult<Vec<Post>> {
    let status = query.status.map_or("", status_is);
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p WHERE p.id < $1 AND ($2 IS NULL OR p.task_id = $2){status} \
         ORDER BY p.id DESC LIMIT $3"
    );
    let rows = sql_query(sql)
        .bind::<BigInt, _>(query.after.unwrap_or(i64::MAX))
        .bind::<Nullable<Text>, _>(query.bot.as_ref().map(BotName::as_str))
        .bind::<BigInt, _>(i64::from(query.limit));
    all(rows.load(connection).await?)
}

/// Written out, so that the conditions of the indexes on pending and on unsent posts follow from it.
const fn status_is(status: PostStatus) -> &'static str {
    match status {
        PostStatus::Pending => " AND p.status = 'pending'",
        PostStatus::Sent => " AND p.status = 'sent'",
        PostStatus::Failed => " AND p.status = 'failed'",
        PostStatus::Dead => " AND p.status = 'dead'",
    }
}

/// How many posts are dead.
pub(super) async fn dead(connection: &mut Connection) -> QueryResult<u64> {
    let row: NumberRow =
        sql_query("SELECT count(*) AS value FROM actor_server_posts WHERE status = 'dead'")
            .get_result(connection)
            .await?;
    Ok(row.value.unsigned_abs())
}

/// Makes a post pending again that was given up; its turn is a number that no post has, behind all of them. If it was refused,
/// its item was free: the post has it again, unless another one took it meanwhile.
pub(super) async fn resend(connection: &mut Connection, id: i64) -> QueryResult<Option<Post>> {
    let sql = format!(
        "WITH p AS (UPDATE actor_server_posts SET status = 'pending', attempts = 0, \
         turn = nextval('actor_server_posts_id_seq') WHERE id = $1 AND status IN ('failed', 'dead') RETURNING *), \
         taken AS (INSERT INTO actor_server_content_uses (task_id, content_id, execution_id, used_at) \
         SELECT p.task_id, p.content_id, p.execution_id, clock_timestamp() FROM p \
         JOIN actor_server_content c ON c.id = p.content_id FOR KEY SHARE OF c ON CONFLICT DO NOTHING) \
         SELECT {POST} FROM p"
    );
    let rows = sql_query(sql).bind::<BigInt, _>(id);
    Ok(all(rows.load(connection).await?)?.pop())
}

fn all(rows: Vec<PostRow>) -> QueryResult<Vec<Post>> {
    rows.into_iter().map(PostRow::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_is_written_out_is_the_stored_one() {
        for status in PostStatus::ALL {
            let condition = format!(" AND p.status = '{}'", status.as_str());
            assert_eq!(status_is(status), condition);
        }
    }
}
