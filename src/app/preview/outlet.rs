//! Where a preview's posts end: they are kept, and shown.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    actors::env::Platforms,
    domain::{bot::Bot, content::ItemUse, post::Message},
    skills::{Outlet, SkillError},
};

/// A message that would be posted.
#[derive(Clone, Debug, PartialEq)]
pub struct WouldPost {
    /// Such as `discord`.
    pub platform: String,
    /// Such as a channel's id.
    pub destination: String,
    /// The text.
    pub body: String,
    /// The platform's further fields: embeds, attachments, whom it may mention.
    pub options: Value,
    /// The row of the knowledge item that it is made of; none of an entry that a feed has just brought.
    pub item: Option<i64>,
}

/// Keeps what is posted, by position.
pub(super) struct PreviewOutlet {
    platform: String,
    destination: String,
    posts: Mutex<BTreeMap<i32, WouldPost>>,
}

impl PreviewOutlet {
    pub(super) fn of(bot: &Bot) -> Self {
        let (platform, destination) = Platforms::of(bot);
        Self {
            platform: platform.to_string(),
            destination,
            posts: Mutex::default(),
        }
    }

    /// What was posted so far, in order.
    pub(super) fn posts(&self) -> Vec<WouldPost> {
        let posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        posts.values().cloned().collect()
    }
}

#[async_trait]
impl Outlet for PreviewOutlet {
    async fn post(
        &self,
        position: i32,
        message: Message,
        item: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError> {
        let post = WouldPost {
            platform: self.platform.clone(),
            destination: self.destination.clone(),
            body: message.body,
            options: message.options,
            item: item.map(|item| item.id).filter(|id| *id > 0),
        };
        let mut posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        posts.insert(position, post);
        Ok(None)
    }
}
