//! A typed client of the control API, for programs and for the command `ctl`.
//!
//! It speaks to any server over the wire and shares nothing with the rooms of this crate, so that a client of one version
//! reads the answers of another: fields that it does not know are left alone, and fields that are missing are absent.
//!
//! The token goes to the given address only: no redirect is followed, and it is never shown. Nobody waits without a
//! deadline. Nothing is tried again: whether a repeated request would be harmless is for the caller to know.
//!
//! ```no_run
//! # async fn example() -> Result<(), actor_server::client::Error> {
//! use actor_server::client::{ActorFilter, Client};
//!
//! let client = Client::new("http://127.0.0.1:3000", None)?;
//! for actor in client.actors(&ActorFilter::default()).await?.iter() {
//!     println!("{} runs next at {:?}", actor.name, actor.next_run);
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod alerts;
mod content;
mod control;
mod error;
mod events;
mod executions;
mod operations;
mod pages;
mod posts;
mod reply;
mod stream;
mod transport;
mod types;

use std::{fmt, time::Duration};

use reqwest::header::HeaderValue;
use secrecy::SecretString;

pub use error::Error;
pub use events::{Signature, SigningKey};
pub use pages::Pages;
pub use reply::Reply;
pub use stream::{Happening, Listener, StreamFilter};
pub use types::*;

use address::Address;

/// How long it may take to reach the server.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a request may take from its first byte to the answer's last.
const REQUEST: Duration = Duration::from_secs(10);

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the server is reached (3 s).
    pub connect: Duration,
    /// Until an answer is complete (10 s).
    pub request: Duration,
    /// Until a stream that says nothing, not even that it is alive, counts as cut off (60 s).
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            request: REQUEST,
            silence: Duration::from_secs(60),
        }
    }
}

/// One server and who we are there; clones share its connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: Address,
    /// The header with the token; it is marked as sensitive.
    credentials: Option<HeaderValue>,
    timeouts: Timeouts,
}

impl Client {
    /// A client of the server at this URL, with a token for what needs one.
    ///
    /// The URL is `http://` or `https://`, and may have a path that a proxy serves the API under.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Token`]; nothing is asked of the server yet.
    pub fn new(url: &str, token: Option<SecretString>) -> Result<Self, Error> {
        Self::with_timeouts(url, token, Timeouts::default())
    }

    /// The same with other timeouts.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_timeouts(
        url: &str,
        token: Option<SecretString>,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let address = Address::parse(url)?;
        Ok(Self {
            http: transport::connections(&address, timeouts)?,
            address,
            credentials: token.as_ref().map(transport::credentials).transpose()?,
            timeouts,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.address.to_string())
            .field("token", &self.credentials.as_ref().map(|_| "***"))
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
