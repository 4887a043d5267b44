//! The server itself: its configuration, its actors, its breakers, its health, and who did what to it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    AuditEntry, AuditFilter, BreakerReset, Client, Error, Health, Pages, Probe, Reload, Reply,
    Supervision,
};

impl Client {
    /// The effective configuration, with secrets as `"***"`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn config(&self) -> Result<Reply<Value>, Error> {
        self.get(&["api", "v1", "config"]).await
    }

    /// Has the server read its files again; with `dry_run` it only says what would change.
    ///
    /// # Errors
    /// See [`Error`]; 422 with every problem of the files, and nothing changed.
    pub async fn reload(&self, dry_run: bool) -> Result<Reply<Reload>, Error> {
        let body = if dry_run {
            json!({ "dry_run": true })
        } else {
            json!({})
        };
        self.post(&["api", "v1", "config", "reload"], &body).await
    }

    /// The supervision tree, the breakers and the replicas.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn supervision(&self) -> Result<Reply<Supervision>, Error> {
        self.get(&["api", "v1", "supervision"]).await
    }

    /// Closes a downstream's circuit breaker by hand.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reset_breaker(&self, dependency: &str) -> Result<Reply<BreakerReset>, Error> {
        let path = ["api", "v1", "breakers", dependency, "reset"];
        self.post(&path, &json!({})).await
    }

    /// Who did what, newest first: one page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Reply<Vec<AuditEntry>>, Error> {
        self.get_with(&["api", "v1", "audit"], filter).await
    }

    /// Who did what, newest first, page by page.
    #[must_use]
    pub fn audit_pages(&self, filter: AuditFilter) -> Pages<'_, AuditEntry> {
        Pages::new(move |cursor| {
            let mut filter = filter.clone();
            filter.cursor = cursor.or(filter.cursor);
            Box::pin(async move { self.audit(&filter).await })
        })
    }

    /// How the server and its parts are. That it is not well is an answer, too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn health(&self) -> Result<Reply<Health>, Error> {
        self.even_unwell(&["health"]).await
    }

    /// One of the probes `live`, `ready` and `startup`. That it says no is an answer, too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn probe(&self, which: &str) -> Result<Reply<Probe>, Error> {
        self.even_unwell(&["health", which]).await
    }

    /// A 503 with a document that is no problem document is an answer.
    async fn even_unwell<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
    ) -> Result<Reply<T>, Error> {
        let received = self.send(self.request(Method::GET, path)?).await?;
        let unwell = received.status().as_u16() == 503 && !received.is_problem();
        if received.status().is_success() || unwell {
            received.reply(&self.address)
        } else {
            Err(received.problem(&self.address))
        }
    }
}
