//! One file, one owner: the backend that needs no server.
//!
//! The process that opens the file holds a lock beside it and is the only one that writes, so every other process is
//! known to be dead and the process's own clock says what is due. Writes go through one connection, a batch in one
//! `BEGIN IMMEDIATE` transaction that is on disk (`synchronous = FULL`) when its answer comes; reads have connections
//! of their own, and outside readers may look on at any time.

mod alerts;
mod breakers;
mod connections;
mod fault;
mod fixed;
mod knowledge;
mod lock;
mod migrations;
mod open;
mod outbox;
mod pages;
mod prune;
mod read;
mod replicas;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod time;
mod write;

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use diesel::SqliteConnection;

pub use self::migrations::{migrate_down, migrate_up, migration_status};
use self::{
    connections::{Connections, Role},
    fault::Fault,
    lock::OwnerLock,
    write::{Tx, apply},
};
use super::{
    AlertStore, Beat, LedgerRow, LiveRow, Replica, Rescued, StatePersistence, StoreError, Write,
    Written, facts::Facts,
};
use crate::{
    clock::Clock,
    domain::{
        Instant,
        audit::{AuditEntry, AuditQuery, AuditRow},
        bot::BotName,
        breaker::{Breaker, StoredBreaker},
        content::{ContentItem, ContentQuery, StoredItem},
        fact::Fact,
        ledger::LedgerQuery,
        post::Post,
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
};

/// Connections for reading.
const READERS: u32 = 2;

/// An SQLite file that this process owns.
pub struct SqliteStore {
    writer: Connections,
    readers: Connections,
    clock: Clock,
    facts: Facts,
    /// Who beats through this store: one process, but in tests.
    ours: Mutex<BTreeSet<String>>,
    database_id: String,
    /// Given up last.
    lock: Mutex<Option<OwnerLock>>,
}

impl SqliteStore {
    /// Opens a file, making it and its folders if there are none, and brings its schema up to date.
    ///
    /// # Errors
    /// `Owned` if another process has it; `NewerSchema` if a newer program made it (nothing is touched then);
    /// `Unavailable` if it is locked, read-only, without room or without rights; `Failed` if the path can be no database.
    pub async fn open(path: &Path, me: &Replica, clock: Clock) -> Result<Self, StoreError> {
        let (file, id, since) = (path.to_owned(), me.id.clone(), me.started_at);
        let opened = migrations::blocking(move || open::open(&file, &id, since)).await?;
        Ok(Self {
            writer: Connections::new(path, Role::Writer, 1),
            readers: Connections::new(path, Role::Reader, READERS),
            clock,
            facts: Facts::default(),
            ours: Mutex::default(),
            database_id: opened.database_id,
            lock: Mutex::new(Some(opened.lock)),
        })
    }

    fn ours(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one transaction that has the write lock from its start.
    async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer
            .run(|conn| conn.immediate_transaction(work))
            .await
    }

    /// The same for writes, whose facts are handed over as soon as they are committed.
    async fn write_transaction<T: Send + 'static>(
        &self,
        me: &ReplicaId,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (me, now, facts) = (me.clone(), self.clock.now(), self.facts.clone());
        let write = move |conn: &mut SqliteConnection| {
            let mut tx = Tx {
                conn,
                me: &me,
                now,
                facts: Vec::new(),
            };
            let done = work(&mut tx)?;
            Ok::<_, Fault>((done, tx.facts))
        };
        self.writer
            .run(move |conn| {
                let (done, new) = conn.immediate_transaction(write)?;
                facts.add(new);
                Ok(done)
            })
            .await
    }
}

/// All stored bots of a file that another process may own. Takes no lock and changes nothing.
///
/// # Errors
/// If the file cannot be read.
pub async fn states_beside(path: &Path) -> Result<Vec<BotState>, StoreError> {
    Connections::new(path, Role::Reader, 1)
        .run(read::states)
        .await
}

#[async_trait]
impl StatePersistence for SqliteStore {
    async fn write(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        let batch = batch.to_vec();
        self.write_transaction(me, move |tx| {
            batch.iter().map(|write| apply(tx, write)).collect()
        })
        .await
    }

    fn facts(&self) -> Vec<Fact> {
        self.facts.take()
    }

    async fn outbox(&self) -> Result<u64, StoreError> {
        self.readers.run(read::outbox).await
    }

    async fn schema_version(&self) -> Result<i64, StoreError> {
        self.readers.run(read::schema_version).await
    }

    async fn states(&self) -> Result<Vec<BotState>, StoreError> {
        self.readers.run(read::states).await
    }

    async fn due(&self, until: Instant) -> Result<Vec<BotState>, StoreError> {
        self.readers.run(move |conn| read::due(conn, until)).await
    }

    async fn live(&self, owner: &ReplicaId) -> Result<Vec<LiveRow>, StoreError> {
        let owner = owner.clone();
        self.readers
            .run(move |conn| read::live(conn, owner.as_str()))
            .await
    }

    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError> {
        self.readers.run(outbox::unsent).await
    }

