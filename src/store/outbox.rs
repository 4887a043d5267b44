//! What a store tells of posts beyond their being stored and marked.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{
    Instant,
    post::{Post, PostQuery},
};

/// The part of a store that looks for posts: for operators, and for whoever reads a destination back. A store that leaves
/// it out still has its posts sent.
#[async_trait]
pub trait PostStore: Send + Sync {
    /// The platform's ids of the messages that have arrived at one destination since then.
    async fn arrived(
        &self,
        _platform: &str,
        _destination: &str,
        _since: Instant,
    ) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Posts that match, newest first.
    async fn find_posts(&self, _query: &PostQuery) -> Result<Vec<Post>, StoreError> {
        Err(StoreError::keeps_no("posts"))
    }

    /// One post.
    async fn post(&self, _id: i64) -> Result<Option<Post>, StoreError> {
        Err(StoreError::keeps_no("posts"))
    }

    /// How many posts are `dead`, of all processes.
    async fn dead_posts(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Makes a post that is `failed` or `dead` `pending` again: without attempts, and with its turn behind all posts that
    /// are stored. `None`, and nothing is changed, if there is none such.
    async fn resend_post(&self, _id: i64) -> Result<Option<Post>, StoreError> {
        Err(StoreError::keeps_no("posts"))
    }
}
