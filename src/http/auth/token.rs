//! One token: where it stands in a request, its header, its signature. All of it is a stranger's text.

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Caller, Refusal, claims, keys::KeyRing};

/// The longest token, in bytes.
const LONGEST: usize = 8 * 1024;

/// The token of a request (RFC 6750 section 2.1): one header, one space, and nothing behind it.
pub(super) fn of(request: &HttpRequest) -> Result<&str, Refusal> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Twice);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Refusal::NoBearer)?;
    // RFC 9110 section 11.1: the scheme is case-insensitive.
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token),
        false => Err(Refusal::NoBearer),
    }
}

/// Who signed the token and for whom it is good at `now` (Unix seconds).
pub(super) fn check(text: &str, ring: &KeyRing, now: i64) -> Result<Caller, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    let (message, signature) = text.rsplit_once('.').ok_or(Refusal::Untrusted)?;
    let (header, payload) = message.split_once('.').ok_or(Refusal::Untrusted)?;
    let header: Header = part(header).ok_or(Refusal::Untrusted)?;
    let payload_bytes = bytes(payload).ok_or(Refusal::Untrusted)?;
    bytes(signature).ok_or(Refusal::Untrusted)?;
    let key = (header.alg.as_str(), header.kid.as_deref());
    if header.crit.is_some() || !ring.has_signed(message, signature, key) {
        return Err(Refusal::Untrusted);
    }
    claims::check(&payload_bytes, ring, now)
}

/// What counts in a header (RFC 7515 section 4.1). Where it says a key can be found (`jwk`, `jku`, `x5c`, `x5u`) is not
/// looked at; what it says must be understood (`crit`) is not, whatever it is.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

/// A member that may be absent, but not `null`.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn part<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    object(&bytes(text)?)
}

/// A JSON object; serde would also take an array of its members.
pub(super) fn object<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
}

/// Canonical base64url without padding: one text for each content.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
