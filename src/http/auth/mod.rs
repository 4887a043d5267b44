//! Who may call what.

pub mod sender;
pub mod signature;

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode};

use super::error::Problem;

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

/// Who calls: a token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `sub`.
    pub subject: String,
    /// `role`.
    pub role: Role,
}

/// Knows the keys.
#[derive(Clone, Default)]
pub struct Guard;

/// A route marked "read": no token is needed if `public_reads` is set.
pub struct Reads(pub Option<Caller>);
/// A route for `readonly` and above, whatever `public_reads` says.
pub struct Readonly(pub Caller);
/// A route for `operator` and above.
pub struct Operator(pub Caller);
/// A route for `admin`.
pub struct Admin(pub Caller);

fn closed() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no key is configured, so control routes are closed",
    )
}

impl FromRequest for Reads {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(None)))
    }
}

impl FromRequest for Readonly {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Err(closed()))
    }
}

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Err(closed()))
    }
}

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Err(closed()))
    }
}
