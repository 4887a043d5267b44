//! What can go wrong between a client and its server.

/// Why there is no answer, or not the one that was wished for.
///
/// Texts that come from the server may contain anything; whoever prints them to a terminal escapes them first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This can be no server's URL.
    #[error("{0}")]
    Url(String),
    /// This can be no token: it has characters that no header may have.
    #[error(
        "the token is empty or has characters that no token has; copy it again, without line breaks"
    )]
    Token,
    /// This can be no argument of the request.
    #[error("{0}")]
    Argument(String),
    /// There is no server, or no way to it.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Where it was sought.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The answer did not come in time; whether the request was carried out is not known.
    #[error("{url} did not answer in time")]
    Timeout {
        /// Who was asked.
        url: String,
    },
    /// 401: there is no token, or the server does not accept it. A new one is made by `actor-server token`.
    #[error("{detail}")]
    Unauthorized {
        /// What the server says.
        detail: String,
        /// The answer's `X-Request-Id`.
        request_id: Option<String>,
    },
    /// The server says no, with a problem document (RFC 9457).
    #[error("{detail}")]
    Problem {
        /// The HTTP status.
        status: u16,
        /// What kind of problem it is.
        title: String,
        /// What happened this time.
        detail: String,
        /// The answer's `X-Request-Id`, by which the server's log knows the request.
        request_id: Option<String>,
        /// Every single problem, where there are several.
        errors: Vec<String>,
    },
    /// Whoever answered is not the control API, or one that this client does not understand.
    #[error("{url} answered {status}: {reason}")]
    Unexpected {
        /// Who was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer.
        reason: String,
    },
}

impl Error {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { status, .. } | Self::Unexpected { status, .. } => Some(*status),
            Self::Unauthorized { .. } => Some(401),
            _ => None,
        }
    }

    /// Whether the same request may be answered otherwise in a while: nobody was there, or had no time.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self.status() {
            Some(status) => status == 429 || status >= 500,
            None => matches!(self, Self::Unreachable { .. } | Self::Timeout { .. }),
        }
    }

    /// The `X-Request-Id` of the answer, if there was one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Problem { request_id, .. } | Self::Unauthorized { request_id, .. } => {
                request_id.as_deref()
            }
            _ => None,
        }
    }
}
