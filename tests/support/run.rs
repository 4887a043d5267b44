//! A run for skills to work on, and an outlet that keeps what they post.
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
        bot::BotName,
        content::{FeedLook, FeedState, ItemUse, PostTally, PostedText, Selection, StoredItem},
        post::Message,
        run::{ExecutionId, Trigger},
    },
    skills::{Outlet, RunContext, Shelf, SkillError},
};
use async_trait::async_trait;
use chrono::DateTime;
use serde_json::{Map, Value};

/// Keeps posts by their position; refuses when it is told to.
#[derive(Default)]
pub struct Desk {
    posts: Mutex<Vec<(i32, Message)>>,
    refusal: Option<SkillError>,
}

impl Desk {
    /// An outlet that refuses every post.
    pub fn refusing(error: SkillError) -> Self {
        Self {
            refusal: Some(error),
            ..Self::default()
        }
    }

    /// What was posted, in order.
    pub fn posts(&self) -> Vec<(i32, Message)> {
        self.posts.lock().unwrap().clone()
    }
}

#[async_trait]
impl Outlet for Desk {
    async fn post(
        &self,
        position: i32,
        message: Message,
        _: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError> {
        self.posts.lock().unwrap().push((position, message));
        match &self.refusal {
            Some(error) => Err(error.clone()),
            None => Ok(Some("1".into())),
        }
    }
}

/// Knows nothing, and keeps nothing.
pub struct EmptyShelf;

#[async_trait]
impl Shelf for EmptyShelf {
    async fn candidates(&self, _: Selection) -> Result<Vec<StoredItem>, SkillError> {
        Ok(Vec::new())
    }

    async fn posted_texts(&self, _: Instant, _: u32) -> Result<Vec<PostedText>, SkillError> {
        Ok(Vec::new())
    }

    async fn post_tally(&self, _: Instant) -> Result<PostTally, SkillError> {
        Ok(PostTally::default())
    }

    async fn feed(&self, _: &str, _: &str) -> Result<Option<FeedState>, SkillError> {
        Ok(None)
    }

    async fn take_feed(&self, look: FeedLook) -> Result<u64, SkillError> {
        Ok(look.items.len() as u64)
    }
}

/// The name of the bot whose run it is.
pub fn bot() -> BotName {
    BotName::parse("herald").unwrap()
}

/// Execution 7, attempt 2, of the slot 2026-03-04 09:00, half a minute and 250 ms later.
pub fn run<'a>(bot: &'a BotName, outlet: &'a dyn Outlet, content: Value) -> RunContext<'a> {
    let slot = DateTime::parse_from_rfc3339("2026-03-04T09:00:00Z").unwrap();
    RunContext {
        bot,
        title: "The Herald",
        execution: ExecutionId(7),
        trigger: Trigger::Schedule,
        slot: Some(slot.to_utc()),
        now: slot.to_utc() + chrono::TimeDelta::milliseconds(30_250),
        attempt: 2,
        event: Value::Null,
        schedule: None,
        knowledge: &[],
        content,
        item: None,
        candidates: Vec::new(),
        nothing_to_post: None,
        results: Map::new(),
        shelf: &EmptyShelf,
        message: None,
        outlet,
        posted: 0,
    }
}

/// A table of settings.
pub fn settings(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
