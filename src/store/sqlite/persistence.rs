//! What the actors need of the store, each by the module that knows it: reads by the readers, changes by the one writer.

use std::{
    collections::{BTreeSet, HashMap},
    sync::PoisonError,
};

use async_trait::async_trait;
use diesel::SqliteConnection;

use super::{
    SqliteStore, breakers, choice, feeds, knowledge, outbox, pages, posted, prune, read, replicas,
    rows, write,
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
impl StatePersistence for SqliteStore {
    async fn write(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        let batch = batch.to_vec();
        self.write_transaction(me, move |tx| {
            batch.iter().map(|write| write::apply(tx, write)).collect()
        })
        .await
    }

    fn facts(&self) -> Vec<Fact> {
        self.facts.take()
    }

    async fn outbox(&self) -> Result<u64, StoreError> {
        self.readers.run(read::outbox).await
    }

    async fn schema_version(&self) -> Result<i64, StoreError> {
        self.readers.run(read::schema_version).await
    }

    async fn states(&self) -> Result<Vec<BotState>, StoreError> {
        self.readers.run(read::states).await
    }

    async fn due(&self, until: Instant) -> Result<Vec<BotState>, StoreError> {
        self.readers.run(move |conn| read::due(conn, until)).await
    }

    async fn live(&self, owner: &ReplicaId) -> Result<Vec<LiveRow>, StoreError> {
        let owner = owner.clone();
        self.readers
            .run(move |conn| read::live(conn, owner.as_str()))
            .await
    }

    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError> {
        self.readers.run(outbox::unsent).await
    }

    async fn unsent_before(
        &self,
        platform: &str,
        destination: &str,
        turn: Option<i64>,
    ) -> Result<Vec<Post>, StoreError> {
        let (platform, destination) = (platform.to_owned(), destination.to_owned());
        self.readers
            .run(move |conn| outbox::unsent_before(conn, &platform, &destination, turn))
            .await
    }

    async fn beat(&self, me: &Replica) -> Result<Beat, StoreError> {
        let (id, now) = (me.id.as_str().to_owned(), self.clock.now());
        let me = me.clone();
        let beat = self
            .transaction(move |conn| replicas::beat(conn, &me, now))
            .await?;
        self.ours().insert(id);
        Ok(beat)
    }

    async fn sign_off(&self, me: &ReplicaId) -> Result<(), StoreError> {
        let id = me.clone();
        self.transaction(move |conn| replicas::sign_off(conn, &id))
            .await?;
        self.ours().remove(me.as_str());
        Ok(())
    }

    async fn rescue(
        &self,
        me: &ReplicaId,
        again: &HashMap<BotName, u32>,
        now: Instant,
    ) -> Result<Vec<Rescued>, StoreError> {
        let again = again.clone();
        self.write_transaction(me, move |tx| write::rescue::rescue(tx, &again, now))
            .await
    }

    async fn ledger(
        &self,
        bot: Option<&BotName>,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let bot = bot.cloned();
        self.readers
            .run(move |conn| read::ledger(conn, bot.as_ref().map(BotName::as_str), limit))
            .await
    }

    async fn posts(&self, bot: Option<&BotName>, limit: i64) -> Result<Vec<Post>, StoreError> {
        let bot = bot.cloned();
        self.readers
            .run(move |conn| read::posts(conn, bot.as_ref().map(BotName::as_str), limit))
            .await
    }

    async fn executions(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::executions(conn, &query))
            .await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<LedgerRow>, StoreError> {
        self.readers
            .run(move |conn| read::execution(conn, id))
            .await
    }

    async fn posts_of(&self, executions: &[ExecutionId]) -> Result<Vec<Post>, StoreError> {
        let executions: BTreeSet<_> = executions.iter().copied().collect();
        self.readers
            .run(move |conn| read::posts_of(conn, &executions))
            .await
    }

    async fn state(&self, bot: &BotName) -> Result<Option<BotState>, StoreError> {
        let bot = bot.clone();
        self.readers
            .run(move |conn| rows::state::load(conn, bot.as_str()))
            .await
    }

    async fn changed(&self, since: Instant) -> Result<Vec<BotState>, StoreError> {
        self.readers
            .run(move |conn| read::changed(conn, since))
            .await
    }

    async fn record(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.transaction(move |conn| knowledge::record(conn, &entries))
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::audit(conn, &query))
            .await
    }

    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError> {
        let (ours, now) = (self.ours().clone(), self.clock.now());
        self.readers
            .run(move |conn| replicas::all(conn, &ours, now))
            .await
    }

    async fn content(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        let query = query.clone();
        self.readers
            .run(move |conn| pages::content(conn, &query))
            .await
    }

    async fn add_content(
        &self,
        table: &str,
        items: &[ContentItem],
        now: Instant,
    ) -> Result<Vec<i64>, StoreError> {
        let (table, items) = (table.to_owned(), items.to_vec());
        self.transaction(move |conn| knowledge::add(conn, &table, &items, now))
            .await
    }

    async fn remove_content(&self, table: &str, id: Option<i64>) -> Result<u64, StoreError> {
        let table = table.to_owned();
        self.transaction(move |conn| knowledge::remove(conn, &table, id))
            .await
    }

    async fn candidates(&self, wish: &Selection) -> Result<Vec<StoredItem>, StoreError> {
        let choice = wish.clone();
        let choose = move |conn: &mut SqliteConnection| choice::candidates(conn, &choice);
        let (found, notes) = self.readers.run(choose).await?;
        self.keep_notes(&wish.bot, notes);
        Ok(found)
    }

    async fn content_tables(&self, now: Instant) -> Result<Vec<TableSummary>, StoreError> {
        self.readers
            .run(move |conn| knowledge::tables(conn, now))
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
        self.readers
            .run(move |conn| posted::texts(conn, bot.as_str(), since, but_not, limit))
            .await
    }

    async fn post_tally(
        &self,
        bot: &BotName,
        since: Instant,
        but_not: ExecutionId,
    ) -> Result<PostTally, StoreError> {
        let bot = bot.clone();
        self.readers
            .run(move |conn| posted::tally(conn, bot.as_str(), since, but_not))
            .await
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, StoreError> {
        let (table, url) = (table.to_owned(), url.to_owned());
        self.readers
            .run(move |conn| feeds::feed(conn, &table, &url))
            .await
    }

    async fn take_feed(&self, look: &FeedLook) -> Result<u64, StoreError> {
        let look = look.clone();
        self.transaction(move |conn| feeds::take(conn, &look)).await
    }

    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError> {
        self.readers.run(breakers::all).await
    }

    async fn keep_breaker(
        &self,
        dependency: &str,
        breaker: Breaker,
        credential: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError> {
        let (dependency, credential) = (dependency.to_owned(), credential.map(str::to_owned));
        self.transaction(move |conn| breakers::keep(conn, &dependency, breaker, credential, now))
            .await
    }

    async fn prune(&self, before: Instant, posts_before: Instant) -> Result<u64, StoreError> {
        let both = before.min(posts_before);
        let posts = self
            .transaction(move |conn| prune::posts(conn, both))
            .await?;
        let mut walk = prune::Walk::start();
        while !walk.done {
            walk = self
                .transaction(move |conn| prune::ledger_step(conn, walk, before))
                .await?;
        }
        let audit = self
            .transaction(move |conn| prune::audit(conn, before))
            .await?;
        Ok(posts + walk.deleted + audit)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.run(read::ping).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        drop(
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
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
        false
    }
}
