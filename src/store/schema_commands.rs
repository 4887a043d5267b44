//! The database from the command line, beside a server that may be running: its schema up, down, where it is, and the
//! states that are stored.

use secrecy::ExposeSecret;

use super::{DatabaseUrl, SchemaStep, StoreError, postgres, sqlite};
use crate::domain::state::BotState;

/// Applies what is missing; answers what was applied.
///
/// # Errors
/// See [`StoreError`].
pub async fn migrate_up(url: &str) -> Result<Vec<String>, StoreError> {
    let applied = match DatabaseUrl::parse(url)? {
        DatabaseUrl::Sqlite(path) => sqlite::migrate_up(&path).await?,
        DatabaseUrl::Postgres(url) => postgres::migrate_up(url.expose_secret()).await?,
    };
    Ok(said(&applied, "applied", "the schema is up to date"))
}

/// Reverts the newest `steps`; answers what was reverted.
///
/// # Errors
/// See [`StoreError`].
pub async fn migrate_down(url: &str, steps: usize) -> Result<Vec<String>, StoreError> {
    let reverted = match DatabaseUrl::parse(url)? {
        DatabaseUrl::Sqlite(path) => sqlite::migrate_down(&path, steps).await?,
        DatabaseUrl::Postgres(url) => postgres::migrate_down(url.expose_secret(), steps).await?,
    };
    Ok(said(&reverted, "reverted", "there is nothing to revert"))
}

/// Every step, and whether it is applied.
///
/// # Errors
/// See [`StoreError`].
pub async fn migration_status(url: &str) -> Result<Vec<String>, StoreError> {
    let steps = steps(&DatabaseUrl::parse(url)?).await?;
    let line = |SchemaStep { version, applied }: &SchemaStep| {
        format!("{} {version}", if *applied { "applied" } else { "missing" })
    };
    Ok(steps.iter().map(line).collect())
}

/// All stored bots. Takes no lock and changes nothing; a database that does not exist, or has no tables yet, has none.
///
/// # Errors
/// See [`StoreError`]; also if the schema is older than this program's.
pub async fn states_beside(url: &str) -> Result<Vec<BotState>, StoreError> {
    let url = DatabaseUrl::parse(url)?;
    let steps = steps(&url).await?;
    if !steps.iter().any(|step| step.applied) {
        return Ok(Vec::new());
    }
    if let Some(SchemaStep { version, .. }) = steps.iter().find(|step| !step.applied) {
        return Err(StoreError::older_schema(version));
    }
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::states_beside(&path).await,
        DatabaseUrl::Postgres(url) => postgres::states_beside(url.expose_secret()).await,
    }
}

pub(super) async fn steps(url: &DatabaseUrl) -> Result<Vec<SchemaStep>, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::migration_status(path).await,
        DatabaseUrl::Postgres(url) => postgres::migration_status(url.expose_secret()).await,
    }
}

fn said(steps: &[String], what: &str, nothing: &str) -> Vec<String> {
    if steps.is_empty() {
        vec![nothing.to_owned()]
    } else {
        steps.iter().map(|step| format!("{what} {step}")).collect()
    }
}
