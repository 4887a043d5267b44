//! Knowledge items and the record of who did what: written outside the batches of runs.

use diesel::{prelude::*, upsert::excluded};
use serde_json::json;

use super::{
    fault::Fault,
    schema::{audit, content},
    time::Time,
};
use crate::{
    domain::{Instant, audit::AuditEntry, content::ContentItem},
    store::{keys, pages::bounded},
};

/// Adds items, or puts them in the place of those with the same key. Answers their rows.
pub(super) fn add(
    conn: &mut SqliteConnection,
    table: &str,
    items: &[ContentItem],
    now: Instant,
) -> Result<Vec<i64>, Fault> {
    let mut add = |item| put(conn, table, item, now);
    items.iter().map(&mut add).collect()
}

/// Long because an item has many columns.
fn put(
    conn: &mut SqliteConnection,
    table: &str,
    item: &ContentItem,
    now: Instant,
) -> Result<i64, Fault> {
    let id = diesel::insert_into(content::table)
        .values((
            content::table_name.eq(table),
            content::item_key.eq(keys::of_item(item)),
            content::title.eq(&item.title),
            content::body.eq(&item.body),
            content::source.eq(&item.source),
            content::tags.eq(json!(item.tags)),
            content::priority.eq(item.priority),
            content::metadata.eq(&item.metadata),
            content::not_before.eq(item.not_before.map(bounded).map(Time)),
            content::expires_at.eq(item.expires_at.map(bounded).map(Time)),
            content::media.eq(json!(item.media)),
            content::created_at.eq(Time(now)),
        ))
        .on_conflict((content::table_name, content::item_key))
        .do_update()
        .set((
            content::title.eq(excluded(content::title)),
            content::body.eq(excluded(content::body)),
            content::source.eq(excluded(content::source)),
            content::tags.eq(excluded(content::tags)),
            content::priority.eq(excluded(content::priority)),
            content::metadata.eq(excluded(content::metadata)),
            content::not_before.eq(excluded(content::not_before)),
            content::expires_at.eq(excluded(content::expires_at)),
            content::media.eq(excluded(content::media)),
        ))
        .returning(content::id)
        .get_result(conn)?;
    Ok(id)
}

/// Removes one item of a table, or all.
pub(super) fn remove(
    conn: &mut SqliteConnection,
    table: &str,
    id: Option<i64>,
) -> Result<u64, Fault> {
    let all = content::table.filter(content::table_name.eq(table));
    let removed = match id {
        Some(id) => diesel::delete(all.filter(content::id.eq(id))).execute(conn)?,
        None => diesel::delete(all).execute(conn)?,
    };
    Ok(removed as u64)
}

/// Adds entries to the record of who did what.
pub(super) fn record(conn: &mut SqliteConnection, entries: &[AuditEntry]) -> Result<(), Fault> {
    for entry in entries {
        diesel::insert_into(audit::table)
            .values((
                audit::at.eq(Time(bounded(entry.at))),
                audit::subject.eq(&entry.subject),
                audit::role.eq(&entry.role),
                audit::action.eq(&entry.action),
                audit::target.eq(&entry.target),
                audit::remote.eq(&entry.remote),
                audit::request_id.eq(&entry.request_id),
                audit::before.eq(&entry.before),
                audit::after.eq(&entry.after),
                audit::outcome.eq(&entry.outcome),
            ))
            .execute(conn)?;
    }
    Ok(())
}
