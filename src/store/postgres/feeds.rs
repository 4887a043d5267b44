//! Feeds that fill knowledge tables: what to ask them with, and what they have brought.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    connection::Connection,
    flush::{clean, maybe_clean},
    knowledge,
    rows::TextRow,
    rows_beside::{CONTENT, ContentRow},
    stretches,
};
use crate::{
    domain::{
        Instant,
        content::{FeedLook, FeedState, StoredItem},
    },
    store::{feed, keys, pages::bounded},
};

#[derive(QueryableByName)]
struct FeedRow {
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    read_at: Option<Instant>,
}

/// What is remembered of a feed.
pub(super) async fn feed(
    connection: &mut Connection,
    table: String,
    url: String,
) -> QueryResult<Option<FeedState>> {
    let rows: Vec<FeedRow> = sql_query(
        "SELECT etag, last_modified, read_at FROM actor_server_feeds WHERE table_name = $1 AND feed_key = $2",
    )
    .bind::<Text, _>(clean(&table))
    .bind::<Text, _>(clean(&keys::of_feed(&url)))
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(|row| FeedState {
        etag: row.etag,
        last_modified: row.last_modified,
        read_at: row.read_at,
    }))
}

/// Takes in a look; answers how many items are new. Two looks at feeds of one table wait for each other, so that an entry is
/// new to one of them.
pub(super) async fn take(connection: &mut Connection, look: FeedLook) -> QueryResult<u64> {
    let table = clean(&look.table);
    stretches::raise(connection, &table).await?;
    let entries = feed::entries(&look);
    let keys = feed::keys_of(&entries);
    let sql = format!(
        "SELECT {CONTENT} FROM actor_server_content c WHERE c.table_name = $1 AND c.item_key = ANY($2)"
    );
    let stored: Vec<ContentRow> = sql_query(sql)
        .bind::<Text, _>(&table)
        .bind::<Array<Text>, _>(&keys)
        .load(connection)
        .await?;
    let stored: Vec<StoredItem> = stored.into_iter().map(StoredItem::from).collect();
    let given: Vec<TextRow> = sql_query(
        "SELECT item_key AS value FROM actor_server_feed_entries WHERE table_name = $1 AND item_key = ANY($2)",
    )
    .bind::<Text, _>(&table)
    .bind::<Array<Text>, _>(&keys)
    .load(connection)
    .await?;
    let given = given.into_iter().map(|row| row.value).collect();
    let (write, new) = feed::to_write(entries, &stored, &given);
    knowledge::add(connection, table.clone(), write, look.at).await?;
    remember_entries(connection, &table, &keys, look.at).await?;
    remember(connection, &table, &look).await?;
    Ok(new)
}

async fn remember_entries(
    connection: &mut Connection,
    table: &str,
    keys: &[String],
    at: Instant,
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO actor_server_feed_entries (table_name, item_key, first_seen) SELECT $1, k, $2 \
         FROM unnest($3) AS k ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(table)
    .bind::<Timestamptz, _>(bounded(at))
    .bind::<Array<Text>, _>(keys)
    .execute(connection)
    .await
    .map(drop)
}

async fn remember(connection: &mut Connection, table: &str, look: &FeedLook) -> QueryResult<()> {
    sql_query(
        "INSERT INTO actor_server_feeds (table_name, feed_key, url, etag, last_modified, read_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (table_name, feed_key) DO UPDATE SET etag = excluded.etag, \
         last_modified = excluded.last_modified, read_at = excluded.read_at",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(clean(&keys::of_feed(&look.url)))
    .bind::<Text, _>(clean(&look.url))
    .bind::<Nullable<Text>, _>(maybe_clean(look.state.etag.as_ref()))
    .bind::<Nullable<Text>, _>(maybe_clean(look.state.last_modified.as_ref()))
    .bind::<Nullable<Timestamptz>, _>(look.state.read_at.map(bounded))
    .execute(connection)
    .await
    .map(drop)
}
