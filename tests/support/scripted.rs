//! A store that does what a test tells it, and remembers what it was asked to write.
//!
//! Writes are told apart by the execution that they name; every answer is `Done`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's tool: each test uses a part of it, and some calls are told to panic"
)]

use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actor_server::{
    clock::Clock,
    domain::{
        Instant,
        audit::{AuditEntry, AuditQuery, AuditRow},
        bot::BotName,
        breaker::{Breaker, StoredBreaker},
        content::{ContentItem, ContentQuery, StoredItem},
        fact::Fact,
        ledger::LedgerQuery,
        post::Post,
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{
        Beat, LedgerRow, LiveRow, PostStore, Replica, Rescued, StatePersistence, StoreError, Write,
        Written,
    },
};
use async_trait::async_trait;
use tokio::sync::Semaphore;

/// How one call of `write` is met.
#[derive(Clone)]
pub enum Act {
    /// All of it is stored.
    Store,
    /// The store is away: nothing is stored, and the same may succeed later.
    Away,
    /// Refused for good: nothing is stored.
    Refuse,
    /// The store's code panics.
    Panic,
    /// No answer ever comes.
    Hang,
    /// Waits until the gate has a permit, and is then met as the script goes on.
    Gate(Arc<Semaphore>),
}

/// The store; clones share script and memory.
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    script: VecDeque<Act>,
    /// What is done when the script is at its end; `None` stores.
    otherwise: Option<Act>,
    /// What is done about any batch with this write in it.
    poison: HashMap<i64, Act>,
    tried: Vec<Vec<i64>>,
    stored: Vec<i64>,
    beats: u32,
}

/// A write that the store knows by `n`.
pub fn write(n: i64) -> Write {
    let execution = ExecutionId(n);
    Write::Release { execution }
}

fn number(write: &Write) -> i64 {
    match write {
        Write::Release { execution } => execution.0,
        other => panic!("not a write of this test: {other:?}"),
    }
}

impl Scripted {
    /// A store that meets its first calls so, one after the other, and stores all later ones.
    pub fn meeting(acts: impl IntoIterator<Item = Act>) -> Self {
        let store = Self::default();
        store.memory().script.extend(acts);
        store
    }

    /// From now on every call is met so.
    pub fn always(&self, act: Act) {
        let mut memory = self.memory();
        memory.script.clear();
        memory.otherwise = Some(act);
    }

    /// Any batch with this write is met so.
    pub fn poison(&self, n: i64, act: Act) {
        self.memory().poison.insert(n, act);
    }

    /// Every batch that was tried, in order.
    pub fn tried(&self) -> Vec<Vec<i64>> {
        self.memory().tried.clone()
    }

    /// What is stored, in order.
    pub fn stored(&self) -> Vec<i64> {
        self.memory().stored.clone()
    }

    /// How many heartbeats there were.
    pub fn beats(&self) -> u32 {
        self.memory().beats
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self, batch: &[i64]) -> Act {
        let mut memory = self.memory();
        memory.tried.push(batch.to_vec());
        let poison = batch.iter().find_map(|n| memory.poison.get(n)).cloned();
        poison.unwrap_or_else(|| memory.next())
    }

    fn store(&self, batch: &[i64]) -> Vec<Written> {
        self.memory().stored.extend(batch);
        batch.iter().map(|_| Written::Done).collect()
    }
}

impl Memory {
    fn next(&mut self) -> Act {
        let scripted = self.script.pop_front();
        scripted
            .or_else(|| self.otherwise.clone())
            .unwrap_or(Act::Store)
    }
}

impl PostStore for Scripted {}

#[async_trait]
impl StatePersistence for Scripted {
    async fn write(&self, _: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        let batch: Vec<i64> = batch.iter().map(number).collect();
        let mut act = self.first(&batch);
        if let Act::Gate(gate) = act {
            gate.acquire().await.unwrap().forget();
            act = self.memory().next();
        }
        match act {
            Act::Store => Ok(self.store(&batch)),
            Act::Away => Err(StoreError::Unavailable("away".into())),
            Act::Refuse => Err(StoreError::Failed("broken".into())),
            Act::Panic => panic!("the store's code is wrong"),
            Act::Hang => pending().await,
            Act::Gate(_) => panic!("one gate behind the other"),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    async fn outbox(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn schema_version(&self) -> Result<i64, StoreError> {
        Ok(1)
    }

    async fn states(&self) -> Result<Vec<BotState>, StoreError> {
        Ok(Vec::new())
    }

    async fn due(&self, _: Instant) -> Result<Vec<BotState>, StoreError> {
        Ok(Vec::new())
    }

    async fn live(&self, _: &ReplicaId) -> Result<Vec<LiveRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError> {
        Ok(Vec::new())
    }

    async fn beat(&self, _: &Replica) -> Result<Beat, StoreError> {
        self.memory().beats += 1;
        Ok(Beat {
            now: Clock::process().now(),
            replicas: 1,
            cancel: Vec::new(),
        })
    }

    async fn sign_off(&self, _: &ReplicaId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn rescue(
        &self,
        _: &ReplicaId,
        _: &HashMap<BotName, u32>,
        _: Instant,
    ) -> Result<Vec<Rescued>, StoreError> {
        Ok(Vec::new())
    }

    async fn ledger(&self, _: Option<&BotName>, _: i64) -> Result<Vec<LedgerRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn posts(&self, _: Option<&BotName>, _: i64) -> Result<Vec<Post>, StoreError> {
        Ok(Vec::new())
    }

    async fn executions(&self, _: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn execution(&self, _: ExecutionId) -> Result<Option<LedgerRow>, StoreError> {
        Ok(None)
    }

    async fn posts_of(&self, _: &[ExecutionId]) -> Result<Vec<Post>, StoreError> {
        Ok(Vec::new())
    }

    async fn state(&self, _: &BotName) -> Result<Option<BotState>, StoreError> {
        Ok(None)
    }

    async fn changed(&self, _: Instant) -> Result<Vec<BotState>, StoreError> {
        Ok(Vec::new())
    }

    async fn record(&self, _: &[AuditEntry]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn audit(&self, _: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn content(&self, _: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        Ok(Vec::new())
    }

    async fn add_content(
        &self,
        _: &str,
        _: &[ContentItem],
        _: Instant,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(Vec::new())
    }

    async fn remove_content(&self, _: &str, _: Option<i64>) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError> {
        Ok(Vec::new())
    }

    async fn keep_breaker(
        &self,
        _: &str,
        _: Breaker,
        _: Option<&str>,
        _: Instant,
    ) -> Result<i64, StoreError> {
        Ok(1)
    }

    async fn prune(&self, _: Instant, _: Instant) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}

    fn database_id(&self) -> &str {
        "scripted"
    }

    fn is_shared(&self) -> bool {
        true
    }
}
