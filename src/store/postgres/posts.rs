//! The posts that a batch stores and marks.

use std::collections::BTreeMap;

use super::{sheet::Tracked, uses::Use};
use crate::{
    domain::{
        bot::BotName,
        post::{Post, PostStatus},
        run::ExecutionId,
    },
    store::{NewPost, PostMark},
};

/// What the database has of the posts that a batch names, and what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Posts {
    pub(super) by_place: BTreeMap<(ExecutionId, i32), Tracked<Post>>,
    pub(super) marks: BTreeMap<i64, PostMark>,
    /// Which run has used an item for a bot, of the items that the batch names.
    pub(super) users: BTreeMap<(BotName, i64), ExecutionId>,
    /// Uses that are to be stored.
    pub(super) new_uses: Vec<Use>,
    /// What new posts are made of.
    pub(super) made_of: BTreeMap<(ExecutionId, i32), MadeOf>,
}

/// The item of a post.
#[derive(Debug)]
pub(super) struct MadeOf {
    pub(super) item: i64,
    /// Its text, if the post says something else.
    pub(super) text: Option<String>,
}

impl Posts {
    /// Whether a post that is not stored yet is made of an item that another run has used.
    pub(super) fn is_taken(&self, new: &NewPost) -> bool {
        let Some(item) = &new.item else {
            return false;
        };
        let stored = self.by_place.contains_key(&(new.execution, new.position));
        let user = self.users.get(&(new.bot.clone(), item.id));
        !stored && user.is_some_and(|user| *user != new.execution)
    }

    /// The item goes with the post.
    fn take_item(&mut self, new: &NewPost) {
        let Some(item) = &new.item else {
            return;
        };
        let made_of = MadeOf {
            item: item.id,
            text: new.own_text().map(str::to_owned),
        };
        self.made_of.insert((new.execution, new.position), made_of);
        let key = (new.bot.clone(), item.id);
        if self.users.insert(key, new.execution).is_none() {
            self.new_uses.push(Use {
                bot: new.bot.clone(),
                item: item.id,
                execution: new.execution,
                at: new.at,
            });
        }
    }

    /// The post at that place of the run: the stored one, or a new one.
    pub(super) fn store(
        &mut self,
        new: &NewPost,
        ids: &mut std::vec::IntoIter<i64>,
    ) -> Option<Post> {
        let place = (new.execution, new.position);
        if let Some(stored) = self.by_place.get(&place) {
            return Some(self.marked(stored.value.clone()));
        }
        let id = ids.next()?;
        let post = Post {
            id,
            execution: new.execution,
            bot: new.bot.clone(),
            position: new.position,
            platform: new.platform.clone(),
            destination: new.destination.clone(),
            message: new.message.clone(),
            nonce: new.nonce.clone(),
            status: PostStatus::Pending,
            attempts: 0,
            platform_message_id: None,
            error: None,
            created_at: new.at,
            posted_at: None,
            turn: id,
        };
        self.take_item(new);
        self.by_place.insert(place, Tracked::new(post.clone()));
        Some(post)
    }

    /// Keeps a mark until it is written; one that says `sent` stays.
    pub(super) fn mark(&mut self, mark: &PostMark) {
        let sent = self
            .marks
            .get(&mark.id)
            .is_some_and(|old| old.status == PostStatus::Sent);
        if !sent {
            self.marks.insert(mark.id, mark.clone());
        }
    }

    fn marked(&self, mut post: Post) -> Post {
        if let Some(mark) = self
            .marks
            .get(&post.id)
            .filter(|_| post.status != PostStatus::Sent)
        {
            post.status = mark.status;
            post.attempts = mark.attempts;
            post.platform_message_id
                .clone_from(&mark.platform_message_id);
            post.error.clone_from(&mark.error);
            post.posted_at = mark.posted_at;
        }
        post
    }
}
