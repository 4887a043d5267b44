//! The way out: an HTTP client that follows no redirect, waits 10 s at most, and keeps few connections.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, Url, redirect};

use super::{NotDelivered, answer::Answer};
use crate::outbound::trusted;

/// Until the other side is reached.
const CONNECT: Duration = Duration::from_secs(5);

/// From the first byte of the request to the last of the answer.
const WHOLE: Duration = Duration::from_secs(10);

/// How long a connection may wait for the next request.
const IDLE: Duration = Duration::from_secs(20);

/// Sends requests; clones share the connections.
#[derive(Clone)]
pub(super) struct Outlet {
    /// By way of the environment's proxy, if there is one.
    usual: Client,
    /// To this machine's own addresses, which no proxy leads to.
    direct: Client,
}

impl Outlet {
    /// One that introduces itself as `user_agent` and keeps so many idle connections to each host.
    pub(super) fn new(user_agent: &str, idle: usize) -> Result<Self, String> {
        let made = |builder: ClientBuilder| {
            let built = builder.build();
            built.map_err(|error| format!("cannot make an HTTP client: {error}"))
        };
        Ok(Self {
            usual: made(client(user_agent, idle))?,
            direct: made(client(user_agent, idle).no_proxy())?,
        })
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if local { &self.direct } else { &self.usual }.post(url)
    }

    /// Sends it, and waits until an answer begins.
    pub(super) async fn send(request: RequestBuilder) -> Result<Answer, NotDelivered> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| {
            let what = innermost(&error.without_url());
            NotDelivered::Never(format!("cannot make the request: {what}"))
        })?;
        let origin = request.url().origin().ascii_serialization();
        match client.execute(request).await {
            Ok(response) => Ok(Answer::new(origin, response)),
            Err(error) => Err(NotDelivered::Later {
                reason: unreached(&origin, &error.without_url()),
                after: None,
            }),
        }
    }
}

fn client(user_agent: &str, idle: usize) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(user_agent)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle);
    trusted(builder)
}

fn unreached(origin: &str, error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let limit = if error.is_connect() { CONNECT } else { WHOLE };
        return format!("{origin} did not answer within {} s", limit.as_secs());
    }
    let what = innermost(error);
    match error.is_connect() {
        true => format!("cannot connect to {origin}: {what}"),
        false => format!("the connection to {origin} was lost: {what}"),
    }
}

/// The cause at the bottom, which says more than the layers above it.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
