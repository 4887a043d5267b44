//! A real store behind a connection that a test can cut, and whose answers it can hold back.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test's tool: each test uses a part of it"
)]

#[path = "troubled_alerts.rs"]
mod alerts;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use actor_server::{
    domain::{
        Instant,
        audit::{AuditEntry, AuditQuery, AuditRow},
        bot::BotName,
        breaker::{Breaker, StoredBreaker},
        content::{
            ContentItem, ContentQuery, FeedLook, FeedState, PostTally, PostedText, Selection,
            StoredItem, TableSummary,
        },
        fact::Fact,
        ledger::LedgerQuery,
        post::{Post, PostQuery},
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{
        AlertStore, Beat, LedgerRow, LiveRow, PostStore, Replica, Rescued, StatePersistence,
        StoreError, Write, Written,
    },
};
use async_trait::async_trait;
use tokio::sync::watch;

/// The store; clones share the connection.
#[derive(Clone)]
pub struct Troubled {
    inner: Arc<dyn StatePersistence>,
    away: Arc<AtomicBool>,
    /// While it is true, writes are carried out and their answers do not come.
    silent: Arc<watch::Sender<bool>>,
    /// While it is true, nobody is told the states of all bots.
    deaf: Arc<watch::Sender<bool>>,
    /// While it is true, other processes may use the store, too.
    shared: Arc<AtomicBool>,
    /// The facts that were taken.
    told: Arc<Mutex<Vec<Fact>>>,
}

impl Troubled {
    /// All is well until something else is said.
    pub fn new(inner: Arc<dyn StatePersistence>) -> Self {
        Self {
            inner,
            away: Arc::default(),
            silent: Arc::new(watch::Sender::new(false)),
            deaf: Arc::new(watch::Sender::new(false)),
            shared: Arc::default(),
            told: Arc::default(),
        }
    }

    /// Says that other processes use the store as well: a test takes the part of one.
    pub fn share(&self) {
        self.shared.store(true, Ordering::SeqCst);
    }

    /// Cuts the connection, or mends it.
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Holds back the answers to writes, or lets them come.
    pub fn silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// Lets whoever asks for the states of all bots wait, or answers them.
    pub fn deaf(&self, deaf: bool) {
        self.deaf.send_replace(deaf);
    }

    /// All facts that somebody has taken.
    pub fn told(&self) -> Vec<Fact> {
        self.told.lock().unwrap().clone()
    }

    fn reach(&self) -> Result<&dyn StatePersistence, StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut".into()));
        }
        Ok(self.inner.as_ref())
    }
}

#[async_trait]
impl PostStore for Troubled {
    async fn arrived(
        &self,
        platform: &str,
        destination: &str,
        since: Instant,
    ) -> Result<Vec<String>, StoreError> {
        self.reach()?.arrived(platform, destination, since).await
    }

    async fn find_posts(&self, query: &PostQuery) -> Result<Vec<Post>, StoreError> {
        self.reach()?.find_posts(query).await
    }

    async fn post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.reach()?.post(id).await
    }

    async fn dead_posts(&self) -> Result<u64, StoreError> {
        self.reach()?.dead_posts().await
    }

    async fn resend_post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        self.reach()?.resend_post(id).await
    }
}

#[async_trait]
impl StatePersistence for Troubled {
    async fn write(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        let answer = self.reach()?.write(me, batch).await;
        let mut silent = self.silent.subscribe();
        silent.wait_for(|silent| !silent).await.unwrap();
        answer
    }

    fn facts(&self) -> Vec<Fact> {
        let facts = self.inner.facts();
        self.told.lock().unwrap().extend(facts.iter().cloned());
        facts
    }

    async fn outbox(&self) -> Result<u64, StoreError> {
        self.reach()?.outbox().await
    }

    async fn schema_version(&self) -> Result<i64, StoreError> {
        self.reach()?.schema_version().await
    }

    fn alerts(&self) -> Option<&dyn AlertStore> {
        Some(self)
    }

    async fn states(&self) -> Result<Vec<BotState>, StoreError> {
        let mut deaf = self.deaf.subscribe();
        deaf.wait_for(|deaf| !deaf).await.unwrap();
        self.reach()?.states().await
    }

    async fn due(&self, until: Instant) -> Result<Vec<BotState>, StoreError> {
        self.reach()?.due(until).await
    }

