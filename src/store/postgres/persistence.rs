//! What the actors need of the store, each by the module that knows it: reads and changes through the gate.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use tokio::time::Instant as Monotonic;

use super::{
    PostgresStore, breakers, choice, feeds, knowledge,
    lease::{self, Rescue},
    outbox, pages, posted, read,
};
use crate::{
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
        post::Post,
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{
        AlertStore, Beat, KnowledgeStore, LedgerRow, LiveRow, Replica, Rescued, StatePersistence,
        StoreError, Write, Written,
    },
};

#[async_trait]
impl StatePersistence for PostgresStore {
    async fn write(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        self.write_batch(me, batch).await
    }

    fn facts(&self) -> Vec<Fact> {
        self.telling.sure.take()
    }

    async fn outbox(&self) -> Result<u64, StoreError> {
        self.gate.read(|c| Box::pin(read::outbox(c))).await
    }

    async fn schema_version(&self) -> Result<i64, StoreError> {
        self.gate.read(|c| Box::pin(read::schema_version(c))).await
    }

    async fn states(&self) -> Result<Vec<BotState>, StoreError> {
        self.gate.read(|c| Box::pin(read::states(c))).await
    }

    async fn due(&self, until: Instant) -> Result<Vec<BotState>, StoreError> {
        self.gate.read(move |c| Box::pin(read::due(c, until))).await
    }

    async fn live(&self, owner: &ReplicaId) -> Result<Vec<LiveRow>, StoreError> {
        let owner = owner.clone();
        self.gate
            .read(move |c| Box::pin(async move { read::live(c, &owner).await }))
            .await
    }

    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError> {
        let ours = self.ours().iter().cloned().collect();
        let lease = self.lease.as_secs_f64();
        self.gate
            .read(move |c| Box::pin(async move { outbox::unsent(c, ours, lease).await }))
            .await
    }

    async fn unsent_before(
        &self,
        platform: &str,
        destination: &str,
        turn: Option<i64>,
    ) -> Result<Vec<Post>, StoreError> {
        let (platform, destination) = (platform.to_owned(), destination.to_owned());
        self.gate
            .read(move |c| Box::pin(outbox::unsent_before(c, platform, destination, turn)))
            .await
    }

    async fn beat(&self, me: &Replica) -> Result<Beat, StoreError> {
        match self.timed_beat(me).await {
            Ok((beat, at)) => {
                self.trust().answered(at, self.lease);
                self.clock.heard(beat.now, at);
                self.ours().insert(me.id.as_str().to_owned());
                Ok(beat)
            }
            Err(error) => {
                self.trust().failed();
                Err(error)
            }
        }
    }

    async fn sign_off(&self, me: &ReplicaId) -> Result<(), StoreError> {
        let me = me.clone();
        self.gate
            .write(move |c| Box::pin(async move { lease::sign_off(c, &me).await }))
            .await
    }

    async fn rescue(
        &self,
        me: &ReplicaId,
        again: &HashMap<BotName, u32>,
        now: Instant,
    ) -> Result<Vec<Rescued>, StoreError> {
        self.settle_facts().await;
        if !self.trust().is_good(Monotonic::now(), self.lease) {
            return Ok(Vec::new());
        }
        let rescue = Rescue {
            me: me.clone(),
            again: again.clone(),
            now,
            lease: self.lease,
            trust: Arc::clone(&self.trust),
        };
        let done = self
            .change(move |c| Box::pin(lease::rescue(c, rescue)))
            .await;
        done.map(|stored| stored.answer)
            .map_err(|broken| broken.error)
    }

    async fn ledger(
        &self,
        bot: Option<&BotName>,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let bot = bot.cloned();
        self.gate
            .read(move |c| Box::pin(async move { read::ledger(c, bot.as_ref(), limit).await }))
            .await
    }

    async fn posts(&self, bot: Option<&BotName>, limit: i64) -> Result<Vec<Post>, StoreError> {
        let bot = bot.cloned();
        self.gate
            .read(move |c| Box::pin(async move { read::posts(c, bot.as_ref(), limit).await }))
            .await
    }

