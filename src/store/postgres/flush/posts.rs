//! Posts, new and marked.

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::{MaybeTexts, MaybeTimes, Texts, Times, clean, clean_json, column, count, maybe_clean};
use crate::{
    domain::post::{Post, PostStatus},
    store::{
        PostMark,
        postgres::{connection::Connection, posts::MadeOf},
    },
};

/// A post to be inserted, with what it is made of.
pub(super) struct NewPostRow<'a> {
    pub(super) post: &'a Post,
    pub(super) made_of: Option<&'a MadeOf>,
}

pub(super) async fn insert_posts(
    connection: &mut Connection,
    posts: &[NewPostRow<'_>],
) -> QueryResult<()> {
    if posts.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO actor_server_posts (id, execution_id, task_id, \"position\", platform, destination, body, options, \
         nonce, status, created_at, content_id, content_text) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind::<Array<BigInt>, _>(column(posts, |new| new.post.id))
    .bind::<Array<BigInt>, _>(column(posts, |new| new.post.execution.0))
    .bind::<Texts, _>(column(posts, |new| new.post.bot.as_str()))
    .bind::<Array<Integer>, _>(column(posts, |new| new.post.position))
    .bind::<Texts, _>(column(posts, |new| clean(&new.post.platform)))
    .bind::<Texts, _>(column(posts, |new| clean(&new.post.destination)))
    .bind::<Texts, _>(column(posts, |new| clean(&new.post.message.body)))
    .bind::<Array<Jsonb>, _>(column(posts, |new| clean_json(&new.post.message.options)))
    .bind::<Texts, _>(column(posts, |new| clean(&new.post.nonce)))
    .bind::<Texts, _>(column(posts, |new| new.post.status.as_str()))
    .bind::<Times, _>(column(posts, |new| new.post.created_at))
    .bind::<Array<Nullable<BigInt>>, _>(column(posts, |new| new.made_of.map(|of| of.item)))
    .bind::<MaybeTexts, _>(column(posts, |new| {
        new.made_of.and_then(|of| maybe_clean(of.text.as_ref()))
    }))
    .execute(connection)
    .await
    .map(drop)
}

/// In the order of ids, so that two processes that mark the same posts do not lock each other out.
pub(super) async fn mark_posts(
    connection: &mut Connection,
    marks: &[&PostMark],
) -> QueryResult<()> {
    if marks.is_empty() {
        return Ok(());
    }
    sql_query(
        "WITH u AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6) AS m(id, status, attempts, message_id, error, posted_at)), \
         locked AS (SELECT p.id FROM actor_server_posts p JOIN u USING (id) WHERE p.status <> $7 ORDER BY p.id FOR UPDATE OF p) \
         UPDATE actor_server_posts p SET status = u.status, attempts = u.attempts, platform_message_id = u.message_id, \
         error_message = u.error, posted_at = u.posted_at FROM u JOIN locked USING (id) WHERE p.id = u.id",
    )
    .bind::<Array<BigInt>, _>(column(marks, |m| m.id))
    .bind::<Texts, _>(column(marks, |m| m.status.as_str()))
    .bind::<Array<Integer>, _>(column(marks, |m| count(m.attempts)))
    .bind::<MaybeTexts, _>(column(marks, |m| maybe_clean(m.platform_message_id.as_ref())))
    .bind::<MaybeTexts, _>(column(marks, |m| maybe_clean(m.error.as_ref())))
    .bind::<MaybeTimes, _>(column(marks, |m| m.posted_at))
    .bind::<Text, _>(PostStatus::Sent.as_str())
    .execute(connection)
    .await
    .map(drop)
}
