//! Posts: stored before they are sent, found again by a later attempt, marked after.

use diesel::prelude::*;

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
            schema::posts,
            time::{Time, stored},
        },
    },
};

/// Stores a post of a run that is still this process's, or finds it.
pub(super) fn store(tx: &mut Tx<'_>, new: &NewPost) -> Result<Written, Fault> {
    let Some(row) = mine(tx, new.execution)? else {
        return Ok(Written::Lost);
    };
    if row.started_at.is_none() {
        mark_started(tx, &row, new.started_at)?;
    }
    let found = posts::table
        .filter(posts::execution_id.eq(new.execution.0))
        .filter(posts::position.eq(new.position))
        .select(PostRow::as_select())
        .get_result(tx.conn)
        .optional()?;
    let post = match found {
        Some(post) => post,
        None => insert(tx, new)?,
    };
    Ok(Written::Post(Box::new(Post::try_from(post)?)))
}

fn insert(tx: &mut Tx<'_>, new: &NewPost) -> Result<PostRow, Fault> {
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
    Ok(Written::Done)
}
