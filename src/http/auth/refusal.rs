//! Why a caller is not let in, and how that is said (RFC 6750 section 3).

use actix_web::http::StatusCode;

use super::Role;
use crate::http::error::Problem;

/// Why a caller is not let in. Until a signature is found good, nothing says what was wrong with it, or which keys exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key is configured.
    #[error(
        "no key is configured, so this route is closed; set API_JWT_SECRET or [auth] algorithm_keys"
    )]
    Closed,
    /// The request has no token.
    #[error("a token is needed, as Authorization: Bearer TOKEN")]
    Missing,
    /// The header is something else.
    #[error("the Authorization header must be the word Bearer, one space and a token")]
    NoBearer,
    /// There are several headers.
    #[error("there must be one Authorization header")]
    Twice,
    /// It is longer than any that is accepted.
    #[error("the token is longer than 8 KiB")]
    TooLong,
    /// It is no token, or not signed with a key of this server.
    #[error("the token is malformed, or not signed with a key of this server")]
    Untrusted,
    /// A required claim is missing or has another type.
    #[error(
        "the token needs the claims sub (text), role (readonly, operator or admin) and exp (whole seconds); nbf and iat must be whole seconds"
    )]
    Claims,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is still to come.
    #[error("the token is not valid yet")]
    Early,
    /// `exp` is too far away.
    #[error("the token lives longer than this server allows")]
    TooLasting,
    /// Another `iss`.
    #[error("the token was issued by somebody else")]
    Issuer,
    /// Another `aud`.
    #[error("the token is meant for somebody else")]
    Audience,
    /// The role is too low.
    #[error("this needs the role {}", .0.as_str())]
    Role(Role),
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Self::Role(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// `WWW-Authenticate`. Its texts are those above: no quote, no backslash, nothing of the request.
    fn challenge(self) -> Option<String> {
        let error = match self {
            Self::Closed => return None,
            Self::Missing => return Some(r#"Bearer realm="actor-server""#.into()),
            Self::Role(_) => "insufficient_scope",
            _ => "invalid_token",
        };
        Some(format!(
            r#"Bearer realm="actor-server", error="{error}", error_description="{self}""#
        ))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.status(), refusal.to_string());
        match refusal.challenge() {
            Some(challenge) => problem.with_header("www-authenticate", challenge),
            None => problem,
        }
    }
}
