//! Feeds that fill knowledge tables: what to ask them with, and what they have brought.

use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Nullable, Text},
    sqlite::Sqlite,
};
use serde_json::json;

use super::{
    fault::Fault,
    knowledge,
    rows::content::ContentRow,
    time::{Time, read, stored},
};
use crate::{
    domain::content::{FeedLook, FeedState, StoredItem},
    store::{feed, keys, pages::bounded},
};

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct FeedRow {
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    read_at: Option<Time>,
}

/// What is remembered of a feed.
pub(super) fn feed(
    conn: &mut SqliteConnection,
    table: &str,
    url: &str,
) -> Result<Option<FeedState>, Fault> {
    let row: Option<FeedRow> = sql_query(
        "SELECT etag, last_modified, read_at FROM actor_server_feeds WHERE table_name = ? AND feed_key = ?",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(keys::of_feed(url))
    .get_result(conn)
    .optional()?;
    Ok(row.map(|row| FeedState {
        etag: row.etag,
        last_modified: row.last_modified,
        read_at: read(row.read_at),
    }))
}

/// Takes in a look; answers how many items are new.
pub(super) fn take(conn: &mut SqliteConnection, look: &FeedLook) -> Result<u64, Fault> {
    let entries = feed::entries(look);
    let keys = json!(feed::keys_of(&entries)).to_string();
    let stored = items(conn, &look.table, &keys)?;
    let given = given(conn, &look.table, &keys)?;
    let (write, new) = feed::to_write(entries, &stored, &given);
    knowledge::add(conn, &look.table, &write, look.at)?;
    sql_query(
        "INSERT INTO actor_server_feed_entries (table_name, item_key, first_seen) \
         SELECT ?, value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(&look.table)
    .bind::<Text, _>(Time(bounded(look.at)))
    .bind::<Text, _>(&keys)
    .execute(conn)?;
    remember(conn, look)?;
    Ok(new)
}

fn remember(conn: &mut SqliteConnection, look: &FeedLook) -> Result<(), Fault> {
    sql_query(
        "INSERT INTO actor_server_feeds (table_name, feed_key, url, etag, last_modified, read_at) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (table_name, feed_key) DO UPDATE SET etag = excluded.etag, \
         last_modified = excluded.last_modified, read_at = excluded.read_at",
    )
    .bind::<Text, _>(&look.table)
    .bind::<Text, _>(keys::of_feed(&look.url))
    .bind::<Text, _>(&look.url)
    .bind::<Nullable<Text>, _>(&look.state.etag)
    .bind::<Nullable<Text>, _>(&look.state.last_modified)
    .bind::<Nullable<Text>, _>(stored(look.state.read_at.map(bounded)))
    .execute(conn)?;
    Ok(())
}

fn items(conn: &mut SqliteConnection, table: &str, keys: &str) -> Result<Vec<StoredItem>, Fault> {
    let rows: Vec<ContentRow> = sql_query(
        "SELECT c.* FROM actor_server_content c WHERE c.table_name = ? \
         AND c.item_key IN (SELECT value FROM json_each(?))",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(keys)
    .load(conn)?;
    Ok(rows.into_iter().map(StoredItem::from).collect())
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    item_key: String,
}

/// Which of these the table was ever given.
fn given(conn: &mut SqliteConnection, table: &str, keys: &str) -> Result<HashSet<String>, Fault> {
    let rows: Vec<Key> = sql_query(
        "SELECT item_key FROM actor_server_feed_entries WHERE table_name = ? \
         AND item_key IN (SELECT value FROM json_each(?))",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(keys)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.item_key).collect())
}
