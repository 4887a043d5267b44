//! Knowledge items and the record of who did what: written outside the batches of runs.

use std::collections::HashMap;

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{
    connection::Connection,
    flush::{MaybeTexts, MaybeTimes, Texts, Times, clean, clean_json, column, maybe_clean},
    rows_beside::{CONTENT, ContentRow},
    stretches,
};
use crate::{
    domain::{
        Instant,
        audit::AuditEntry,
        content::{ContentItem, StoredItem, TableSummary},
    },
    store::{
        keys,
        pages::bounded,
        walk::{self, Changed, Passing},
    },
};

/// Items that one statement adds.
const AT_ONCE: usize = 500;

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    item_key: String,
}

/// Adds items, or puts them in the place of those with the same key. Answers their rows.
///
/// Two that add to one table wait for each other: else both could hold rows that the other one wants.
pub(super) async fn add(
    connection: &mut Connection,
    table: String,
    items: Vec<ContentItem>,
    now: Instant,
) -> QueryResult<Vec<i64>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let table = clean(&table);
    let known = stretches::raise(connection, &table).await?;
    let mut ids = Vec::with_capacity(items.len());
    let mut changed = Vec::new();
    for some in items.chunks(AT_ONCE) {
        let keys: Vec<String> = some
            .iter()
            .map(|item| clean(&keys::of_item(item)))
            .collect();
        let items = newest(&keys, some);
        let before = before(connection, &table, &keys, known).await?;
        let kept = put(connection, &table, &items, now).await?;
        let differs = |key: &str, item: &_| {
            before
                .get(key)
                .is_none_or(|old: &Passing| old.differs(item))
        };
        let place = |(key, item): &(&str, &ContentItem)| {
            let id = kept.get(*key).filter(|_| known && differs(key, item))?;
            Some((*id, walk::priority(item)))
        };
        changed.extend(items.iter().filter_map(place));
        ids.extend(
            keys.iter()
                .filter_map(|key| kept.get(key.as_str()).copied()),
        );
    }
    stretches::give_up(connection, &table, &Changed::of(changed)).await?;
    let rows = walk::rows_of_a_look(items.len());
    stretches::look(connection, &table, now, rows).await?;
    Ok(ids)
}

/// What is stored of these, as far as choices know of it; not asked for if they know nothing.
async fn before(
    connection: &mut Connection,
    table: &str,
    keys: &[String],
    known: bool,
) -> QueryResult<HashMap<String, Passing>> {
    if !known {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT {CONTENT} FROM actor_server_content c WHERE c.table_name = $1 AND c.item_key = ANY($2)"
    );
    let rows: Vec<ContentRow> = sql_query(sql)
        .bind::<Text, _>(table)
        .bind::<Texts, _>(keys)
        .load(connection)
        .await?;
    let stored = rows.into_iter().map(StoredItem::from);
    let passing = stored.map(|row| {
        let item = Passing {
            id: row.id,
            priority: row.item.priority,
            not_before: row.item.not_before,
            expires_at: row.item.expires_at,
            used_by: None,
        };
        (row.item.key.unwrap_or_default(), item)
    });
    Ok(passing.collect())
}

/// One statement changes a row once: of items with the same key the last counts.
fn newest<'a>(keys: &'a [String], items: &'a [ContentItem]) -> Vec<(&'a str, &'a ContentItem)> {
    let last: HashMap<&str, usize> = keys.iter().map(String::as_str).zip(0..).collect();
    let all = keys.iter().map(String::as_str).zip(items).enumerate();
    all.filter(|(place, (key, _))| last.get(key) == Some(place))
        .map(|(_, item)| item)
        .collect()
}

