//! The database beside whoever uses it, for commands: no process is registered, and no clock is set by it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryResult, QueryableByName,
    result::Error,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    LEASE, PostgresStore,
    connection::Connection,
    flush::clean,
    gate::{Access, Gate},
    knowledge, migrate, read,
    rows_beside::{CONTENT, ContentRow},
    url::Settings,
};
use crate::{
    clock::Clock,
    domain::{
        Instant,
        content::{Imported, StoredItem},
    },
    store::{
        StoreError,
        imports::{Batches, Count, KnowledgeStore},
        keys,
    },
};

impl PostgresStore {
    /// Connects to a database that others may use, with the schema of this program.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Refused`] and [`StoreError::NewerSchema`] will not pass by themselves.
    pub async fn beside(url: &str) -> Result<Self, StoreError> {
        let settings = Settings::parse(url)?;
        migrate::up(settings.clone()).await?;
        let gate = Gate::new(settings)?;
        let database_id = gate.read(|c| Box::pin(read::database_id(c))).await?;
        Ok(Self {
            gate,
            ours: Mutex::default(),
            noting: Arc::new(tokio::sync::Semaphore::new(1)),
            unsures: Mutex::default(),
            telling: Arc::default(),
            clock: Clock::process(),
            lease: LEASE,
            trust: Arc::default(),
            database_id,
        })
    }
}

#[async_trait]
impl KnowledgeStore for PostgresStore {
    async fn import_content(
        &self,
        table: &str,
        batches: Batches,
        now: Instant,
    ) -> Result<Imported, StoreError> {
        let table = table.to_owned();
        self.gate
            .run(Access::Import, move |c| {
                Box::pin(import(c, table, batches, now))
            })
            .await
    }

    async fn content_by_key(
        &self,
        table: &str,
        key: &str,
    ) -> Result<Option<StoredItem>, StoreError> {
        let (table, key) = (table.to_owned(), key.to_owned());
        self.gate
            .read(move |c| Box::pin(by_key(c, table, key)))
            .await
    }

    async fn content_onwards(
        &self,
        table: &str,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredItem>, StoreError> {
        let table = table.to_owned();
        self.gate
            .read(move |c| Box::pin(onwards(c, table, after, limit)))
            .await
    }
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Adds items as they come, or puts them in the place of those with the same key.
pub(super) async fn import(
    connection: &mut Connection,
    table: String,
    batches: Batches,
    now: Instant,
) -> QueryResult<Imported> {
    let newest = "SELECT coalesce(max(id), 0)::bigint AS id FROM actor_server_content";
    let Newest { id } = sql_query(newest).get_result(connection).await?;
    let mut count = Count::above(id);
    for items in batches {
        let items = items.ok_or(Error::RollbackTransaction)?;
        let many = items.len();
        let rows = knowledge::add(connection, table.clone(), items, now).await?;
        count.add(&rows, many);
    }
    Ok(count.sum())
}

/// The item of a table with this key.
pub(super) async fn by_key(
    connection: &mut Connection,
    table: String,
    key: String,
) -> QueryResult<Option<StoredItem>> {
    let row: Option<ContentRow> = sql_query(format!(
        "SELECT {CONTENT} FROM actor_server_content c WHERE c.table_name = $1 AND c.item_key = $2"
    ))
    .bind::<Text, _>(clean(&table))
    .bind::<Text, _>(clean(&keys::of_key(&key)))
    .get_result(connection)
    .await
    .optional()?;
    Ok(row.map(StoredItem::from))
}

/// Items of a table in the order of their rows, behind `after`.
pub(super) async fn onwards(
    connection: &mut Connection,
    table: String,
    after: Option<i64>,
    limit: u32,
) -> QueryResult<Vec<StoredItem>> {
    let rows: Vec<ContentRow> = sql_query(format!(
        "SELECT {CONTENT} FROM actor_server_content c WHERE c.table_name = $1 AND c.id > $2 ORDER BY c.id LIMIT $3"
    ))
    .bind::<Text, _>(clean(&table))
    .bind::<BigInt, _>(after.unwrap_or(i64::MIN))
    .bind::<BigInt, _>(i64::from(limit))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(StoredItem::from).collect())
}
