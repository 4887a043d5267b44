//! Connections to one file, and the one rule for using them: a piece of work is one hop to a blocking thread, which
//! always runs to its end. A caller that goes away can therefore never leave a transaction open.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tokio::sync::Semaphore;

use super::fault::{Fault, at, not_opened};
use crate::store::StoreError;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Reads and writes; there is one, because SQLite has one writer at a time.
    Writer,
    /// Reads only, beside the writer.
    Reader,
}

impl Role {
    const fn pragmas(self) -> &'static str {
        match self {
            Self::Writer => {
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            }
            Self::Reader => "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;",
        }
    }
}

/// Opens a connection; makes the file if there is none.
pub(super) fn connect(path: &Path, role: Role) -> Result<SqliteConnection, StoreError> {
    let mut conn = establish(path)?;
    conn.batch_execute(role.pragmas())
        .map_err(|error| at(&path.display().to_string(), Fault::from(error).into()))?;
    Ok(conn)
}

/// Opens a connection that has changed nothing yet.
pub(super) fn establish(path: &Path) -> Result<SqliteConnection, StoreError> {
    let shown = path.display().to_string();
    // An absolute path is never taken for a `file:` address.
    let full = std::path::absolute(path)
        .map_err(|error| StoreError::Failed(format!("{shown}: {error}")))?;
    let full = full
        .to_str()
        .ok_or_else(|| StoreError::Failed(format!("{shown} is not valid UTF-8")))?;
    SqliteConnection::establish(full).map_err(|error| not_opened(&shown, &error))
}

/// Connections of one role; opened when they are needed, and dropped after an error. Clones share them.
#[derive(Clone)]
pub(super) struct Connections {
    path: PathBuf,
    role: Role,
    size: u32,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
}

impl Connections {
    /// At most `size` connections to `path`.
    pub(super) fn new(path: &Path, role: Role, size: u32) -> Self {
        Self {
            path: path.to_owned(),
            role,
            size,
            permits: Arc::new(Semaphore::new(size as usize)),
            idle: Arc::default(),
        }
    }

    /// Runs `work` on a connection of its own, off the async threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_closed| StoreError::Failed("it is closed".into()))?;
        let (path, role, idle) = (self.path.clone(), self.role, Arc::clone(&self.idle));
        let done = tokio::task::spawn_blocking(move || {
            let kept = locked(&idle).pop();
            let mut conn = match kept {
                Some(conn) => conn,
                None => connect(&path, role)?,
            };
            let result = work(&mut conn)?;
            // Only a connection that did its work is kept: whatever state an error left it in goes with it.
            locked(&idle).push(conn);
            drop(permit);
            Ok(result)
        });
        // A panic took all of the transaction back, also what was good; how often it is tried again is the caller's choice.
        done.await.unwrap_or_else(|died| {
            let what = format!("a query ended early: {died}");
            Err(StoreError::Broken(what))
        })
    }

    /// Waits for what is at work and closes all connections.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(self.size).await;
        self.permits.close();
        locked(&self.idle).clear();
        drop(all);
    }
}

fn locked(idle: &Mutex<Vec<SqliteConnection>>) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
