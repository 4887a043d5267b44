//! Who may call what: bearer tokens (RFC 6750, RFC 7519) and the roles in them.
//!
//! The algorithm belongs to the key, never to the token; nothing that a token says of keys is followed. A caller is let in
//! by an extractor, before a body is read and without asking an actor or the store. A token is taken from the
//! `Authorization` header and from nowhere else.

mod claims;
mod extract;
mod keys;
mod refusal;
pub mod sender;
mod sign;
pub mod signature;
mod token;

use std::sync::Arc;

use actix_web::HttpRequest;
use arc_swap::ArcSwap;

pub use self::{
    extract::{Admin, Operator, Readonly, Reads},
    keys::{Algorithm, Key, Keys, Material},
    refusal::Refusal,
    sign::{NewToken, Unsigned, sign},
};
use crate::clock::Clock;

/// What a token allows; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Readonly,
    /// Pause, resume, trigger, cancel.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// As it stands in the claim `role`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readonly => "readonly",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Readonly, Self::Operator, Self::Admin];
        let role = all.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| format!("`{text}` is no role; use readonly, operator or admin"))
    }
}

/// Who calls: a token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `sub`.
    pub subject: String,
    /// `role`.
    pub role: Role,
}

/// Knows the keys; clones share them, so that a reload reaches every listener.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    ring: ArcSwap<keys::KeyRing>,
    clock: Clock,
}

impl Default for Guard {
    /// Without a key: control routes are closed.
    fn default() -> Self {
        Self::new(Keys::default(), Clock::process())
    }
}

impl Guard {
    /// One that lets in tokens of these keys; `clock` judges when they expire.
    #[must_use]
    pub fn new(keys: Keys, clock: Clock) -> Self {
        let ring = ArcSwap::from_pointee(keys.into());
        Self(Arc::new(Inner { ring, clock }))
    }

    /// From now on other keys and rules hold; requests that were let in already go on.
    pub fn replace(&self, keys: Keys) {
        self.0.ring.store(Arc::new(keys.into()));
    }

    /// Whether a request without a token may read.
    #[must_use]
    pub fn public_reads(&self) -> bool {
        self.0.ring.load().public_reads
    }

    /// Who calls.
    ///
    /// # Errors
    /// No key is configured, or the request has no good token.
    pub fn caller(&self, request: &HttpRequest) -> Result<Caller, Refusal> {
        let ring = self.0.ring.load();
        if ring.is_empty() {
            return Err(Refusal::Closed);
        }
        let text = token::of(request)?;
        token::check(text, &ring, self.0.clock.now().timestamp())
    }
}
