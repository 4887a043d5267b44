//! Knowledge items and the record of who did what: written outside the batches of runs.

use std::collections::HashMap;

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Double, Nullable, Text},
    sqlite::Sqlite,
    upsert::excluded,
};
use serde_json::json;

use super::{
    fault::Fault,
    fixed::Fixed,
    schema::{audit, content},
    stretches,
    time::{Time, read},
};
use crate::{
    domain::{
        Instant,
        audit::AuditEntry,
        content::{ContentItem, TableSummary},
    },
    store::{
        keys,
        pages::bounded,
        walk::{self, Changed, Passing},
    },
};

/// Keys that one statement looks for.
const AT_ONCE: usize = 1000;

/// An item that is to be changed, as far as choices know of it.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct Before {
    #[diesel(sql_type = Text)]
    item_key: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Double)]
    priority: f64,
    #[diesel(sql_type = Nullable<Text>)]
    not_before: Option<Time>,
    #[diesel(sql_type = Nullable<Text>)]
    expires_at: Option<Time>,
}

/// Adds items, or puts them in the place of those with the same key. Answers their rows.
pub(super) fn add(
    conn: &mut SqliteConnection,
    table: &str,
    items: &[ContentItem],
    now: Instant,
) -> Result<Vec<i64>, Fault> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<String> = items.iter().map(keys::of_item).collect();
    let known = stretches::raise(conn, table)?;
    let before = if known {
        before(conn, table, &keys)?
    } else {
        HashMap::new()
    };
    let mut put = |(key, item): (&String, _)| put(conn, table, key, item, now);
    let ids = keys.iter().zip(items).map(&mut put);
    let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    if known {
        let rows = keys.iter().zip(items).zip(&ids);
        let differs = |key: &String, item| before.get(key).is_none_or(|old| old.differs(item));
        let changed = rows.filter(|((key, item), _)| differs(key, item));
        let changed = changed.map(|((_, item), id)| (*id, walk::priority(item)));
        stretches::give_up(conn, table, &Changed::of(changed.collect()))?;
    }
    stretches::look(conn, table, now, walk::rows_of_a_look(items.len()))?;
    Ok(ids)
}

fn before(
    conn: &mut SqliteConnection,
    table: &str,
    keys: &[String],
) -> Result<HashMap<String, Passing>, Fault> {
    let mut all = HashMap::new();
    for some in keys.chunks(AT_ONCE) {
        let rows: Vec<Before> = sql_query(
            "SELECT c.item_key, c.id, c.priority, c.not_before, c.expires_at FROM actor_server_content c \
             WHERE c.table_name = ? AND c.item_key IN (SELECT value FROM json_each(?))",
        )
        .bind::<Text, _>(table)
        .bind::<Text, _>(json!(some).to_string())
        .load(conn)?;
        all.extend(rows.into_iter().map(|row| {
            let item = Passing {
                id: row.id,
                priority: row.priority,
                not_before: read(row.not_before),
                expires_at: read(row.expires_at),
                used_by: None,
            };
            (row.item_key, item)
        }));
    }
    Ok(all)
}

/// Long because an item has many columns.
fn put(
    conn: &mut SqliteConnection,
    table: &str,
    key: &str,
    item: &ContentItem,
    now: Instant,
) -> Result<i64, Fault> {
    let put = diesel::insert_into(content::table)
        .values((
            content::table_name.eq(table),
            content::item_key.eq(key),
            content::title.eq(&item.title),
            content::body.eq(&item.body),
            content::source.eq(&item.source),
            content::tags.eq(json!(item.tags)),
            content::priority.eq(walk::priority(item)),
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
        .returning(content::id);
    Ok(Fixed(put).get_result(conn)?)
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
        None => {
            stretches::forget(conn, table)?;
            diesel::delete(all).execute(conn)?
        }
    };
    Ok(removed as u64)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct SummaryRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    items: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    expired: i64,
    #[diesel(sql_type = Nullable<Text>)]
    newest: Option<Time>,
}

/// All tables, by name. Looks at each item once, in an index.
pub(super) fn tables(
    conn: &mut SqliteConnection,
    now: Instant,
) -> Result<Vec<TableSummary>, Fault> {
    let rows: Vec<SummaryRow> = sql_query(
        "SELECT s.*, (SELECT c.created_at FROM actor_server_content c WHERE c.id = s.last) AS newest FROM \
         (SELECT table_name, count(*) AS items, max(id) AS last, coalesce(sum(expires_at <= ?1), 0) AS expired, \
         coalesce(sum(not_before > ?1 AND (expires_at IS NULL OR expires_at > ?1)), 0) AS waiting \
         FROM actor_server_content INDEXED BY actor_server_content_by_id GROUP BY table_name) s ORDER BY s.table_name",
    )
    .bind::<Text, _>(Time(bounded(now)))
    .load(conn)?;
    Ok(rows.into_iter().map(TableSummary::from).collect())
}

impl From<SummaryRow> for TableSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            table: row.table_name,
            items: row.items.unsigned_abs(),
            waiting: row.waiting.unsigned_abs(),
            expired: row.expired.unsigned_abs(),
            newest: read(row.newest),
        }
    }
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
