//! The schema from the command line: up, down, where it is.

use secrecy::ExposeSecret;

use super::{DatabaseUrl, SchemaStep, StoreError, postgres, sqlite};

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
    let steps = match DatabaseUrl::parse(url)? {
        DatabaseUrl::Sqlite(path) => sqlite::migration_status(&path).await?,
        DatabaseUrl::Postgres(url) => postgres::migration_status(url.expose_secret()).await?,
    };
    let line = |SchemaStep { version, applied }: &SchemaStep| {
        format!("{} {version}", if *applied { "applied" } else { "missing" })
    };
    Ok(steps.iter().map(line).collect())
}

fn said(steps: &[String], what: &str, nothing: &str) -> Vec<String> {
    if steps.is_empty() {
        vec![nothing.to_owned()]
    } else {
        steps.iter().map(|step| format!("{what} {step}")).collect()
    }
}
