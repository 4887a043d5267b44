//! State, ledger and posts on PostgreSQL, for any number of processes at once.
//!
//! The rule: a slot is run by whoever owns its row, and a row changes hands only when its owner's lease has run out by
//! the database's clock. Everything that decides is read under locks (`batch`), decided in memory (`sheet`) and written
//! in a few statements (`flush`). Nothing depends on the session, so that a transaction-pooling proxy may stand between.

mod alerts;
mod batch;
mod beside;
mod breakers;
mod choice;
mod connection;
mod error;
mod facts;
mod feeds;
mod flush;
mod gate;
mod knowledge;
mod lease;
mod load;
mod migrate;
mod needs;
mod outbox;
mod pages;
mod persistence;
mod posted;
mod posts;
mod read;
mod row;
mod rows;
mod rows_beside;
mod sheet;
mod stretches;
mod tls;
mod unsure;
mod url;
mod uses;
mod write;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant as Monotonic};

use self::{facts::Telling, gate::Gate, lease::Trust, unsure::Unsures, url::Settings};
pub use self::{
    lease::LEASE,
    migrate::{migrate_down, migrate_up, migration_status},
};
use super::{Beat, Replica, StatePersistence, StoreError, walk::Note};
use crate::{
    clock::Clock,
    domain::{bot::BotName, state::BotState},
};

/// The store on PostgreSQL; its connections live on the runtime that opened it.
pub struct PostgresStore {
    gate: Gate,
    /// Who beats through this store: one process, but in tests.
    ours: Mutex<BTreeSet<String>>,
    /// Notes are written by one at a time; what others have found out meanwhile is found out again.
    noting: Arc<Semaphore>,
    unsures: Mutex<Unsures>,
    telling: Arc<Telling>,
    clock: Clock,
    lease: Duration,
    trust: Arc<Mutex<Trust>>,
    database_id: String,
}

impl PostgresStore {
    /// Connects, brings the schema up to date and registers `me`; `clock` hears the database's time from then on.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Refused`] and [`StoreError::NewerSchema`] will not pass by themselves.
    pub async fn open(url: &str, me: &Replica, clock: Clock) -> Result<Self, StoreError> {
        Self::open_with_lease(url, me, clock, LEASE).await
    }

    /// The same with another lease than [`LEASE`]. All processes on a database must agree on it.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn open_with_lease(
        url: &str,
        me: &Replica,
        clock: Clock,
        lease: Duration,
    ) -> Result<Self, StoreError> {
        let settings = Settings::parse(url)?;
        migrate::up(settings.clone()).await?;
        let gate = Gate::new(settings)?;
        let database_id = gate.read(|c| Box::pin(read::database_id(c))).await?;
        let store = Self {
            gate,
            ours: Mutex::default(),
            noting: Arc::new(Semaphore::new(1)),
            unsures: Mutex::default(),
            telling: Arc::default(),
            clock,
            lease,
            trust: Arc::default(),
            database_id,
        };
        store.beat(me).await?;
        Ok(store)
    }

    /// Writes down what a choice has found out for later ones. Nobody waits for it: a note that is lost is made again.
    fn keep_notes(&self, bot: &BotName, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        let Ok(turn) = Arc::clone(&self.noting).try_acquire_owned() else {
            return;
        };
        let (gate, bot) = (self.gate.clone(), bot.clone());
        drop(tokio::spawn(async move {
            let keep = gate.write(move |c| Box::pin(stretches::keep(c, bot, notes)));
            drop(keep.await);
            drop(turn);
        }));
    }

    fn trust(&self) -> MutexGuard<'_, Trust> {
        lease::locked(&self.trust)
    }

    fn ours(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The heartbeat, and the moment of the own clock that the answer's time belongs to.
    async fn timed_beat(&self, me: &Replica) -> Result<(Beat, Monotonic), StoreError> {
        let (me, lease) = (me.clone(), self.lease);
        self.gate
            .write(move |c| {
                Box::pin(async move {
                    let sent = Monotonic::now();
                    let beat = lease::beat(c, &me, lease).await?;
                    Ok((beat, sent + sent.elapsed() / 2))
                })
            })
            .await
    }
}

/// All stored bots of a database that other processes may use. Changes nothing.
///
/// # Errors
/// See [`StoreError`].
pub async fn states_beside(url: &str) -> Result<Vec<BotState>, StoreError> {
    let gate = Gate::new(Settings::parse(url)?)?;
    gate.read(|c| Box::pin(read::states(c))).await
}
