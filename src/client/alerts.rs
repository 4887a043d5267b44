//! Alerts: what is wrong, what was told, and whether anybody hears it.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{AlertFilter, AlertTests, Alerts, Client, Error, Reply};

/// How long the server's channels may take to answer, and a little more; a longer time-out of the client's counts.
const TEST: Duration = Duration::from_secs(20);

impl Client {
    /// The incidents that are open, and the newest deliveries to the channels.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Reply<Alerts>, Error> {
        self.get_with(&["api", "v1", "alerts"], filter).await
    }

    /// Has a test notice sent to every channel, or to the one that is named. That a channel did not take it is an answer, too:
    /// see [`AlertTests::failed`]. Waits 20 s at least, because the server waits for its channels.
    ///
    /// # Errors
    /// See [`Error`]; 404 for a channel that is not configured, 409 when none is.
    pub async fn test_alert(&self, channel: Option<&str>) -> Result<Reply<AlertTests>, Error> {
        let body = match channel {
            Some(channel) => json!({ "channel": channel }),
            None => json!({}),
        };
        let request = self.request(Method::POST, &["api", "v1", "alerts", "test"])?;
        let patience = self.timeouts.request.max(TEST);
        self.ask_within(patience, request.json(&body)).await
    }
}
