//! Runs: the ledger, and to stop one.

use serde_json::json;

use super::{Cancelling, Client, Error, Execution, ExecutionFilter, Pages, Reply};

const EXECUTIONS: [&str; 3] = ["api", "v1", "executions"];

impl Client {
    /// Runs, newest first: one page. [`Reply::next_cursor`] is where the next one begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn executions(
        &self,
        filter: &ExecutionFilter,
    ) -> Result<Reply<Vec<Execution>>, Error> {
        self.get_with(&EXECUTIONS, filter).await
    }

    /// One bot's runs, newest first: one page. Unlike with a filter, it is an error if there is no such bot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn executions_of(
        &self,
        name: &str,
        filter: &ExecutionFilter,
    ) -> Result<Reply<Vec<Execution>>, Error> {
        self.get_with(&["api", "v1", "executions", "actor", name], filter)
            .await
    }

    /// Runs, newest first, page by page; rows that arrive in the meantime move nothing.
    #[must_use]
    pub fn execution_pages(&self, filter: ExecutionFilter) -> Pages<'_, Execution> {
        Pages::new(move |cursor| {
            let mut filter = filter.clone();
            if cursor.is_some() {
                (filter.cursor, filter.offset) = (cursor, None);
            }
            Box::pin(async move { self.executions(&filter).await })
        })
    }

    /// One run.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn execution(&self, id: i64) -> Result<Reply<Execution>, Error> {
        let id = id.to_string();
        self.get(&["api", "v1", "executions", &id]).await
    }

    /// Asks a run to stop; it has not stopped yet when the answer is here.
    ///
    /// # Errors
    /// See [`Error`]; 409 if it has ended.
    pub async fn cancel(&self, id: i64) -> Result<Reply<Cancelling>, Error> {
        let id = id.to_string();
        self.post(&["api", "v1", "executions", &id, "cancel"], &json!({}))
            .await
    }
}