    async fn live(&self, owner: &ReplicaId) -> Result<Vec<LiveRow>, StoreError> {
        self.reach()?.live(owner).await
    }

    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError> {
        self.reach()?.unsent_posts().await
    }

    async fn unsent_before(
        &self,
        platform: &str,
        destination: &str,
        turn: Option<i64>,
    ) -> Result<Vec<Post>, StoreError> {
        self.reach()?
            .unsent_before(platform, destination, turn)
            .await
    }

    async fn beat(&self, me: &Replica) -> Result<Beat, StoreError> {
        self.reach()?.beat(me).await
    }

    async fn sign_off(&self, me: &ReplicaId) -> Result<(), StoreError> {
        self.reach()?.sign_off(me).await
    }

    async fn rescue(
        &self,
        me: &ReplicaId,
        again: &HashMap<BotName, u32>,
        now: Instant,
    ) -> Result<Vec<Rescued>, StoreError> {
        self.reach()?.rescue(me, again, now).await
    }

    async fn ledger(
        &self,
        bot: Option<&BotName>,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        self.inner.ledger(bot, limit).await
    }

    async fn posts(&self, bot: Option<&BotName>, limit: i64) -> Result<Vec<Post>, StoreError> {
        self.inner.posts(bot, limit).await
    }

    async fn executions(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError> {
        self.reach()?.executions(query).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<LedgerRow>, StoreError> {
        self.reach()?.execution(id).await
    }

    async fn posts_of(&self, executions: &[ExecutionId]) -> Result<Vec<Post>, StoreError> {
        self.reach()?.posts_of(executions).await
    }

    async fn state(&self, bot: &BotName) -> Result<Option<BotState>, StoreError> {
        self.reach()?.state(bot).await
    }

    async fn changed(&self, since: Instant) -> Result<Vec<BotState>, StoreError> {
        self.reach()?.changed(since).await
    }

    async fn record(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.reach()?.record(entries).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.reach()?.audit(query).await
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError> {
        self.reach()?.replicas().await
    }

    async fn content(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        self.reach()?.content(query).await
    }

    async fn add_content(
        &self,
        table: &str,
        items: &[ContentItem],
        now: Instant,
    ) -> Result<Vec<i64>, StoreError> {
        self.reach()?.add_content(table, items, now).await
    }

    async fn remove_content(&self, table: &str, id: Option<i64>) -> Result<u64, StoreError> {
        self.reach()?.remove_content(table, id).await
    }

    async fn candidates(&self, wish: &Selection) -> Result<Vec<StoredItem>, StoreError> {
        self.reach()?.candidates(wish).await
    }

    async fn content_tables(&self, now: Instant) -> Result<Vec<TableSummary>, StoreError> {
        self.reach()?.content_tables(now).await
    }

    async fn posted_texts(
        &self,
        bot: &BotName,
        since: Instant,
        but_not: ExecutionId,
        limit: u32,
    ) -> Result<Vec<PostedText>, StoreError> {
        self.reach()?.posted_texts(bot, since, but_not, limit).await
    }

    async fn post_tally(
        &self,
        bot: &BotName,
        since: Instant,
        but_not: ExecutionId,
    ) -> Result<PostTally, StoreError> {
        self.reach()?.post_tally(bot, since, but_not).await
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, StoreError> {
        self.reach()?.feed(table, url).await
    }

    async fn take_feed(&self, look: &FeedLook) -> Result<u64, StoreError> {
        self.reach()?.take_feed(look).await
    }

    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError> {
        self.reach()?.breakers().await
    }

    async fn keep_breaker(
        &self,
        dependency: &str,
        breaker: Breaker,
        credential: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError> {
        self.reach()?
            .keep_breaker(dependency, breaker, credential, now)
            .await
    }

    async fn prune(&self, before: Instant, posts_before: Instant) -> Result<u64, StoreError> {
        self.reach()?.prune(before, posts_before).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.reach()?.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }

    fn database_id(&self) -> &str {
        self.inner.database_id()
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::SeqCst) || self.inner.is_shared()
    }
}

impl Troubled {
    fn reach_alerts(&self) -> Result<&dyn AlertStore, StoreError> {
        let alerts = self.reach()?.alerts();
        alerts.ok_or_else(|| StoreError::Failed("no alerts".into()))
    }
}