    async fn executions(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError> {
        let query = query.clone();
        self.gate
            .read(move |c| Box::pin(pages::executions(c, query)))
            .await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<LedgerRow>, StoreError> {
        self.gate
            .read(move |c| Box::pin(read::execution(c, id)))
            .await
    }

    async fn posts_of(&self, executions: &[ExecutionId]) -> Result<Vec<Post>, StoreError> {
        let executions = executions.iter().map(|id| id.0).collect();
        self.gate
            .read(move |c| Box::pin(read::posts_of(c, executions)))
            .await
    }

    async fn state(&self, bot: &BotName) -> Result<Option<BotState>, StoreError> {
        let bot = bot.clone();
        self.gate.read(move |c| Box::pin(read::state(c, bot))).await
    }

    async fn changed(&self, since: Instant) -> Result<Vec<BotState>, StoreError> {
        self.gate
            .read(move |c| Box::pin(read::changed(c, since)))
            .await
    }

    async fn record(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.gate
            .write(move |c| Box::pin(knowledge::record(c, entries)))
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        self.gate
            .read(move |c| Box::pin(pages::audit(c, query)))
            .await
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError> {
        let lease = self.lease;
        self.gate
            .read(move |c| Box::pin(lease::all(c, lease)))
            .await
    }

    async fn content(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        let query = query.clone();
        self.gate
            .read(move |c| Box::pin(pages::content(c, query)))
            .await
    }

    async fn add_content(
        &self,
        table: &str,
        items: &[ContentItem],
        now: Instant,
    ) -> Result<Vec<i64>, StoreError> {
        let (table, items) = (table.to_owned(), items.to_vec());
        self.gate
            .write(move |c| Box::pin(knowledge::add(c, table, items, now)))
            .await
    }

    async fn remove_content(&self, table: &str, id: Option<i64>) -> Result<u64, StoreError> {
        let table = table.to_owned();
        self.gate
            .write(move |c| Box::pin(knowledge::remove(c, table, id)))
            .await
    }

    async fn candidates(&self, wish: &Selection) -> Result<Vec<StoredItem>, StoreError> {
        let choice = wish.clone();
        let (found, notes) = self
            .gate
            .read(move |c| Box::pin(choice::candidates(c, choice)))
            .await?;
        self.keep_notes(&wish.bot, notes);
        Ok(found)
    }

    async fn content_tables(&self, now: Instant) -> Result<Vec<TableSummary>, StoreError> {
        self.gate
            .read(move |c| Box::pin(knowledge::tables(c, now)))
            .await
    }

    async fn posted_texts(
        &self,
        bot: &BotName,
        since: Instant,
        but_not: ExecutionId,
        limit: u32,
    ) -> Result<Vec<PostedText>, StoreError> {
        let bot = bot.clone();
        self.gate
            .read(move |c| Box::pin(posted::texts(c, bot, since, but_not, limit)))
            .await
    }

    async fn post_tally(
        &self,
        bot: &BotName,
        since: Instant,
        but_not: ExecutionId,
    ) -> Result<PostTally, StoreError> {
        let bot = bot.clone();
        self.gate
            .read(move |c| Box::pin(posted::tally(c, bot, since, but_not)))
            .await
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, StoreError> {
        let (table, url) = (table.to_owned(), url.to_owned());
        self.gate
            .read(move |c| Box::pin(feeds::feed(c, table, url)))
            .await
    }

    async fn take_feed(&self, look: &FeedLook) -> Result<u64, StoreError> {
        let look = look.clone();
        self.gate
            .write(move |c| Box::pin(feeds::take(c, look)))
            .await
    }

    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError> {
        self.gate.read(|c| Box::pin(breakers::all(c))).await
    }

    async fn keep_breaker(
        &self,
        dependency: &str,
        breaker: Breaker,
        credential: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError> {
        let (dependency, credential) = (dependency.to_owned(), credential.map(str::to_owned));
        self.gate
            .write(move |c| Box::pin(breakers::keep(c, dependency, breaker, credential, now)))
            .await
    }

    async fn prune(&self, before: Instant, posts_before: Instant) -> Result<u64, StoreError> {
        let mut pruned = 0;
        loop {
            let some = self
                .gate
                .write(move |c| Box::pin(read::prune(c, before, posts_before)))
                .await?;
            if some == 0 {
                return Ok(pruned);
            }
            pruned += some;
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.gate.read(|c| Box::pin(read::ping(c))).await
    }

    async fn close(&self) {
        self.gate.close();
    }

    fn database_id(&self) -> &str {
        &self.database_id
    }

    fn alerts(&self) -> Option<&dyn AlertStore> {
        Some(self)
    }

    fn knowledge(&self) -> Option<&dyn KnowledgeStore> {
        Some(self)
    }

    fn is_shared(&self) -> bool {
        true
    }
}
