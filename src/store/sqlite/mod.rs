//! One file, one owner: the backend that needs no server.
//!
//! The process that opens the file holds a lock beside it and is the only one that writes, so every other process is
//! known to be dead and the process's own clock says what is due. Writes go through one connection, a batch in one
//! `BEGIN IMMEDIATE` transaction that is on disk (`synchronous = FULL`) when its answer comes; reads have connections
//! of their own, and outside readers may look on at any time.

mod alerts;
mod beside;
mod breakers;
mod choice;
mod connections;
mod fault;
mod feeds;
mod fixed;
mod knowledge;
mod lock;
mod migrations;
mod open;
mod outbox;
mod pages;
mod persistence;
mod posted;
mod prune;
mod read;
mod replicas;
mod rows;
mod schema;
mod stretches;
#[cfg(test)]
mod tests;
mod time;
mod write;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use diesel::SqliteConnection;
use tokio::sync::Semaphore;

pub use self::migrations::{migrate_down, migrate_up, migration_status};
use self::{
    connections::{Connections, Role},
    fault::Fault,
    lock::OwnerLock,
    write::Tx,
};
use super::{Replica, StoreError, facts::Facts, walk::Note};
use crate::{
    clock::Clock,
    domain::{bot::BotName, run::ReplicaId, state::BotState},
};

/// Connections for reading.
const READERS: u32 = 2;

/// An SQLite file that this process owns.
pub struct SqliteStore {
    writer: Connections,
    readers: Connections,
    clock: Clock,
    facts: Facts,
    /// Notes are written by one at a time; what others have found out meanwhile is found out again.
    noting: Arc<Semaphore>,
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
            noting: Arc::new(Semaphore::new(1)),
            ours: Mutex::default(),
            database_id: opened.database_id,
            lock: Mutex::new(Some(opened.lock)),
        })
    }

    fn ours(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what a choice has found out for later ones. Nobody waits for it: a note that is lost is made again.
    fn keep_notes(&self, bot: &BotName, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        let Ok(turn) = Arc::clone(&self.noting).try_acquire_owned() else {
            return;
        };
        let (writer, bot) = (self.writer.clone(), bot.clone());
        let keep = move |conn: &mut SqliteConnection| {
            conn.immediate_transaction(|conn| stretches::keep(conn, bot.as_str(), &notes))
        };
        drop(tokio::spawn(async move {
            drop(writer.run(keep).await);
            drop(turn);
        }));
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