/// Long because an item has many columns.
async fn put(
    connection: &mut Connection,
    table: &str,
    items: &[(&str, &ContentItem)],
    now: Instant,
) -> QueryResult<HashMap<String, i64>> {
    let kept: Vec<Kept> = sql_query(
        "INSERT INTO actor_server_content (table_name, item_key, title, body, source, tags, priority, metadata, \
         not_before, expires_at, media, created_at) \
         SELECT $1, u.*, $2 FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS u \
         ON CONFLICT (table_name, item_key) DO UPDATE SET title = excluded.title, body = excluded.body, \
         source = excluded.source, tags = excluded.tags, priority = excluded.priority, metadata = excluded.metadata, \
         not_before = excluded.not_before, expires_at = excluded.expires_at, media = excluded.media \
         RETURNING id, item_key",
    )
    .bind::<Text, _>(table)
    .bind::<Timestamptz, _>(now)
    .bind::<Texts, _>(column(items, |(key, _)| *key))
    .bind::<MaybeTexts, _>(column(items, |(_, i)| maybe_clean(i.title.as_ref())))
    .bind::<Texts, _>(column(items, |(_, i)| clean(&i.body)))
    .bind::<MaybeTexts, _>(column(items, |(_, i)| maybe_clean(i.source.as_ref())))
    .bind::<Array<Jsonb>, _>(column(items, |(_, i)| clean_json(&json!(i.tags))))
    .bind::<Array<Double>, _>(column(items, |(_, i)| walk::priority(i)))
    .bind::<Array<Jsonb>, _>(column(items, |(_, i)| clean_json(&i.metadata)))
    .bind::<MaybeTimes, _>(column(items, |(_, i)| i.not_before.map(bounded)))
    .bind::<MaybeTimes, _>(column(items, |(_, i)| i.expires_at.map(bounded)))
    .bind::<Array<Jsonb>, _>(column(items, |(_, i)| clean_json(&json!(i.media))))
    .load(connection)
    .await?;
    Ok(kept.into_iter().map(|row| (row.item_key, row.id)).collect())
}

/// Removes one item of a table, or all.
pub(super) async fn remove(
    connection: &mut Connection,
    table: String,
    id: Option<i64>,
) -> QueryResult<u64> {
    if table.contains('\0') {
        return Ok(0);
    }
    if id.is_none() {
        stretches::forget(connection, &table).await?;
    }
    let removed = sql_query(
        "DELETE FROM actor_server_content WHERE table_name = $1 AND ($2::bigint IS NULL OR id = $2)",
    )
    .bind::<Text, _>(table)
    .bind::<Nullable<BigInt>, _>(id)
    .execute(connection)
    .await?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

#[derive(QueryableByName)]
struct SummaryRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    items: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    expired: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest: Option<Instant>,
}

/// All tables, by name. Looks at each item once.
pub(super) async fn tables(
    connection: &mut Connection,
    now: Instant,
) -> QueryResult<Vec<TableSummary>> {
    let rows: Vec<SummaryRow> = sql_query(
        "SELECT s.*, (SELECT c.created_at FROM actor_server_content c WHERE c.id = s.last) AS newest FROM \
         (SELECT table_name, count(*) AS items, max(id) AS last, count(*) FILTER (WHERE expires_at <= $1) AS expired, \
         count(*) FILTER (WHERE not_before > $1 AND (expires_at IS NULL OR expires_at > $1)) AS waiting \
         FROM actor_server_content GROUP BY table_name) s ORDER BY s.table_name COLLATE \"C\"",
    )
    .bind::<Timestamptz, _>(bounded(now))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(TableSummary::from).collect())
}

impl From<SummaryRow> for TableSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            table: row.table_name,
            items: row.items.unsigned_abs(),
            waiting: row.waiting.unsigned_abs(),
            expired: row.expired.unsigned_abs(),
            newest: row.newest,
        }
    }
}

/// Adds entries to the record of who did what.
pub(super) async fn record(
    connection: &mut Connection,
    entries: Vec<AuditEntry>,
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO actor_server_audit (at, subject, role, action, target, remote, request_id, before, after, outcome) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<Times, _>(column(&entries, |e| bounded(e.at)))
    .bind::<Texts, _>(column(&entries, |e| clean(&e.subject)))
    .bind::<MaybeTexts, _>(column(&entries, |e| maybe_clean(e.role.as_ref())))
    .bind::<Texts, _>(column(&entries, |e| clean(&e.action)))
    .bind::<MaybeTexts, _>(column(&entries, |e| maybe_clean(e.target.as_ref())))
    .bind::<MaybeTexts, _>(column(&entries, |e| maybe_clean(e.remote.as_ref())))
    .bind::<MaybeTexts, _>(column(&entries, |e| maybe_clean(e.request_id.as_ref())))
    .bind::<Array<Nullable<Jsonb>>, _>(column(&entries, |e| e.before.as_ref().map(clean_json)))
    .bind::<Array<Nullable<Jsonb>>, _>(column(&entries, |e| e.after.as_ref().map(clean_json)))
    .bind::<Texts, _>(column(&entries, |e| clean(&e.outcome)))
    .execute(connection)
    .await
    .map(drop)
}
