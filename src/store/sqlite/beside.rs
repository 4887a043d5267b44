//! The file beside its owner: readers as ever, and a writer that waits longer for its turn than the owner does.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection,
    dsl::max,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{
    READERS, SqliteStore,
    connections::{Connections, Role},
    fault::Fault,
    knowledge, migrations,
    rows::content::ContentRow,
    schema::{content, meta},
};
use crate::{
    clock::Clock,
    domain::{
        Instant,
        content::{Imported, StoredItem},
    },
    store::{
        StoreError,
        facts::Facts,
        imports::{BROKE_OFF, Batches, Count, KnowledgeStore},
        keys,
    },
};

impl SqliteStore {
    /// Opens a file that another process may own, with the schema of this program. What is written waits for the write lock
    /// up to 30 s.
    ///
    /// # Errors
    /// `NewerSchema`, or if the file cannot be read.
    pub async fn beside(path: &Path) -> Result<Self, StoreError> {
        let file = path.to_owned();
        migrations::blocking(move || migrations::refuse_newer(&file)).await?;
        let readers = Connections::new(path, Role::Reader, READERS);
        let database_id = readers.run(database_id).await?;
        Ok(Self {
            writer: Connections::new(path, Role::Guest, 1),
            readers,
            clock: Clock::process(),
            facts: Facts::default(),
            noting: Arc::new(tokio::sync::Semaphore::new(1)),
            ours: Mutex::default(),
            database_id,
            lock: Mutex::new(None),
        })
    }
}

#[async_trait]
impl KnowledgeStore for SqliteStore {
    async fn import_content(
        &self,
        table: &str,
        batches: Batches,
        now: Instant,
    ) -> Result<Imported, StoreError> {
        let table = table.to_owned();
        self.transaction(move |conn| import(conn, &table, batches, now))
            .await
    }

    async fn content_by_key(
        &self,
        table: &str,
        key: &str,
    ) -> Result<Option<StoredItem>, StoreError> {
        let (table, key) = (table.to_owned(), key.to_owned());
        self.readers
            .run(move |conn| by_key(conn, &table, &key))
            .await
    }

    async fn content_onwards(
        &self,
        table: &str,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredItem>, StoreError> {
        let table = table.to_owned();
        self.readers
            .run(move |conn| onwards(conn, &table, after, limit))
            .await
    }
}

fn database_id(conn: &mut SqliteConnection) -> Result<String, Fault> {
    let id = meta::table.find("database_id").select(meta::value);
    Ok(id.get_result(conn)?)
}

/// Adds items as they come, or puts them in the place of those with the same key.
pub(super) fn import(
    conn: &mut SqliteConnection,
    table: &str,
    batches: Batches,
    now: Instant,
) -> Result<Imported, Fault> {
    let newest: Option<i64> = content::table.select(max(content::id)).get_result(conn)?;
    let mut count = Count::above(newest.unwrap_or_default());
    for items in batches {
        let items = items.ok_or_else(|| Fault::Stored(BROKE_OFF.into()))?;
        count.add(&knowledge::add(conn, table, &items, now)?, items.len());
    }
    Ok(count.sum())
}

/// The item of a table with this key.
pub(super) fn by_key(
    conn: &mut SqliteConnection,
    table: &str,
    key: &str,
) -> Result<Option<StoredItem>, Fault> {
    let sql = "SELECT c.* FROM actor_server_content c WHERE c.table_name = ? AND c.item_key = ?";
    let row: Option<ContentRow> = sql_query(sql)
        .bind::<Text, _>(table)
        .bind::<Text, _>(keys::of_key(key))
        .get_result(conn)
        .optional()?;
    Ok(row.map(StoredItem::from))
}

/// Items of a table in the order of their rows, behind `after`.
pub(super) fn onwards(
    conn: &mut SqliteConnection,
    table: &str,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredItem>, Fault> {
    let sql = "SELECT c.* FROM actor_server_content c WHERE c.table_name = ? AND c.id > ? ORDER BY c.id LIMIT ?";
    let rows: Vec<ContentRow> = sql_query(sql)
        .bind::<Text, _>(table)
        .bind::<BigInt, _>(after.unwrap_or(i64::MIN))
        .bind::<BigInt, _>(i64::from(limit))
        .load(conn)?;
    Ok(rows.into_iter().map(StoredItem::from).collect())
}
