//! Posts: what was handed to platforms, and to send one again.

use serde_json::json;

use super::{Client, Error, Pages, PostFilter, Reply, SentPost};

const POSTS: [&str; 3] = ["api", "v1", "posts"];

impl Client {
    /// Posts, newest first: one page. [`Reply::next_cursor`] is where the next one begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn posts(&self, filter: &PostFilter) -> Result<Reply<Vec<SentPost>>, Error> {
        self.get_with(&POSTS, filter).await
    }

    /// Posts, newest first, page by page.
    #[must_use]
    pub fn post_pages(&self, filter: PostFilter) -> Pages<'_, SentPost> {
        Pages::new(move |cursor| {
            let mut filter = filter.clone();
            filter.cursor = cursor.or(filter.cursor);
            Box::pin(async move { self.posts(&filter).await })
        })
    }

    /// One post.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stored_post(&self, id: i64) -> Result<Reply<SentPost>, Error> {
        let id = id.to_string();
        self.get(&["api", "v1", "posts", &id]).await
    }

    /// Has a post sent again that was given up; it is on its way when the answer is here, and no more.
    ///
    /// # Errors
    /// See [`Error`]; 409 if it is neither `dead` nor `failed`.
    pub async fn resend(&self, id: i64) -> Result<Reply<SentPost>, Error> {
        let id = id.to_string();
        self.post(&["api", "v1", "posts", &id, "resend"], &json!({}))
            .await
    }
}
