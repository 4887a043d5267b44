//! Why a command failed, as people read it: what happened, the request's id, and what to do.

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use super::{super::WRONG, text::line};
use crate::client::Error;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no, or nothing.
    Client(Error),
    /// It was asked for what cannot be.
    Usage(String),
    /// Anything else.
    Other(String),
    /// Nobody reads the output any more, which is no failure to speak of.
    Unread,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl Failure {
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(WRONG),
            Self::Client(error) if is_usage(error) => ExitCode::from(WRONG),
            Self::Unread => ExitCode::SUCCESS,
            Self::Client(_) | Self::Other(_) => ExitCode::FAILURE,
        }
    }
}

const fn is_usage(error: &Error) -> bool {
    match error {
        Error::Url(_) | Error::Token | Error::Argument(_) => true,
        Error::Problem { status, .. } => *status == 400,
        _ => false,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::Other(what) => f.write_str(&line(what)),
            Self::Unread => f.write_str("nobody reads on"),
            Self::Client(error) => client(f, error),
        }
    }
}

fn client(f: &mut fmt::Formatter<'_>, error: &Error) -> fmt::Result {
    f.write_str(&line(&error.to_string()))?;
    f.write_str(&circumstances(error))?;
    if let Error::Problem { errors, .. } = error {
        for error in errors {
            write!(f, "\n  {}", line(error))?;
        }
    }
    match advice(error) {
        Some(advice) => write!(f, "\n{advice}"),
        None => Ok(()),
    }
}

/// Such as ` (404 Not Found, request 8d1f)`.
fn circumstances(error: &Error) -> String {
    let mut all = match error {
        Error::Problem { status, title, .. } => format!("{status} {}", line(title)),
        Error::Unauthorized { .. } => "401 Unauthorized".to_owned(),
        _ => return String::new(),
    };
    if let Some(id) = error.request_id() {
        let _ = write!(all, ", request {}", line(id));
    }
    format!(" ({all})")
}

const fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unreachable { .. } => Some(
            "is the server running, and does --url (or ACTOR_SERVER_URL) name its api address?",
        ),
        Error::Timeout { .. } => {
            Some("whether it was done is not known; look before you repeat it")
        }
        Error::Unauthorized { .. } => Some(
            "set ACTOR_SERVER_TOKEN; `actor-server token --role operator --subject WHO --ttl 8h` makes a token",
        ),
        Error::Token => {
            Some("the token is read from ACTOR_SERVER_TOKEN or ACTOR_SERVER_TOKEN_FILE")
        }
        Error::Problem { status: 403, .. } => Some(
            "the token's role is too low; `actor-server token --role …` makes another (readonly < operator < admin)",
        ),
        Error::Problem { status: 429, .. } => Some("too many requests; wait a moment"),
        _ => None,
    }
}
