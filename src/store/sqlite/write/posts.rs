//! Posts: stored before they are sent, together with the use of what they are made of; found again by a later attempt,
//! marked after.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{
    Tx,
    claims::{mark_started, mine},
};
use crate::{
    domain::post::Post,
    store::{
        NewPost, PostMark, Written,
        sqlite::{
            fault::Fault,
            fixed::Fixed,
            rows::post::PostRow,
            schema::{posts, uses},
            stretches,
            time::{Time, stored},
        },
    },
};

/// Stores a post of a run that is still this process's, or finds it.
pub(super) fn store(tx: &mut Tx<'_>, new: &NewPost) -> Result<Written, Fault> {
    let Some(row) = mine(tx, new.execution)? else {
        return Ok(Written::Lost);
    };
    let found = posts::table
        .filter(posts::execution_id.eq(new.execution.0))
        .filter(posts::position.eq(new.position))
        .select(PostRow::as_select())
        .get_result(tx.conn)
        .optional()?;
    if found.is_none() && is_taken(tx, new)? {
        return Ok(Written::ItemTaken);
    }
    if row.started_at.is_none() {
        mark_started(tx, &row, new.started_at)?;
    }
    let post = match found {
        Some(post) => post,
        None => insert(tx, new)?,
    };
    Ok(Written::Post(Box::new(Post::try_from(post)?)))
}

/// Whether another run's post is made of the same item.
fn is_taken(tx: &mut Tx<'_>, new: &NewPost) -> Result<bool, Fault> {
    let Some(item) = &new.item else {
        return Ok(false);
    };
    let user: Option<i64> = uses::table
        .find((new.bot.as_str(), item.id))
        .select(uses::execution_id)
        .get_result(tx.conn)
        .optional()?;
    Ok(user.is_some_and(|user| user != new.execution.0))
}

/// Stores that the bot has used the item, if there is one still.
fn take_item(tx: &mut Tx<'_>, new: &NewPost) -> Result<(), Fault> {
    let Some(item) = &new.item else {
        return Ok(());
    };
    sql_query(
        "INSERT INTO actor_server_content_uses (task_id, content_id, execution_id, used_at) \
         SELECT ?, c.id, ?, ? FROM actor_server_content c WHERE c.id = ? ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(new.bot.as_str())
    .bind::<BigInt, _>(new.execution.0)
    .bind::<Text, _>(Time(new.at))
    .bind::<BigInt, _>(item.id)
    .execute(tx.conn)?;
    Ok(())
}

fn insert(tx: &mut Tx<'_>, new: &NewPost) -> Result<PostRow, Fault> {
    take_item(tx, new)?;
    let row = diesel::insert_into(posts::table)
        .values((
            posts::execution_id.eq(new.execution.0),
            posts::task_id.eq(new.bot.as_str()),
            posts::position.eq(new.position),
            posts::platform.eq(&new.platform),
            posts::destination.eq(&new.destination),
            posts::body.eq(&new.message.body),
            posts::options.eq(&new.message.options),
            posts::nonce.eq(&new.nonce),
            posts::status.eq("pending"),
            posts::created_at.eq(Time(new.at)),
            posts::content_id.eq(new.item.as_ref().map(|item| item.id)),
            posts::content_text.eq(new.own_text()),
        ))
        .returning(PostRow::as_returning())
        .get_result(tx.conn)?;
    Ok(row)
}

/// Records how sending went; what has arrived stays arrived.
pub(super) fn mark(tx: &mut Tx<'_>, mark: &PostMark) -> Result<Written, Fault> {
    let unsent = posts::table.find(mark.id).filter(posts::status.ne("sent"));
    Fixed(diesel::update(unsent).set((
        posts::status.eq(mark.status.as_str()),
        posts::attempts.eq(i64::from(mark.attempts)),
        posts::platform_message_id.eq(mark.platform_message_id.as_deref()),
        posts::error_message.eq(mark.error.as_deref()),
        posts::posted_at.eq(stored(mark.posted_at)),
    )))
    .execute(tx.conn)?;
    if mark.frees_item {
        free_item(tx, mark.id)?;
    }
    Ok(Written::Done)
}

/// Makes the item of a post that was not sent free again, unless the run has another post of it.
fn free_item(tx: &mut Tx<'_>, post: i64) -> Result<(), Fault> {
    let freed: Vec<FreedRow> = sql_query(
        "DELETE FROM actor_server_content_uses WHERE (task_id, content_id, execution_id) IN \
         (SELECT p.task_id, p.content_id, p.execution_id FROM actor_server_posts p WHERE p.id = ? AND p.status <> 'sent' \
         AND NOT EXISTS (SELECT 1 FROM actor_server_posts o WHERE o.execution_id = p.execution_id \
         AND o.content_id = p.content_id AND o.id <> p.id AND o.status <> 'failed')) RETURNING content_id",
    )
    .bind::<BigInt, _>(post)
    .load(tx.conn)?;
    for row in freed {
        stretches::freed(tx.conn, row.content_id)?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct FreedRow {
    #[diesel(sql_type = BigInt)]
    content_id: i64,
}
