//! Knowledge in few words: items, what a bot may choose, and posts made of items.

use actor_server::{
    domain::{
        bot::BotName,
        content::{ContentItem, ItemUse, Selection, StoredItem},
        post::PostStatus,
        run::ExecutionId,
    },
    store::{NewPost, PostMark, Write, Written},
};
use serde_json::json;

use crate::process::{Process, message, slot};

/// An item with a body, of middling priority.
pub(crate) fn item(body: &str) -> ContentItem {
    ContentItem {
        key: None,
        title: None,
        body: body.into(),
        source: None,
        tags: Vec::new(),
        priority: 0.5,
        not_before: None,
        expires_at: None,
        media: Vec::new(),
        metadata: json!({}),
    }
}

/// The same with another priority.
pub(crate) fn ranked(body: &str, priority: f64) -> ContentItem {
    ContentItem {
        priority,
        ..item(body)
    }
}

/// So many items, `0`, `1`, …
pub(crate) fn items(count: usize, priority: f64) -> Vec<ContentItem> {
    let body = |n: usize| ranked(&n.to_string(), priority);
    (0..count).map(body).collect()
}

/// What a run of slot 100 wants that has not posted yet.
pub(crate) fn wish(bot: &BotName, limit: u32) -> Selection {
    Selection {
        bot: bot.clone(),
        execution: ExecutionId(i64::MAX),
        tables: vec!["t".into()],
        now: slot(100),
        limit,
        skip: Vec::new(),
    }
}

/// The bodies of items.
pub(crate) fn bodies(items: &[StoredItem]) -> Vec<&str> {
    items.iter().map(|row| row.item.body.as_str()).collect()
}

/// The first message of the run of slot `n`, made of an item.
pub(crate) fn made_of(item: i64, run: ExecutionId, bot: &BotName, n: i64) -> NewPost {
    NewPost {
        item: Some(ItemUse {
            id: item,
            text: format!("item {item}"),
        }),
        ..message(run, bot, n)
    }
}

/// How a post ended that was refused.
pub(crate) fn refused(post: i64, frees_item: bool) -> Write {
    Write::MarkPost(PostMark {
        frees_item,
        status: PostStatus::Failed,
        ..marked(post)
    })
}

/// A post that arrived.
pub(crate) fn marked(post: i64) -> PostMark {
    PostMark {
        frees_item: false,
        id: post,
        status: PostStatus::Sent,
        attempts: 1,
        platform_message_id: None,
        error: None,
        posted_at: None,
    }
}

impl Process {
    /// Adds to the table `t`.
    pub(crate) async fn add(&self, items: &[ContentItem]) -> Vec<i64> {
        self.store.add_content("t", items, slot(0)).await.unwrap()
    }

    pub(crate) async fn candidates(&self, wish: &Selection) -> Vec<StoredItem> {
        self.store.candidates(wish).await.unwrap()
    }

    /// Runs slot `n` and makes its first post of an item.
    pub(crate) async fn post_of(&self, bot: &BotName, n: i64, item: i64) -> (ExecutionId, Written) {
        let run = self.run(bot, n).await;
        let post = Write::StorePost(made_of(item, run, bot, n));
        (run, self.write(post).await)
    }
}
