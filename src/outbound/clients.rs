//! The connections: made only to addresses that were judged, and never handed to a request that would be judged in
//! another way.
//!
//! Whoever resolves a name for a connection does not hear of its port. So requests to a port that an entry of `allow_hosts`
//! names have a client of their own, whose resolver knows it; all other ports are judged alike and share one.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use super::{OutboundError, Outgoing, fault, is_framing, spans, trust::trusted};
use crate::domain::reach::Reach;

/// Until the other side is reached, its name looked up and TLS agreed on.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection may wait for the next request.
const IDLE: Duration = Duration::from_secs(20);

/// Idle connections to each host.
const MOST_IDLE: usize = 4;

/// How requests introduce themselves.
const USER_AGENT: &str = concat!("actor-server/", env!("CARGO_PKG_VERSION"));

/// Stands for the ports that no entry names.
const OTHER_PORTS: u16 = 0;

/// One client for each way of judging; built when it is wanted first.
pub(super) struct Clients {
    reach: Arc<Reach>,
    by_port: HashMap<u16, OnceLock<Result<Client, String>>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.reach, f)
    }
}

impl Clients {
    pub(super) fn new(reach: Reach) -> Self {
        let ports = reach.ports().chain([OTHER_PORTS]);
        Self {
            by_port: ports.map(|port| (port, OnceLock::new())).collect(),
            reach: Arc::new(reach),
        }
    }

    /// Sends it, and waits until an answer begins.
    pub(super) async fn send(&self, request: &Outgoing) -> Result<Response, OutboundError> {
        self.reach
            .check(&request.url)
            .map_err(OutboundError::Refused)?;
        let client = self.client(&request.url)?;
        let mut sent = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if !request.body.is_empty() {
            sent = sent.body(request.body.clone());
        }
        let sent = spans::told(sent).build();
        let mut sent = sent.map_err(|error| fault::of(&self.reach, &request.url, error))?;
        for name in request.headers.keys().filter(|name| is_framing(name)) {
            sent.headers_mut().remove(name);
        }
        let answer = client.execute(sent).await;
        answer.map_err(|error| fault::of(&self.reach, &request.url, error))
    }

    fn client(&self, url: &Url) -> Result<&Client, OutboundError> {
        let port = url.port_or_known_default().unwrap_or_default();
        let own = self.by_port.get_key_value(&port);
        let found = own.or_else(|| self.by_port.get_key_value(&OTHER_PORTS));
        let Some((port, made)) = found else {
            return Err(OutboundError::Refused("there is no way out".into()));
        };
        let made = made.get_or_init(|| self.build(*port));
        made.as_ref()
            .map_err(|error| OutboundError::Refused(error.clone()))
    }

    fn build(&self, port: u16) -> Result<Client, String> {
        let judge = Judge {
            reach: Arc::clone(&self.reach),
            port,
        };
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .dns_resolver(Arc::new(judge));
        let built = trusted(builder).build();
        built.map_err(|error| format!("cannot make an HTTP client: {error}"))
    }
}

/// Resolves names to the addresses that may be reached.
struct Judge {
    reach: Arc<Reach>,
    port: u16,
}

/// None of a name's addresses may be reached.
#[derive(Debug, thiserror::Error)]
#[error("none of its addresses may be reached")]
pub(super) struct OutOfReach;

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, port) = (Arc::clone(&self.reach), self.port);
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let open: Vec<_> = found
                .filter(|address| reach.permits(Some(name), port, address.ip()))
                .collect();
            match open.is_empty() {
                true => Err(OutOfReach.into()),
                false => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}
