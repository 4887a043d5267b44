//! The shelf of a preview: what is stored, and over it what its feeds have just brought, which is stored nowhere.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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

/// The row of the first entry that is stored nowhere. Rows grow from there as the store's do, so that of equal items the same
/// one is chosen here and there; the store has none below zero.
const FIRST_ROW: i64 = -1_000_000_000;

/// What feeds have brought to a preview.
#[derive(Default)]
struct Brought {
    /// Entries that the store does not have.
    fresh: Vec<StoredItem>,
    /// What entries that the store has say now, by row.
    changed: HashMap<i64, ContentItem>,
}

/// What a preview may choose from.
pub(super) struct PreviewShelf {
    /// `None`: there is no database yet.
    stored: Option<(Arc<dyn StatePersistence>, StoreShelf)>,
    now: Instant,
    brought: Mutex<Brought>,
}

impl PreviewShelf {
    pub(super) fn over(
        stored: Option<(Arc<dyn StatePersistence>, StoreShelf)>,
        now: Instant,
    ) -> Self {
        Self {
            stored,
            now,
            brought: Mutex::default(),
        }
    }

    fn brought(&self) -> MutexGuard<'_, Brought> {
        self.brought.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> Option<&StoreShelf> {
        self.stored.as_ref().map(|(_, shelf)| shelf)
    }

    /// The entry as the table has it. Not asked is whether the table had it once, and it was removed.
    async fn stored(
        &self,
        table: &str,
        item: &ContentItem,
    ) -> Result<Option<StoredItem>, SkillError> {
        let knowledge = self
            .stored
            .as_ref()
            .and_then(|(store, _)| store.knowledge());
        let (Some(knowledge), Some(key)) = (knowledge, item.key.as_deref()) else {
            return Ok(None);
        };
        let found = knowledge.content_by_key(table, key).await;
        found.map_err(|error| SkillError::unrecoverable(error.to_string()))
    }

    /// Takes an entry in; answers whether it is new.
    fn keep(&self, table: &str, item: ContentItem, stored: Option<StoredItem>) -> bool {
        let mut brought = self.brought();
        if let Some(stored) = stored {
            brought.changed.insert(stored.id, item);
            return false;
        }
        let same = |old: &&mut StoredItem| {
            old.table == table && item.key.is_some() && old.item.key == item.key
        };
        if let Some(old) = brought.fresh.iter_mut().find(same) {
            old.item = item;
            return false;
        }
        let number = i64::try_from(brought.fresh.len()).unwrap_or_default();
        brought.fresh.push(StoredItem {
            id: FIRST_ROW.saturating_add(number),
            table: table.to_owned(),
            item,
            created_at: self.now,
        });
        true
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
        found.extend(self.brought().fresh.iter().filter(may).cloned());
        if let Some(shelf) = self.shelf() {
            found.extend(shelf.candidates(wish).await?);
        }
        let brought = self.brought();
        for stored in &mut found {
            if let Some(item) = brought.changed.get(&stored.id) {
                stored.item.clone_from(item);
            }
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
            let stored = self.stored(&look.table, &item).await?;
            new += u64::from(self.keep(&look.table, item, stored));
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{bot::BotName, choice::Weights, run::ExecutionId},
        store::{self, Missing},
    };

    const NO_RUN: ExecutionId = ExecutionId(0);

    fn entry(key: &str, body: &str) -> ContentItem {
        ContentItem {
            key: Some(key.into()),
            title: None,
            body: body.into(),
            source: None,
            tags: Vec::new(),
            priority: 0.5,
            not_before: None,
            expires_at: None,
            media: Vec::new(),
            metadata: serde_json::json!({}),
        }
    }

    fn now() -> Instant {
        "2027-03-04T09:00:00Z".parse().unwrap()
    }

    fn look(items: Vec<ContentItem>) -> FeedLook {
        FeedLook {
            table: "news".into(),
            url: "https://example.com/feed".into(),
            state: FeedState::default(),
            items,
            at: now(),
        }
    }

    /// The texts of what may be chosen, the best first.
    async fn offered(shelf: &PreviewShelf) -> Vec<String> {
        let wish = Selection {
            bot: BotName::parse("bot").unwrap(),
            execution: NO_RUN,
            tables: vec!["news".into()],
            now: now(),
            limit: 10,
            skip: Vec::new(),
        };
        let found = shelf.candidates(wish).await.unwrap();
        let ranked = Weights::default().rank(found, now());
        ranked.into_iter().map(|stored| stored.item.body).collect()
    }

    #[tokio::test]
    async fn of_equal_entries_the_one_is_chosen_that_a_run_would_choose() {
        let (three, shelf) = (["a", "b", "c"], PreviewShelf::over(None, now()));
        let items = three.map(|key| entry(key, key)).into();
        assert_eq!(shelf.take_feed(look(items)).await.unwrap(), 3);
        assert_eq!(offered(&shelf).await, three);
    }

    #[tokio::test]
    async fn an_entry_that_has_changed_is_offered_as_it_is_now_and_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/bots.db", folder.path().display());
        let store = store::open_beside(&url, Missing::Make).await.unwrap();
        let store = store.unwrap();
        let earlier = FeedLook {
            at: now() - chrono::TimeDelta::hours(1),
            ..look(vec![entry("a", "old")])
        };
        store.take_feed(&earlier).await.unwrap();
        let bot = BotName::parse("bot").unwrap();
        let shelf = || {
            let of_run = StoreShelf::new(Arc::clone(&store), bot.clone(), NO_RUN, now());
            PreviewShelf::over(Some((Arc::clone(&store), of_run)), now())
        };
        let preview = shelf();
        let again = look(vec![entry("a", "changed"), entry("b", "new")]);
        assert_eq!(preview.take_feed(again).await.unwrap(), 1);
        assert_eq!(offered(&preview).await, ["new", "changed"]);
        assert_eq!(offered(&shelf()).await, ["old"]);
        store.close().await;
    }
}
