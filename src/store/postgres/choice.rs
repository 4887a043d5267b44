//! What a bot may choose from: walks through its knowledge tables, in the order of priority and in that of age.

use std::collections::HashSet;

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::{
    connection::Connection,
    rows::NumberRow,
    rows_beside::{CONTENT, ContentRow},
    stretches::{self, Seen},
};
use crate::{
    domain::{
        Instant,
        content::{Selection, StoredItem},
    },
    store::walk::{self, Note, Order, Passing, Place, Stretch, Walker},
};

/// No plan that reads more than it was asked for and sorts it: without statistics, such as after an import, the planner takes
/// a large table for a small one.
const IN_THE_ORDER_OF_AN_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
     SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off";

/// The items after a place of the order by priority. All of its index is in one comparison and in the order, so that no other
/// index will do. Whether the bot has used an item is asked for each by itself, so that not all is read that it has used.
const BY_PRIORITY: &str = "SELECT c.id, c.priority, c.not_before, c.expires_at, \
     (SELECT u.execution_id FROM actor_server_content_uses u WHERE u.task_id = $1 AND u.content_id = c.id) AS used_by \
     FROM actor_server_content c WHERE (c.table_name, -c.priority, c.id) > ($2, $3, $4) AND c.table_name <= $2 \
     ORDER BY c.table_name, -c.priority, c.id LIMIT $5";

/// The items after a place of the order by age, in which the priority says nothing.
const BY_AGE: &str = "SELECT c.id, 0::double precision AS priority, c.not_before, c.expires_at, \
     (SELECT u.execution_id FROM actor_server_content_uses u WHERE u.task_id = $1 AND u.content_id = c.id) AS used_by \
     FROM actor_server_content c WHERE (c.table_name, c.id) < ($2, $3) AND c.table_name >= $2 \
     ORDER BY c.table_name DESC, c.id DESC LIMIT $4";

#[derive(QueryableByName)]
struct PassingRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Double)]
    priority: f64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    not_before: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<Instant>,
    #[diesel(sql_type = Nullable<BigInt>)]
    used_by: Option<i64>,
}

impl From<PassingRow> for Passing {
    fn from(row: PassingRow) -> Self {
        Self {
            id: row.id,
            priority: row.priority,
            not_before: row.not_before,
            expires_at: row.expires_at,
            used_by: row.used_by,
        }
    }
}

/// See [`StatePersistence::candidates`](crate::store::StatePersistence::candidates). Also answers what was found out for the
/// next choice. The revisions are read before the items, so that what is found out is given up if one changes meanwhile.
pub(super) async fn candidates(
    connection: &mut Connection,
    wish: Selection,
) -> QueryResult<(Vec<StoredItem>, Vec<Note>)> {
    let bot = wish.bot.as_str();
    let tables: Vec<&String> = wish.tables.iter().filter(|t| !t.contains('\0')).collect();
    in_index_order(connection).await?;
    let seen = stretches::of(connection, &tables, bot).await?;
    let own = own(connection, &wish).await?;
    let passed_by: HashSet<i64> = wish.skip.iter().chain(&own).copied().collect();
    let skipped = |id: &i64| wish.skip.contains(id);
    let mut ids: Vec<i64> = own.into_iter().filter(|id| !skipped(id)).collect();
    let mut notes = Vec::new();
    for (table, order) in tables
        .iter()
        .flat_map(|table| Order::ALL.map(|order| (*table, order)))
    {
        let nothing = Seen::default();
        let seen = seen.get(table).unwrap_or(&nothing);
        let walker = Walker::new(order, wish.now, seen.of(order));
        let walker = walker.wanting(wish.limit, wish.execution.0, passed_by.clone());
        let (found, new) = go(connection, table, bot, order, walker).await?;
        ids.extend(found);
        notes.extend(new.map(|new| seen.note(table, order, new, wish.now)));
    }
    Ok((items(connection, &ids, &wish.tables).await?, notes))
}

/// For the rest of the transaction: see [`IN_THE_ORDER_OF_AN_INDEX`].
pub(super) async fn in_index_order(connection: &mut Connection) -> QueryResult<()> {
    connection.batch_execute(IN_THE_ORDER_OF_AN_INDEX).await
}

/// Goes through a table until the walker has enough.
pub(super) async fn go(
    connection: &mut Connection,
    table: &str,
    bot: &str,
    order: Order,
    mut walker: Walker,
) -> QueryResult<(Vec<i64>, Option<Vec<Stretch>>)> {
    while let Some((after, limit)) = walker.next() {
        walker.take(&page(connection, table, bot, order, after, limit).await?);
    }
    Ok(walker.end())
}

async fn page(
    connection: &mut Connection,
    table: &str,
    bot: &str,
    order: Order,
    after: Place,
    limit: u32,
) -> QueryResult<Vec<Passing>> {
    let limit = i64::from(limit);
    let rows: Vec<PassingRow> = match order {
        Order::Priority => {
            sql_query(BY_PRIORITY)
                .bind::<Text, _>(bot)
                .bind::<Text, _>(table)
                .bind::<Double, _>(after.rank)
                .bind::<BigInt, _>(after.key)
                .bind::<BigInt, _>(limit)
                .load(connection)
                .await?
        }
        Order::Age => {
            sql_query(BY_AGE)
                .bind::<Text, _>(bot)
                .bind::<Text, _>(table)
                .bind::<BigInt, _>(after.key.saturating_neg())
                .bind::<BigInt, _>(limit)
                .load(connection)
                .await?
        }
    };
    Ok(rows.into_iter().map(Passing::from).collect())
}

/// What this run has used itself; the first one first.
async fn own(connection: &mut Connection, wish: &Selection) -> QueryResult<Vec<i64>> {
    let own: Vec<NumberRow> = sql_query(
        "SELECT p.content_id AS value FROM actor_server_posts p \
         JOIN actor_server_content_uses u ON u.task_id = p.task_id AND u.content_id = p.content_id \
         AND u.execution_id = p.execution_id WHERE p.execution_id = $1 AND p.task_id = $2 ORDER BY p.\"position\"",
    )
    .bind::<BigInt, _>(wish.execution.0)
    .bind::<Text, _>(wish.bot.as_str())
    .load(connection)
    .await?;
    Ok(own.into_iter().map(|row| row.value).collect())
}

/// The items with these ids, in this order, each once; those of other tables are left out.
async fn items(
    connection: &mut Connection,
    ids: &[i64],
    tables: &[String],
) -> QueryResult<Vec<StoredItem>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {CONTENT} FROM actor_server_content c WHERE c.id = ANY($1)");
    let rows: Vec<ContentRow> = sql_query(sql)
        .bind::<Array<BigInt>, _>(ids)
        .load(connection)
        .await?;
    let rows = rows.into_iter().map(StoredItem::from).collect();
    Ok(walk::in_order(ids, tables, rows))
}
