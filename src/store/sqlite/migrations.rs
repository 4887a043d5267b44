//! The schema's steps, which are in the binary, and the two questions about them: what is applied, and may this program
//! work with it.

use std::path::Path;

use diesel::{
    RunQueryDsl, SqliteConnection,
    migration::{Migration, MigrationSource},
    sql_types::BigInt,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{
    connections::{Role, connect, establish},
    fault::{at, classify},
    lock::OwnerLock,
    open::prepare,
};
use crate::{
    clock::Clock,
    store::{SchemaStep, StoreError},
};

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Applies all steps that are missing, making the file if there is none. Answers their names.
///
/// # Errors
/// See [`SqliteStore::open`](super::SqliteStore::open).
pub async fn migrate_up(path: &Path) -> Result<Vec<String>, StoreError> {
    owning(path, |path| {
        prepare(path)?;
        refuse_newer(path)?;
        up(&mut connect(path, Role::Writer)?)
    })
    .await
}

/// Takes back the last `steps` applied steps, with all that is stored in their tables. Answers their names.
///
/// # Errors
/// See [`SqliteStore::open`](super::SqliteStore::open).
pub async fn migrate_down(path: &Path, steps: usize) -> Result<Vec<String>, StoreError> {
    owning(path, move |path| {
        refuse_newer(path)?;
        let mut conn = connect(path, Role::Writer)?;
        let count = applied(&mut conn)?.len().min(steps);
        (0..count)
            .map(|_| conn.revert_last_migration(MIGRATIONS))
            .map(|step| step.map(|version| version.to_string()))
            .collect::<Result<_, _>>()
            .map_err(|error| classify(&error.to_string()))
    })
    .await
}

/// All steps that this program or the database knows, oldest first. Takes no lock and changes nothing.
///
/// # Errors
/// If the file is there but cannot be read.
pub async fn migration_status(path: &Path) -> Result<Vec<SchemaStep>, StoreError> {
    let path = path.to_owned();
    blocking(move || {
        let applied = if path.exists() {
            named(&path, applied(&mut establish(&path)?))?
        } else {
            Vec::new()
        };
        let mut versions = known()?;
        versions.extend(applied.iter().cloned());
        versions.sort_unstable();
        versions.dedup();
        let step = |version: String| SchemaStep {
            applied: applied.contains(&version),
            version,
        };
        Ok(versions.into_iter().map(step).collect())
    })
    .await
}

/// Applies what is missing.
pub(super) fn up(conn: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let ran = conn
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| classify(&error.to_string()))?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

/// Refuses a file that a newer program has made, before anything in it is touched.
pub(super) fn refuse_newer(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let applied = named(path, applied(&mut establish(path)?))?;
    let known = known()?;
    match applied.iter().find(|version| !known.contains(version)) {
        Some(version) => Err(StoreError::NewerSchema(format!(
            "{} has step {version}",
            path.display()
        ))),
        None => Ok(()),
    }
}

fn known() -> Result<Vec<String>, StoreError> {
    let steps: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS
        .migrations()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(steps
        .iter()
        .map(|step| step.name().version().to_string())
        .collect())
}

/// The applied versions; unlike diesel's own question it does not make the table that it reads.
fn applied(conn: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let table = "SELECT count(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
    let found: Count = diesel::sql_query(table)
        .get_result(conn)
        .map_err(|error| classify(&error.to_string()))?;
    if found.n == 0 {
        return Ok(Vec::new());
    }
    let versions = conn
        .applied_migrations()
        .map_err(|error| classify(&error.to_string()))?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

fn named<T>(path: &Path, result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.map_err(|error| at(&path.display().to_string(), error))
}

async fn owning<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let path = path.to_owned();
    blocking(move || {
        prepare(&path)?;
        let _lock = OwnerLock::take(&path, Clock::process().now())?;
        named(&path, work(&path))
    })
    .await
}

/// Runs `work` off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|died| Err(StoreError::Failed(format!("it ended early: {died}"))))
}
