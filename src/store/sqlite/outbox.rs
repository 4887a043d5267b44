//! Posts on their way: who goes before whom, what has arrived, and what never did.

use async_trait::async_trait;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Nullable},
};

use super::{SqliteStore, fault::Fault, rows::post::PostRow, schema::posts, time::Time};
use crate::{
    domain::{
        Instant,
        post::{Post, PostQuery, PostStatus},
    },
    store::{MOST_UNSENT, PostStore, StoreError, pages::bounded},
};

#[async_trait]
impl PostStore for SqliteStore {
    async fn arrived(
        &self,
        platform: &str,
        destination: &str,
        since: Instant,
    ) -> Result<Vec<String>, StoreError> {
        let (platform, destination) = (platform.to_owned(), destination.to_owned());
        self.readers
            .run(move |conn| arrived(conn, &platform, &destination, since))
            .await
    }

    async fn find_posts(&self, query: &PostQuery) -> Result<Vec<Post>, StoreError> {
        let query = query.clone();
        self.readers.run(move |conn| page(conn, &query)).await
    }

    async fn post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.readers.run(move |conn| one(conn, id)).await
    }

    async fn dead_posts(&self) -> Result<u64, StoreError> {
        self.readers.run(dead).await
    }

    async fn resend_post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.transaction(move |conn| resend(conn, id)).await
    }
}

/// The post's run may be forgotten already. Of each destination only so many: what is read stays bounded.
const UNSENT: &str = "id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY platform, destination \
     ORDER BY coalesce(turn, id)) AS n FROM actor_server_posts WHERE status = 'pending' AND NOT EXISTS \
     (SELECT 1 FROM actor_server_executions e WHERE e.id = execution_id AND e.status = 'running')) WHERE n <= ";

/// Written out: the index on posts that wait has this expression.
const TURN: &str = "coalesce(turn, id)";

/// Posts of ended runs that are not known to have arrived, in the order of their turns.
pub(super) fn unsent(conn: &mut SqliteConnection) -> Result<Vec<Post>, Fault> {
    let rows = posts::table
        .filter(sql::<Bool>(&format!("{UNSENT}{MOST_UNSENT})")))
        .select(PostRow::as_select())
        .order(sql::<BigInt>(TURN))
        .load(conn)?;
    all(rows)
}

/// What is pending for one destination and has its turn before `turn`.
pub(super) fn unsent_before(
    conn: &mut SqliteConnection,
    platform: &str,
    destination: &str,
    turn: Option<i64>,
) -> Result<Vec<Post>, Fault> {
    let rows = posts::table
        .filter(sql::<Bool>("status = 'pending'"))
        .filter(posts::platform.eq(platform))
        .filter(posts::destination.eq(destination))
        .filter(sql::<BigInt>(TURN).lt(turn.unwrap_or(i64::MAX)))
        .select(PostRow::as_select())
        .order(sql::<BigInt>(TURN))
        .limit(MOST_UNSENT)
        .load(conn)?;
    all(rows)
}

/// The platform's ids of what has arrived at one destination.
pub(super) fn arrived(
    conn: &mut SqliteConnection,
    platform: &str,
    destination: &str,
    since: Instant,
) -> Result<Vec<String>, Fault> {
    let ids = posts::table
        .filter(posts::destination.eq(destination))
        .filter(posts::posted_at.ge(Time(bounded(since))))
        .filter(posts::platform.eq(platform))
        .filter(posts::platform_message_id.is_not_null())
        .select(posts::platform_message_id.assume_not_null())
        .load(conn)?;
    Ok(ids)
}

/// One post.
pub(super) fn one(conn: &mut SqliteConnection, id: i64) -> Result<Option<Post>, Fault> {
    let row = posts::table
        .find(id)
        .select(PostRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(Post::try_from).transpose()
}

/// A page of posts, newest first.
pub(super) fn page(conn: &mut SqliteConnection, query: &PostQuery) -> Result<Vec<Post>, Fault> {
    let mut page = posts::table
        .filter(posts::id.lt(query.after.unwrap_or(i64::MAX)))
        .select(PostRow::as_select())
        .order(posts::id.desc())
        .limit(i64::from(query.limit))
        .into_boxed();
    if let Some(bot) = &query.bot {
        page = page.filter(posts::task_id.eq(bot.as_str()));
    }
    if let Some(status) = query.status {
        page = page.filter(sql::<Bool>(status_is(status)));
    }
    all(page.load(conn)?)
}

/// Written out, so that the conditions of the indexes on pending and on unsent posts follow from it.
const fn status_is(status: PostStatus) -> &'static str {
    match status {
        PostStatus::Pending => "status = 'pending'",
        PostStatus::Sent => "status = 'sent'",
        PostStatus::Failed => "status = 'failed' AND status IN ('failed', 'dead')",
        PostStatus::Dead => "status = 'dead' AND status IN ('failed', 'dead')",
    }
}

/// How many posts are dead.
pub(super) fn dead(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    let dead = posts::table.filter(sql::<Bool>(status_is(PostStatus::Dead)));
    let count: i64 = dead.count().get_result(conn)?;
    Ok(count.unsigned_abs())
}

/// Makes a post pending again that was given up; its turn is a number that no post has, behind all of them. If it was refused,
/// its item was free: the post has it again, unless another one took it meanwhile.
pub(super) fn resend(conn: &mut SqliteConnection, id: i64) -> Result<Option<Post>, Fault> {
    let given_up = posts::table
        .find(id)
        .filter(posts::status.eq_any(["failed", "dead"]));
    let is_one: i64 = given_up.count().get_result(conn)?;
    if is_one == 0 {
        return Ok(None);
    }
    sql_query("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'actor_server_posts'")
        .execute(conn)?;
    let turn = sql::<Nullable<BigInt>>(
        "(SELECT seq FROM sqlite_sequence WHERE name = 'actor_server_posts')",
    );
    let row: PostRow = diesel::update(posts::table.find(id))
        .set((
            posts::status.eq("pending"),
            posts::attempts.eq(0_i64),
            posts::turn.eq(turn),
        ))
        .returning(PostRow::as_returning())
        .get_result(conn)?;
    sql_query(
        "INSERT INTO actor_server_content_uses (task_id, content_id, execution_id, used_at) \
         SELECT p.task_id, p.content_id, p.execution_id, p.created_at FROM actor_server_posts p \
         JOIN actor_server_content c ON c.id = p.content_id WHERE p.id = ? ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)?;
    Ok(Some(Post::try_from(row)?))
}

fn all(rows: Vec<PostRow>) -> Result<Vec<Post>, Fault> {
    rows.into_iter().map(Post::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_is_written_out_is_the_stored_one() {
        for status in PostStatus::ALL {
            let condition = format!("status = '{}'", status.as_str());
            assert!(status_is(status).starts_with(&condition));
        }
    }
}
