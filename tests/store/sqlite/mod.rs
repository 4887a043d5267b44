//! The SQLite backend: its fixture, and what only a file can do.

mod files;
mod migrations;
mod outside;
mod readers;

use std::{path::PathBuf, sync::Arc};

use actor_server::{
    clock::Clock,
    domain::run::{ExecutionId, ReplicaId},
    store::{StatePersistence, StoreError, sqlite::SqliteStore},
};
use async_trait::async_trait;
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;

use crate::fixture::{Fixture, replica};

/// A file of its own, in a folder that goes with it.
pub(crate) struct SqliteFixture {
    store: Arc<SqliteStore>,
    folder: TempDir,
}

impl SqliteFixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("a.db")).await.unwrap();
        Self {
            store: Arc::new(store),
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }
}

#[async_trait]
impl Fixture for SqliteFixture {
    fn store(&self) -> Arc<dyn StatePersistence> {
        Arc::clone(&self.store) as _
    }

    /// Every process but the one that asks is dead already: it does not hold the lock.
    async fn kill(&self, _process: &ReplicaId) {}

    async fn backdate(&self, row: ExecutionId, seconds: i64) {
        let mut conn = SqliteConnection::establish(self.path().to_str().unwrap()).unwrap();
        conn.batch_execute(&format!(
            "UPDATE actor_server_executions SET created_at = \
             strftime('%Y-%m-%d %H:%M:%f', 'now', '-{seconds} seconds') || '000+00:00' WHERE id = {row}"
        ))
        .unwrap();
    }
}

async fn open(path: &std::path::Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, &replica("owner"), Clock::process()).await
}
