//! Knowledge and earlier posts, as one run sees them.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;

use crate::{
    domain::{
        Instant,
        bot::BotName,
        content::{FeedLook, FeedState, PostTally, PostedText, Selection, StoredItem},
        run::ExecutionId,
    },
    skills::{Shelf, SkillError},
    store::{StatePersistence, StoreError},
};

/// The shelf of one run, straight from the store.
pub struct StoreShelf {
    store: Arc<dyn StatePersistence>,
    bot: BotName,
    execution: ExecutionId,
    now: Instant,
}

impl StoreShelf {
    /// What this run of the bot sees at this time.
    #[must_use]
    pub fn new(
        store: Arc<dyn StatePersistence>,
        bot: BotName,
        execution: ExecutionId,
        now: Instant,
    ) -> Self {
        Self {
            store,
            bot,
            execution,
            now,
        }
    }
}

#[async_trait]
impl Shelf for StoreShelf {
    async fn candidates(&self, wish: Selection) -> Result<Vec<StoredItem>, SkillError> {
        let wish = Selection {
            bot: self.bot.clone(),
            execution: self.execution,
            now: self.now,
            ..wish
        };
        read(self.store.candidates(&wish)).await
    }

    async fn posted_texts(
        &self,
        since: Instant,
        limit: u32,
    ) -> Result<Vec<PostedText>, SkillError> {
        let (bot, me) = (&self.bot, self.execution);
        read(self.store.posted_texts(bot, since, me, limit)).await
    }

    async fn post_tally(&self, since: Instant) -> Result<PostTally, SkillError> {
        read(self.store.post_tally(&self.bot, since, self.execution)).await
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, SkillError> {
        read(self.store.feed(table, url)).await
    }

    async fn take_feed(&self, look: FeedLook) -> Result<u64, SkillError> {
        read(self.store.take_feed(&look)).await
    }
}

async fn read<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, SkillError> {
    asked.await.map_err(|error| match error.is_transient() {
        true => SkillError::recoverable(error.to_string()),
        false => SkillError::unrecoverable(error.to_string()),
    })
}
