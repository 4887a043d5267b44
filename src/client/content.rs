//! Knowledge: what bots choose from.

use reqwest::Method;

use super::{
    Added, Client, ContentFilter, ContentItem, Error, KnowledgeTable, NewItem, Pages, Removed,
    Reply,
};

impl Client {
    /// The knowledge tables, by name.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn content_tables(&self) -> Result<Reply<Vec<KnowledgeTable>>, Error> {
        self.get(&["api", "v1", "content"]).await
    }

    /// Items of a knowledge table, newest first: one page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn content(
        &self,
        table: &str,
        filter: &ContentFilter,
    ) -> Result<Reply<Vec<ContentItem>>, Error> {
        self.get_with(&of(table), filter).await
    }

    /// Items of a knowledge table, newest first, page by page.
    #[must_use]
    pub fn content_pages(&self, table: &str, filter: ContentFilter) -> Pages<'_, ContentItem> {
        let table = table.to_owned();
        Pages::new(move |cursor| {
            let (table, mut filter) = (table.clone(), filter.clone());
            filter.cursor = cursor.or(filter.cursor);
            Box::pin(async move { self.content(&table, &filter).await })
        })
    }

    /// Adds items to a knowledge table, all or none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add_content(&self, table: &str, items: &[NewItem]) -> Result<Reply<Added>, Error> {
        self.post(&of(table), &items).await
    }

    /// Removes one item of a knowledge table.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_content(&self, table: &str, id: i64) -> Result<Reply<Removed>, Error> {
        let request = self.request(Method::DELETE, &of(table))?;
        self.ask(request.query(&[("id", id)])).await
    }

    /// Removes all items of a knowledge table.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn clear_content(&self, table: &str) -> Result<Reply<Removed>, Error> {
        let request = self.request(Method::DELETE, &of(table))?;
        self.ask(request.query(&[("all", true)])).await
    }
}

const fn of(table: &str) -> [&str; 4] {
    ["api", "v1", "content", table]
}
