//! The way to the database: a pool, and transactions that nobody can leave half done.
//!
//! Every call runs in a task of its own, so that a caller that goes away does not cut it off. All limits are set for
//! the transaction only; nothing is kept in the session, which behind a pooling proxy belongs to everybody.

use std::time::Duration;

use deadpool::{Runtime, managed::Object};
use diesel::{ConnectionError, QueryResult};
use diesel_async::{
    AnsiTransactionManager, TransactionManager,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool,
    },
};
use futures::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;

use super::{connection::Connection, error, url::Settings};
use crate::store::StoreError;

/// Connections that one process holds at most.
const POOL_SIZE: usize = 8;
/// How long a caller waits for a free connection, and for a new one.
const POOL_TIMEOUT: Duration = Duration::from_secs(6);
/// The longest that one step may take, should the server stop answering.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Access {
    /// Isolation is named because a database may have another default. A process that freezes inside a transaction
    /// loses it before its lease is over, so that its locks hold up nobody who takes over its work.
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = '10s'; \
                 SET LOCAL idle_in_transaction_session_timeout = '3s'"
            }
            Self::Write => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '10s'; \
                 SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '3s'"
            }
        }
    }
}

/// The work inside a transaction.
pub(super) type Work<'c, T> = BoxFuture<'c, QueryResult<T>>;

/// Clones share the pool.
#[derive(Clone)]
pub(super) struct Gate {
    pool: Pool<Connection>,
    runtime: Handle,
}

impl Gate {
    /// A pool whose connections and tasks live on the runtime that this is called on.
    pub(super) fn new(settings: Settings) -> Result<Self, StoreError> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let settings = settings.clone();
            async move {
                let connection = Connection::open(&settings).await;
                connection.map_err(ConnectionError::CouldntSetupConfiguration)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .create_timeout(Some(POOL_TIMEOUT))
            .recycle_timeout(Some(POOL_TIMEOUT))
            .build()
            .map_err(|e| StoreError::Failed(e.to_string()))?;
        Ok(Self {
            pool,
            runtime: Handle::current(),
        })
    }

    /// Does `work` in one transaction.
    pub(super) async fn run<T, W>(&self, access: Access, work: W) -> Result<T, StoreError>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        self.run_unsure(access, work, |_, _| {})
            .await
            .map_err(|broken| broken.error)
    }

    /// Asks something.
    pub(super) async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        self.run(Access::Read, work).await
    }

    /// Changes something.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
        T: Send + 'static,
    {
        self.run(Access::Write, work).await
    }

    /// The same, and if the commit was not answered, the result that may or may not be stored. `ended` sees the result
    /// even if the caller has gone away.
    pub(super) async fn run_unsure<T, W, E>(
        &self,
        access: Access,
        work: W,
        ended: E,
    ) -> Result<T, Broken<T>>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
        E: FnOnce(&mut T, Fate) + Send + 'static,
        T: Send + 'static,
    {
        let pool = self.pool.clone();
        let task = self.runtime.spawn(async move {
            let mut connection = pool.get().await.map_err(|e| error::of_pool(&e))?;
            let mut done = transact(&mut connection, access, work).await;
            match &mut done {
                Ok(value) => ended(value, Fate::Committed),
                Err(Broken {
                    unsure: Some(value),
                    ..
                }) => ended(value, Fate::Unsure),
                Err(_) => {}
            }
            if done.is_err() {
                // It may hang, or hold a transaction that could not be ended.
                drop(Object::take(connection));
            }
            done
        });
        task.await.unwrap_or_else(|e| {
            let what = format!("the call broke off: {e}");
            Err(StoreError::Broken(what).into())
        })
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// What became of a transaction whose work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    /// The commit was not answered.
    Unsure,
}

/// A transaction that came to nothing, unless its commit did and only the answer is missing.
pub(super) struct Broken<T> {
    pub(super) error: StoreError,
    pub(super) unsure: Option<T>,
}

impl<T> From<StoreError> for Broken<T> {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            unsure: None,
        }
    }
}

async fn transact<T, W>(
    connection: &mut Connection,
    access: Access,
    work: W,
) -> Result<T, Broken<T>>
where
    W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
{
    let begin = AnsiTransactionManager::begin_transaction_sql(connection, access.begin());
    in_time(begin).await?;
    match in_time(work(connection)).await {
        Ok(value) => match in_time(AnsiTransactionManager::commit_transaction(connection)).await {
            Ok(()) => Ok(value),
            Err(error) => Err(Broken {
                unsure: error.is_transient().then_some(value),
                error,
            }),
        },
        Err(error) => {
            let rollback = AnsiTransactionManager::rollback_transaction(connection);
            drop(in_time(rollback).await);
            Err(error.into())
        }
    }
}

async fn in_time<T>(call: impl Future<Output = QueryResult<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(done) => done.map_err(|e| error::of_statement(&e)),
        Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;

    #[test]
    fn a_call_that_breaks_off_may_come_again() {
        let (own, other) = (Runtime::new().unwrap(), Runtime::new().unwrap());
        let settings = Settings::parse("postgres://127.0.0.1/nowhere").unwrap();
        let gate = own.block_on(async { Gate::new(settings) }).unwrap();
        own.shutdown_background();
        let call = gate.run(Access::Read, |_| async { Ok(()) }.boxed());
        let broken = other.block_on(call);
        assert!(matches!(&broken, Err(StoreError::Broken(_))), "{broken:?}");
    }
}
