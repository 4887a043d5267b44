//! A store for commands that work beside a server: it owns nothing, registers no process, and leaves the ledger alone.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{
    DatabaseUrl, StatePersistence, StoreError, postgres, postgres::PostgresStore,
    schema_commands::steps, sqlite, sqlite::SqliteStore,
};

/// What to do about a database that is not there, or whose schema is not up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make it, or bring it up to date; on SQLite that needs the file for a moment, as `migrate` does.
    Make,
    /// Leave it.
    Leave,
}

/// Opens a database beside whoever uses it. `None`: there is none yet, and none was to be made.
///
/// # Errors
/// See [`StoreError`]; also if the schema is not this program's and cannot be made so.
pub async fn open_beside(
    url: &str,
    missing: Missing,
) -> Result<Option<Arc<dyn StatePersistence>>, StoreError> {
    let url = DatabaseUrl::parse(url)?;
    let steps = steps(&url).await?;
    let lacking = steps.iter().find(|step| !step.applied);
    match (lacking, missing) {
        (None, _) => {}
        (Some(_), Missing::Make) => migrate_up(&url).await?,
        (Some(_), Missing::Leave) if steps.iter().all(|step| !step.applied) => return Ok(None),
        (Some(step), Missing::Leave) => return Err(StoreError::older_schema(&step.version)),
    }
    Ok(Some(match url {
        DatabaseUrl::Sqlite(path) => Arc::new(SqliteStore::beside(&path).await?),
        DatabaseUrl::Postgres(url) => Arc::new(PostgresStore::beside(url.expose_secret()).await?),
    }))
}

async fn migrate_up(url: &DatabaseUrl) -> Result<(), StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::migrate_up(path).await,
        DatabaseUrl::Postgres(url) => postgres::migrate_up(url.expose_secret()).await,
    }
    .map(drop)
}
