//! Making a token, for whoever holds an HMAC secret.

use jsonwebtoken::{EncodingKey, Header};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Keys, Material, Role};
use crate::domain::Instant;

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Who.
    pub subject: String,
    /// What it allows.
    pub role: Role,
    /// Seconds.
    pub ttl: i64,
    /// The key; `None` takes the only one that can sign.
    pub kid: Option<String>,
}

/// Why no token was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Unsigned {
    #[error(
        "no HMAC key is configured; set API_JWT_SECRET, or a key with a `secret` in [auth] algorithm_keys"
    )]
    NoKey,
    #[error("no HMAC key has the kid `{0}`; there is {1}")]
    UnknownKid(String, String),
    #[error("several HMAC keys are configured; choose one with --kid: {0}")]
    Several(String),
    #[error("{0} seconds are longer than [auth] max_lifetime_seconds allows; at most {1}")]
    TooLasting(i64, u64),
    #[error("the subject must be 1 to 256 characters without control characters")]
    Subject,
    #[error("cannot sign: {0}")]
    Failed(String),
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    role: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// Signs a token that the server with these keys accepts from `now` on.
///
/// # Errors
/// See [`Unsigned`].
pub fn sign(keys: &Keys, new: &NewToken, now: Instant) -> Result<String, Unsigned> {
    let longest = keys.max_lifetime.as_secs();
    if new.ttl < 1 || u64::try_from(new.ttl).is_ok_and(|ttl| ttl > longest) {
        return Err(Unsigned::TooLasting(new.ttl, longest));
    }
    if !super::claims::is_subject(&new.subject) {
        return Err(Unsigned::Subject);
    }
    let (header, key) = chosen(keys, new.kid.as_deref())?;
    let iat = now.timestamp();
    let claims = Claims {
        sub: &new.subject,
        role: new.role.as_str(),
        iat,
        exp: iat.saturating_add(new.ttl),
        iss: keys.issuer.as_deref(),
        aud: keys.audience.as_deref(),
    };
    jsonwebtoken::encode(&header, &claims, &key)
        .map_err(|error| Unsigned::Failed(error.to_string()))
}

/// The key that signs, and the header that names it.
fn chosen(keys: &Keys, kid: Option<&str>) -> Result<(Header, EncodingKey), Unsigned> {
    let signing = keys.keys.iter().filter_map(|key| match &key.material {
        Material::Secret(secret) => Some((key, secret)),
        _ => None,
    });
    let signing: Vec<_> = signing.collect();
    let names = signing
        .iter()
        .map(|(key, _)| key.kid.as_deref().unwrap_or("one without a kid"));
    let names = names.collect::<Vec<_>>().join(", ");
    let (key, secret) = match (signing.as_slice(), kid) {
        ([], _) => return Err(Unsigned::NoKey),
        (many, Some(kid)) => {
            let named = many.iter().find(|(key, _)| key.kid.as_deref() == Some(kid));
            named.ok_or_else(|| Unsigned::UnknownKid(kid.into(), names))?
        }
        ([only], None) => only,
        (_, None) => return Err(Unsigned::Several(names)),
    };
    let mut header = Header::new(key.algorithm);
    header.kid.clone_from(&key.kid);
    Ok((
        header,
        EncodingKey::from_secret(secret.expose_secret().as_bytes()),
    ))
}
