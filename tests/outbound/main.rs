//! The way out: whom requests reach, what they may take, and the skills that go by it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

#[path = "../support/sqlite_ledger.rs"]
mod ledger;
#[path = "../support/receiver.rs"]
mod receiver;
#[path = "../support/run.rs"]
mod run;
#[path = "../support/server.rs"]
mod server;

mod allowed;
mod bounds;
mod commands;
mod feeds;
mod feeds_hostile;
mod redirects;
mod requests;
mod served;
mod whom;

use std::time::Duration;

use actor_server::outbound::{Incoming, Outbound, OutboundError, OutboundRules, Outgoing};
use reqwest::Method;

/// How long a test waits for what should be at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// One that may reach these.
fn outbound(allowed: &[&str]) -> Outbound {
    let allow_hosts = allowed.iter().map(|host| (*host).to_owned()).collect();
    Outbound::new(OutboundRules { allow_hosts })
}

fn request(url: &str) -> Outgoing {
    Outgoing::new(Method::GET, url.parse().unwrap())
}

async fn get(allowed: &[&str], url: &str) -> Result<Incoming, OutboundError> {
    outbound(allowed).send(request(url)).await
}

/// Such as `127.0.0.1:4711`.
fn authority(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().unwrap()
}
