//! A shelf in memory that keeps the promises of the store: what one bot may choose from, and what it has posted.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test's tool: each test uses a part of it"
)]

use std::sync::Mutex;

use actor_server::{
    domain::{
        Instant,
        content::{
            ContentItem, FeedLook, FeedState, ItemUse, PostTally, PostedText, Selection, StoredItem,
        },
        post::Message,
    },
    skills::{Outlet, Shelf, SkillError},
};
use async_trait::async_trait;
use serde_json::Value;

/// One post, with the item that it was made of.
#[derive(Clone, Debug)]
pub struct Out {
    pub at: Instant,
    pub body: String,
    pub item: Option<ItemUse>,
}

/// Items and posts of one bot; what is posted here is counted and not chosen again.
#[derive(Default)]
pub struct Library {
    items: Vec<StoredItem>,
    posts: Mutex<Vec<Out>>,
    /// When posts are sent.
    now: Mutex<Option<Instant>>,
    /// What every question is answered with instead.
    trouble: Option<SkillError>,
    /// What was asked for.
    pub wishes: Mutex<Vec<Selection>>,
}

/// An item of the table `ideas` that was stored at that time.
pub fn item(id: i64, body: &str, priority: f64, created_at: Instant) -> StoredItem {
    StoredItem {
        id,
        table: "ideas".into(),
        item: ContentItem {
            key: Some(format!("key-{id}")),
            title: None,
            body: body.into(),
            source: None,
            tags: vec!["tag".into()],
            priority,
            not_before: None,
            expires_at: None,
            media: Vec::new(),
            metadata: serde_json::json!({ "colour": "blue" }),
        },
        created_at,
    }
}

impl Library {
    pub fn with(items: Vec<StoredItem>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// Answers every question with this error.
    pub fn troubled(trouble: SkillError) -> Self {
        Self {
            trouble: Some(trouble),
            ..Self::default()
        }
    }

    /// Something that was posted before.
    pub fn posted(self, at: Instant, body: &str, item: Option<(i64, &str)>) -> Self {
        self.posts.lock().unwrap().push(Out {
            at,
            body: body.into(),
            item: item.map(|(id, text)| ItemUse {
                id,
                text: text.into(),
            }),
        });
        self
    }

    /// Posts are sent at this time from now on.
    pub fn set_clock(&self, now: Instant) {
        *self.now.lock().unwrap() = Some(now);
    }

    /// All posts, in their order.
    pub fn posts(&self) -> Vec<Out> {
        self.posts.lock().unwrap().clone()
    }

    fn answer<T>(&self, answer: T) -> Result<T, SkillError> {
        match &self.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(answer),
        }
    }

    fn is_used(&self, id: i64) -> bool {
        let posts = self.posts.lock().unwrap();
        posts
            .iter()
            .any(|post| post.item.as_ref().is_some_and(|item| item.id == id))
    }
}

#[async_trait]
impl Shelf for Library {
    async fn candidates(&self, wish: Selection) -> Result<Vec<StoredItem>, SkillError> {
        let limit = usize::try_from(wish.limit).unwrap();
        let mut free: Vec<StoredItem> = self
            .items
            .iter()
            .filter(|item| wish.tables.contains(&item.table))
            .filter(|item| !wish.skip.contains(&item.id) && !self.is_used(item.id))
            .cloned()
            .collect();
        self.wishes.lock().unwrap().push(wish);
        free.sort_by_key(|item| std::cmp::Reverse(item.created_at));
        let mut chosen: Vec<StoredItem> = free.iter().take(limit).cloned().collect();
        free.sort_by(|a, b| b.item.priority.total_cmp(&a.item.priority));
        for item in free.into_iter().take(limit) {
            if !chosen.contains(&item) {
                chosen.push(item);
            }
        }
        self.answer(chosen)
    }

    async fn posted_texts(
        &self,
        since: Instant,
        limit: u32,
    ) -> Result<Vec<PostedText>, SkillError> {
        let limit = usize::try_from(limit).unwrap();
        let posts = self.posts();
        let newest = posts.into_iter().rev().filter(|post| post.at >= since);
        let texts = newest.take(limit).map(|post| PostedText {
            body: post.body,
            item: post.item.map(|item| item.text),
        });
        self.answer(texts.collect())
    }

    async fn post_tally(&self, since: Instant) -> Result<PostTally, SkillError> {
        let posts = self.posts();
        let counted = posts.iter().filter(|post| post.at >= since).count();
        self.answer(PostTally {
            since: u32::try_from(counted).unwrap(),
            newest: posts.iter().map(|post| post.at).max(),
        })
    }

    async fn feed(&self, _: &str, _: &str) -> Result<Option<FeedState>, SkillError> {
        self.answer(None)
    }

    async fn take_feed(&self, _: FeedLook) -> Result<u64, SkillError> {
        self.answer(0)
    }
}

#[async_trait]
impl Outlet for Library {
    async fn post(
        &self,
        _: i32,
        message: Message,
        item: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError> {
        self.posts.lock().unwrap().push(Out {
            at: self.now.lock().unwrap().unwrap(),
            body: message.body,
            item: item.cloned(),
        });
        Ok(None)
    }
}

/// The body of a content object.
pub fn body(content: &Value) -> &str {
    content["body"].as_str().unwrap()
}
