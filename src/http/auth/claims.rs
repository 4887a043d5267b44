//! What a token whose signature is good says of its bearer: required, typed, and in force now.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Caller, Refusal, Role,
    keys::KeyRing,
    token::{object, present},
};

/// The longest subject, in characters: it stands in logs and in the audit table.
const LONGEST_SUBJECT: usize = 256;

/// Of the registered claims (RFC 7519 section 4.1) those that are looked at; a claim that is there twice is refused.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    role: String,
    exp: i64,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    iss: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<Value>,
}

/// Who it is, if the claims hold at `now` (Unix seconds).
pub(super) fn check(payload: &[u8], ring: &KeyRing, now: i64) -> Result<Caller, Refusal> {
    let claims: Claims = object(payload).ok_or(Refusal::Claims)?;
    if !is_subject(&claims.sub) {
        return Err(Refusal::Claims);
    }
    let role = claims.role.parse::<Role>().map_err(|_| Refusal::Claims)?;
    in_force(&claims, ring, now)?;
    meant_for_us(&claims, ring)?;
    Ok(Caller {
        subject: claims.sub,
        role,
    })
}

fn in_force(claims: &Claims, ring: &KeyRing, now: i64) -> Result<(), Refusal> {
    let (earliest, latest) = (
        now.saturating_sub(ring.leeway),
        now.saturating_add(ring.leeway),
    );
    if claims.exp <= earliest {
        return Err(Refusal::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > latest) || claims.iat.is_some_and(|iat| iat > latest) {
        return Err(Refusal::Early);
    }
    // Without `iat` it may have been made a moment ago by a clock that is ahead.
    let since = claims.iat.unwrap_or(latest);
    match claims.exp.saturating_sub(since) > ring.max_lifetime {
        true => Err(Refusal::TooLasting),
        false => Ok(()),
    }
}

fn meant_for_us(claims: &Claims, ring: &KeyRing) -> Result<(), Refusal> {
    let is = |value: &Value, wanted: &str| value.as_str() == Some(wanted);
    let issuer = ring.issuer.as_deref();
    let issued = issuer.is_none_or(|issuer| claims.iss.as_ref().is_some_and(|it| is(it, issuer)));
    let audience = ring.audience.as_deref();
    let heard = audience.is_none_or(|audience| match &claims.aud {
        Some(Value::Array(many)) => {
            many.iter().all(Value::is_string) && many.iter().any(|one| is(one, audience))
        }
        Some(one) => is(one, audience),
        None => false,
    });
    match (issued, heard) {
        (true, true) => Ok(()),
        (false, _) => Err(Refusal::Issuer),
        (_, false) => Err(Refusal::Audience),
    }
}

/// Whether it can stand for somebody.
pub(super) fn is_subject(text: &str) -> bool {
    let length = text.chars().take(LONGEST_SUBJECT + 1).count();
    (1..=LONGEST_SUBJECT).contains(&length) && !text.chars().any(char::is_control)
}
