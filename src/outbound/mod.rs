//! The way out for bots: HTTP requests to addresses that bot files and knowledge name.
//!
//! Nobody inside the network is reached unless `[outbound] allow_hosts` says so, whatever a name resolves to and wherever a
//! redirect leads: a name is looked up once for each connection, and the address that was judged is the one that is connected
//! to. Time, size and redirects are bounded. The environment's proxies are not used, for nobody knows whom they would reach. The bot API of
//! Discord and the channels for alerts are the operator's own addresses and do not come this way.

mod answer;
mod clients;
mod fault;
mod redirect;
pub mod retry_after;
mod spans;
mod trust;

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::timeout;

use self::clients::Clients;
pub use self::trust::trusted;
use crate::domain::reach::{AllowedHost, Reach};

/// Which addresses may be reached, `[outbound]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundRules {
    /// Hosts that may be reached though their address is internal: a name, `*.name`, an address or a network, each with or
    /// without a port. See [`AllowedHost::parse`].
    pub allow_hosts: Vec<String>,
}

/// Sends requests for bots; clones share the connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    clients: Arc<Clients>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers; those of [`is_framing`] are not sent.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The bounds.
    pub bounds: Bounds,
}

/// What a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From the first byte out to the last byte in.
    pub time: Duration,
    /// Bytes of the answer, unpacked.
    pub bytes: usize,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for Bounds {
    /// 30 s, 1 MiB, 5 redirects.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            bytes: 1024 * 1024,
            redirects: 5,
        }
    }
}

impl Outgoing {
    /// A request without headers and body, in the usual bounds.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            bounds: Bounds::default(),
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The status of the last answer, after redirects.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where it came from.
    pub url: Url,
    /// Its body, unpacked.
    pub body: Vec<u8>,
}

/// Why there is no answer. The texts name the origin and never a path, a query or a header: they may be secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address may not be reached; trying again cannot help.
    #[error("{0}")]
    Refused(String),
    /// The answer is beyond a bound, or no HTTP; trying again is not likely to help.
    #[error("{0}")]
    Bad(String),
    /// No answer within the time.
    #[error("{0}")]
    TimedOut(String),
    /// No connection, or one that was lost.
    #[error("{0}")]
    Lost(String),
}

impl OutboundError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Lost(_))
    }
}

impl Outbound {
    /// One that keeps these rules. An entry that cannot be read opens nothing.
    #[must_use]
    pub fn new(rules: OutboundRules) -> Self {
        Self::reaching(reach(&rules, false))
    }

    /// The same rules, but nobody is reached whom they do not name, `[outbound] only_allowed_hosts`.
    #[must_use]
    pub fn only(rules: OutboundRules) -> Self {
        Self::reaching(reach(&rules, true))
    }

    fn reaching(reach: Reach) -> Self {
        Self {
            clients: Arc::new(Clients::new(reach)),
        }
    }

    /// Sends a request, follows redirects, and reads the answer whole. With no redirects to follow, one is an answer.
    ///
    /// When a redirect leads to another origin, headers that may be secrets stay behind; a `303`, and a `301` or `302` to a
    /// `POST`, is followed with a `GET` (RFC 9110, section 15.4).
    ///
    /// # Errors
    /// See [`OutboundError`]. An answer of any status is an answer.
    pub async fn send(&self, request: Outgoing) -> Result<Incoming, OutboundError> {
        let span = spans::begin(&request);
        let (time, origin) = (request.bounds.time, fault::origin(&request.url));
        let followed = span.around(self.follow(request));
        let answer = timeout(time, followed).await;
        let answer = answer.unwrap_or_else(|_| Err(fault::late(&origin, time)));
        spans::end(&span, &answer);
        answer
    }

    async fn follow(&self, mut request: Outgoing) -> Result<Incoming, OutboundError> {
        for left in (0..=request.bounds.redirects).rev() {
            let response = self.clients.send(&request).await?;
            match redirect::next(&request, response.status(), response.headers())? {
                Some(next) if left > 0 => request = next,
                Some(_) if request.bounds.redirects > 0 => break,
                _ => return answer::read(response, request.bounds.bytes).await,
            }
        }
        let (origin, redirects) = (fault::origin(&request.url), request.bounds.redirects);
        Err(OutboundError::Bad(format!(
            "{origin} redirects more than {redirects} times"
        )))
    }
}

fn reach(rules: &OutboundRules, only_allowed: bool) -> Reach {
    let entries = rules.allow_hosts.iter();
    Reach {
        allowed: entries
            .filter_map(|text| AllowedHost::parse(text).ok())
            .collect(),
        only_allowed,
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self::new(OutboundRules::default())
    }
}

/// Whether a header is decided by the connection, and by nobody else.
#[must_use]
pub fn is_framing(name: &HeaderName) -> bool {
    let framing = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::EXPECT,
        header::HOST,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    framing.contains(name)
}
