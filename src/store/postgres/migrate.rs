//! The schema, embedded: brought up to date under a lock that all starting processes share.
//!
//! The lock belongs to the transaction that migrates, so that it works through a pooling proxy. A schema that is up to
//! date is only looked at, and one that is newer than this program is left alone.

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{connection::Connection, error, url::Settings};
use crate::store::{SchemaStep, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program is likely to lock: "actorsrv" in ASCII.
const LOCK: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '5min'; \
     SELECT pg_advisory_xact_lock(x'6163746f72737276'::bigint)";

type Blocking = AsyncConnectionWrapper<Connection>;

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    found: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Brings the schema up to date; answers the steps that were taken.
///
/// # Errors
/// [`StoreError::NewerSchema`] if the database has steps that this program does not know; nothing is changed then.
pub async fn migrate_up(url: &str) -> Result<Vec<String>, StoreError> {
    up(Settings::parse(url)?).await
}

/// Takes back the last `steps` steps, and what was stored in their tables; answers those taken back.
///
/// # Errors
/// [`StoreError::NewerSchema`] as above.
pub async fn migrate_down(url: &str, steps: usize) -> Result<Vec<String>, StoreError> {
    let settings = Settings::parse(url)?;
    blocking(settings, move |connection| {
        locked(connection, |connection| {
            let applied = known_versions(connection)?;
            let mut reverted = Vec::new();
            for _ in 0..steps.min(applied.len()) {
                let version = connection.revert_last_migration(MIGRATIONS);
                reverted.push(version.map_err(Trouble::of)?.to_string());
            }
            Ok(reverted)
        })
    })
    .await
}

/// All steps that this program or the database knows, oldest first; changes nothing.
///
/// # Errors
/// If the database is not to be had.
pub async fn migration_status(url: &str) -> Result<Vec<SchemaStep>, StoreError> {
    let settings = Settings::parse(url)?;
    blocking(settings, |connection| {
        let applied = applied(connection)?;
        let mut versions = embedded()?;
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

pub(super) async fn up(settings: Settings) -> Result<Vec<String>, StoreError> {
    blocking(settings, |connection| {
        if known_versions(connection)?.len() == embedded()?.len() {
            return Ok(Vec::new());
        }
        locked(connection, |connection| {
            known_versions(connection)?;
            let done = connection.run_pending_migrations(MIGRATIONS);
            let done = done.map_err(Trouble::of)?;
            Ok(done.iter().map(ToString::to_string).collect())
        })
    })
    .await
}

/// What can go wrong inside a transaction.
enum Trouble {
    Store(StoreError),
    Query(diesel::result::Error),
}

impl Trouble {
    /// What diesel's migrations say; a failed statement is inside.
    fn of(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match error.downcast::<diesel::result::Error>() {
            Ok(error) => Self::Query(*error),
            Err(error) => Self::Store(StoreError::Failed(error.to_string())),
        }
    }
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// diesel's migrations block, so they get a thread and a connection of their own.
async fn blocking<T: Send + 'static>(
    settings: Settings,
    work: impl FnOnce(&mut Blocking) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, StoreError> {
    let connection = Connection::open(&settings)
        .await
        .map_err(|e| error::of_statement(&e))?;
    let task = tokio::task::spawn_blocking(move || work(&mut Blocking::from(connection)));
    match task.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Trouble::Store(error))) => Err(error),
        Ok(Err(Trouble::Query(error))) => Err(error::of_statement(&error)),
        Err(broken) => Err(StoreError::Failed(broken.to_string())),
    }
}

fn locked<T>(
    connection: &mut Blocking,
    work: impl FnOnce(&mut Blocking) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    connection.transaction(|connection| {
        connection.batch_execute(LOCK)?;
        work(connection)
    })
}

/// The versions that the database has; unlike diesel's own question it does not make the table that it reads.
fn applied(connection: &mut Blocking) -> Result<Vec<String>, Trouble> {
    let Exists { found } =
        sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS found")
            .get_result(connection)?;
    if !found {
        return Ok(Vec::new());
    }
    let applied: Vec<Version> =
        sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version")
            .load(connection)?;
    Ok(applied.into_iter().map(|row| row.version).collect())
}

/// The same, if this program knows them all.
fn known_versions(connection: &mut Blocking) -> Result<Vec<String>, Trouble> {
    let (applied, known) = (applied(connection)?, embedded()?);
    match applied.iter().find(|version| !known.contains(version)) {
        Some(newer) => {
            let step = format!("the database has step {newer}");
            Err(StoreError::NewerSchema(step).into())
        }
        None => Ok(applied),
    }
}

/// The versions of the embedded steps.
fn embedded() -> Result<Vec<String>, Trouble> {
    let steps: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(Trouble::of)?;
    let versions = steps.iter().map(|step| step.name().version().to_string());
    Ok(versions.collect())
}