    async fn unsent_before(
        &self,
        platform: &str,
        destination: &str,
        turn: Option<i64>,
    ) -> Result<Vec<Post>, StoreError> {
        let (platform, destination) = (platform.to_owned(), destination.to_owned());
        self.readers
            .run(move |conn| outbox::unsent_before(conn, &platform, &destination, turn))
            .await
    }

    async fn beat(&self, me: &Replica) -> Result<Beat, StoreError> {
        let (id, now) = (me.id.as_str().to_owned(), self.clock.now());
        let me = me.clone();
        let beat = self
            .transaction(move |conn| replicas::beat(conn, &me, now))
            .await?;
        self.ours().insert(id);
        Ok(beat)
    }

    async fn sign_off(&self, me: &ReplicaId) -> Result<(), StoreError> {
        let id = me.clone();
        self.transaction(move |conn| replicas::sign_off(conn, &id))
            .await?;
        self.ours().remove(me.as_str());
        Ok(())
    }

    async fn rescue(
        &self,
        me: &ReplicaId,
        again: &HashMap<BotName, u32>,
        now: Instant,
    ) -> Result<Vec<Rescued>, StoreError> {
        let again = again.clone();
        self.write_transaction(me, move |tx| write::rescue::rescue(tx, &again, now))
            .await
    }

    async fn ledger(
        &self,
        bot: Option<&BotName>,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let bot = bot.cloned();
        self.readers
            .run(move |conn| read::ledger(conn, bot.as_ref().map(BotName::as_str), limit))
            .await
    }

    async fn posts(&self, bot: Option<&BotName>, limit: i64) -> Result<Vec<Post>, StoreError> {
        let bot = bot.cloned();
        self.readers
            .run(move |conn| read::posts(conn, bot.as_ref().map(BotName::as_str), limit))
            .await
    }

    async fn executions(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::executions(conn, &query))
            .await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<LedgerRow>, StoreError> {
        self.readers
            .run(move |conn| read::execution(conn, id))
            .await
    }

    async fn posts_of(&self, executions: &[ExecutionId]) -> Result<Vec<Post>, StoreError> {
        let executions: BTreeSet<_> = executions.iter().copied().collect();
        self.readers
            .run(move |conn| read::posts_of(conn, &executions))
            .await
    }

    async fn state(&self, bot: &BotName) -> Result<Option<BotState>, StoreError> {
        let bot = bot.clone();
        self.readers
            .run(move |conn| rows::state::load(conn, bot.as_str()))
            .await
    }

    async fn changed(&self, since: Instant) -> Result<Vec<BotState>, StoreError> {
        self.readers
            .run(move |conn| read::changed(conn, since))
            .await
    }

    async fn record(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.transaction(move |conn| knowledge::record(conn, &entries))
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::audit(conn, &query))
            .await
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError> {
        let (ours, now) = (self.ours().clone(), self.clock.now());
        self.readers
            .run(move |conn| replicas::all(conn, &ours, now))
            .await
    }

    async fn content(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::content(conn, &query))
            .await
    }

    async fn add_content(
        &self,
        table: &str,
        items: &[ContentItem],
        now: Instant,
    ) -> Result<Vec<i64>, StoreError> {
        let (table, items) = (table.to_owned(), items.to_vec());
        self.transaction(move |conn| knowledge::add(conn, &table, &items, now))
            .await
    }

    async fn remove_content(&self, table: &str, id: Option<i64>) -> Result<u64, StoreError> {
        let table = table.to_owned();
        self.transaction(move |conn| knowledge::remove(conn, &table, id))
            .await
    }

    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError> {
        self.readers.run(breakers::all).await
    }

    async fn keep_breaker(
        &self,
        dependency: &str,
        breaker: Breaker,
        credential: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError> {
        let (dependency, credential) = (dependency.to_owned(), credential.map(str::to_owned));
        self.transaction(move |conn| breakers::keep(conn, &dependency, breaker, credential, now))
            .await
    }

    async fn prune(&self, before: Instant, posts_before: Instant) -> Result<u64, StoreError> {
        let both = before.min(posts_before);
        let posts = self
            .transaction(move |conn| prune::posts(conn, both))
            .await?;
        let mut walk = prune::Walk::start();
        while !walk.done {
            walk = self
                .transaction(move |conn| prune::ledger_step(conn, walk, before))
                .await?;
        }
        let audit = self
            .transaction(move |conn| prune::audit(conn, before))
            .await?;
        Ok(posts + walk.deleted + audit)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.run(read::ping).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        drop(
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    fn database_id(&self) -> &str {
        &self.database_id
    }

    fn alerts(&self) -> Option<&dyn AlertStore> {
        Some(self)
    }

    fn is_shared(&self) -> bool {
        false
    }
}
