//! From a database URL to a store that is ready: the one place that knows which backends there are.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{
    DatabaseUrl, Replica, StatePersistence, StoreError, postgres::PostgresStore,
    sqlite::SqliteStore,
};
use crate::clock::Clock;

/// Opens the database, brings its schema up to date, and says by which clock its slots are judged.
///
/// # Errors
/// See [`StoreError`]; only `Unavailable` may pass.
pub async fn open(
    url: &str,
    me: &Replica,
) -> Result<(Clock, Arc<dyn StatePersistence>), StoreError> {
    match DatabaseUrl::parse(url)? {
        DatabaseUrl::Sqlite(path) => {
            let clock = Clock::process();
            let store = SqliteStore::open(&path, me, clock.clone()).await?;
            Ok((clock, Arc::new(store)))
        }
        DatabaseUrl::Postgres(url) => {
            let clock = Clock::database();
            let store = PostgresStore::open(url.expose_secret(), me, clock.clone()).await?;
            Ok((clock, Arc::new(store)))
        }
    }
}
