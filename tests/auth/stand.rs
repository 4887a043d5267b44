//! Keys, tokens made by hand, and a guard at a set time.

use actix_web::{http::header::AUTHORIZATION, test::TestRequest};
use actor_server::{
    actors::door::Door,
    clock::Clock,
    http::{
        Shared,
        auth::{Algorithm, Caller, Guard, Key, Keys, Material, Refusal},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

/// What time it is in these tests, in Unix seconds.
pub(crate) const NOW: i64 = 1_790_000_000;
/// The secret of [`only_secret`].
pub(crate) const SECRET: &str = "dGhpcyBpcyBvbmx5IGZvciB0ZXN0cywgbmV2ZXIgZm9yIHVzZQ";
/// Somebody else's.
pub(crate) const STRANGE: &str = "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkgY29uZmlndXJlZCE";

/// One HS256 key without a kid, as `API_JWT_SECRET` gives.
pub(crate) fn only_secret() -> Keys {
    with_keys(vec![secret(None, Algorithm::HS256, SECRET)])
}

pub(crate) fn with_keys(keys: Vec<Key>) -> Keys {
    Keys {
        keys,
        ..Keys::default()
    }
}

pub(crate) fn secret(kid: Option<&str>, algorithm: Algorithm, secret: &str) -> Key {
    Key {
        kid: kid.map(str::to_owned),
        algorithm,
        material: Material::Secret(secret.into()),
    }
}

/// A clock that stands at this moment, but for the time that the test takes.
pub(crate) fn clock_at(seconds: i64) -> Clock {
    let clock = Clock::database();
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    clock.heard(moment, tokio::time::Instant::now());
    clock
}

pub(crate) fn shared(guard: Guard) -> Shared {
    Shared {
        door: Door::default(),
        guard,
        signatures: Default::default(),
        metrics: Default::default(),
        press: Default::default(),
        clock: Clock::process(),
    }
}

/// What a guard says of a request with these `Authorization` headers.
pub(crate) fn verdict(keys: &Keys, headers: &[&str]) -> Result<Caller, Refusal> {
    let request = TestRequest::default();
    let request = headers.iter().fold(request, |request, value| {
        request.append_header((AUTHORIZATION, *value))
    });
    Guard::new(keys.clone(), clock_at(NOW)).caller(&request.to_http_request())
}

/// What it says of this token.
pub(crate) fn judged(keys: &Keys, token: &str) -> Result<Caller, Refusal> {
    verdict(keys, &[&format!("Bearer {token}")])
}

/// Claims that are good.
pub(crate) fn claims() -> Value {
    json!({"sub": "alice", "role": "operator", "exp": NOW + 3600})
}

/// Good claims with some replaced; `null` takes one away.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value.is_null() {
            true => claims.as_object_mut().unwrap().remove(name),
            false => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of these texts, whatever they are.
pub(crate) fn signed(
    header: &str,
    payload: &str,
    (algorithm, key): (Algorithm, &EncodingKey),
) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A token of this header and these claims with [`SECRET`] and HS256.
pub(crate) fn ours(header: &str, payload: &str) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    signed(header, payload, (Algorithm::HS256, &key))
}

/// The header that every library writes.
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A token with these claims.
pub(crate) fn token(claims: &Value) -> String {
    ours(HEADER, &claims.to_string())
}
