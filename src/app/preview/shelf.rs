//! The shelf of a preview: what is stored, and over it what its feeds have just brought, which is stored nowhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    actors::shelf::StoreShelf,
    domain::{
        Instant,
        content::{ContentItem, FeedLook, FeedState, PostTally, PostedText, Selection, StoredItem},
    },
    skills::{Shelf, SkillError},
    store::StatePersistence,
};

/// What a preview may choose from.
pub(super) struct PreviewShelf {
    /// `None`: there is no database yet.
    stored: Option<(Arc<dyn StatePersistence>, StoreShelf)>,
    now: Instant,
    /// Entries of feeds that the store does not have, in rows below zero, which it has none of.
    fresh: Mutex<Vec<StoredItem>>,
}

impl PreviewShelf {
    pub(super) fn over(
        stored: Option<(Arc<dyn StatePersistence>, StoreShelf)>,
        now: Instant,
    ) -> Self {
        Self {
            stored,
            now,
            fresh: Mutex::default(),
        }
    }

    fn fresh(&self) -> MutexGuard<'_, Vec<StoredItem>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> Option<&StoreShelf> {
        self.stored.as_ref().map(|(_, shelf)| shelf)
    }

    /// Whether the table has the entry. Not asked is whether it had it once, and it was removed.
    async fn has(&self, table: &str, item: &ContentItem) -> Result<bool, SkillError> {
        let Some(key) = item.key.as_deref() else {
            return Ok(false);
        };
        let of_table = |fresh: &StoredItem| fresh.table == table && fresh.item.key == item.key;
        if self.fresh().iter().any(of_table) {
            return Ok(true);
        }
        let knowledge = self
            .stored
            .as_ref()
            .and_then(|(store, _)| store.knowledge());
        let Some(knowledge) = knowledge else {
            return Ok(false);
        };
        let found = knowledge.content_by_key(table, key).await;
        let failed = |error: crate::store::StoreError| SkillError::unrecoverable(error.to_string());
        Ok(found.map_err(failed)?.is_some())
    }

    fn keep(&self, table: &str, item: ContentItem) {
        let mut fresh = self.fresh();
        let row = i64::try_from(fresh.len()).unwrap_or(i64::MAX);
        fresh.push(StoredItem {
            id: -1 - row,
            table: table.to_owned(),
            item,
            created_at: self.now,
        });
    }
}

#[async_trait]
impl Shelf for PreviewShelf {
    async fn candidates(&self, wish: Selection) -> Result<Vec<StoredItem>, SkillError> {
        let mut found = Vec::new();
        let may = |fresh: &&StoredItem| {
            let item = &fresh.item;
            wish.tables.contains(&fresh.table)
                && !wish.skip.contains(&fresh.id)
                && item.not_before.is_none_or(|first| first <= self.now)
                && item.expires_at.is_none_or(|end| end > self.now)
        };
        found.extend(self.fresh().iter().filter(may).cloned());
        if let Some(shelf) = self.shelf() {
            found.extend(shelf.candidates(wish).await?);
        }
        Ok(found)
    }

    async fn posted_texts(
        &self,
        since: Instant,
        limit: u32,
    ) -> Result<Vec<PostedText>, SkillError> {
        match self.shelf() {
            Some(shelf) => shelf.posted_texts(since, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn post_tally(&self, since: Instant) -> Result<PostTally, SkillError> {
        match self.shelf() {
            Some(shelf) => shelf.post_tally(since).await,
            None => Ok(PostTally::default()),
        }
    }

    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, SkillError> {
        match self.shelf() {
            Some(shelf) => shelf.feed(table, url).await,
            None => Ok(None),
        }
    }

    async fn take_feed(&self, look: FeedLook) -> Result<u64, SkillError> {
        let mut new = 0;
        for item in look.items {
            if !self.has(&look.table, &item).await? {
                self.keep(&look.table, item);
                new += 1;
            }
        }
        Ok(new)
    }
}
