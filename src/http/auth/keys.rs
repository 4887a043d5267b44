//! The keys that tokens are checked with, each with its one algorithm.

use std::time::Duration;

pub use jsonwebtoken::Algorithm;
use jsonwebtoken::DecodingKey;
use secrecy::{ExposeSecret, SecretString};

/// What a [`super::Guard`] is made from. Nothing here is checked again: whoever reads the keys refuses weak ones.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The keys; without any, control routes are closed.
    pub keys: Vec<Key>,
    /// The `iss` that tokens must have.
    pub issuer: Option<String>,
    /// The `aud` that tokens must have, alone or among others.
    pub audience: Option<String>,
    /// The longest time from `iat` (or from now, without one) to `exp`.
    pub max_lifetime: Duration,
    /// How far the clock of whoever made a token may differ.
    pub leeway: Duration,
    /// Whether routes that only read need no token.
    pub public_reads: bool,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            issuer: None,
            audience: None,
            max_lifetime: Duration::from_secs(30 * 86_400),
            leeway: Duration::from_secs(30),
            public_reads: true,
        }
    }
}

/// One key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The `kid` of tokens made with it.
    pub kid: Option<String>,
    /// The only algorithm that it is used with.
    pub algorithm: Algorithm,
    /// The key itself.
    pub material: Material,
}

/// A key by its numbers, big-endian.
#[derive(Clone, Debug)]
pub enum Material {
    /// An HMAC secret; it signs as well.
    Secret(SecretString),
    /// A public RSA key.
    Rsa {
        /// Without leading zeros.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: Vec<u8>,
    },
    /// A public point of P-256 or P-384, uncompressed (SEC 1 section 2.3.3: `04`, x, y).
    Point(Vec<u8>),
    /// A public Ed25519 key, 32 bytes.
    Ed25519(Vec<u8>),
}

/// Keys, ready to be used.
pub(super) struct KeyRing {
    entries: Vec<Entry>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    /// In seconds, as is `leeway`.
    pub(super) max_lifetime: i64,
    pub(super) leeway: i64,
    pub(super) public_reads: bool,
}

struct Entry {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl From<Keys> for KeyRing {
    fn from(keys: Keys) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self {
            entries: keys.keys.iter().map(Entry::from).collect(),
            issuer: keys.issuer,
            audience: keys.audience,
            max_lifetime: seconds(keys.max_lifetime),
            leeway: seconds(keys.leeway),
            public_reads: keys.public_reads,
        }
    }
}

impl From<&Key> for Entry {
    fn from(key: &Key) -> Self {
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            key: match &key.material {
                Material::Secret(secret) => {
                    DecodingKey::from_secret(secret.expose_secret().as_bytes())
                }
                Material::Rsa { modulus, exponent } => {
                    DecodingKey::from_rsa_raw_components(modulus, exponent)
                }
                Material::Point(point) => DecodingKey::from_ec_der(point),
                Material::Ed25519(bytes) => DecodingKey::from_ed_der(bytes),
            },
        }
    }
}

impl KeyRing {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether one of the keys that a token with this `kid` can be meant for has signed `message`.
    pub(super) fn has_signed(
        &self,
        message: &str,
        signature: &str,
        (algorithm, kid): (&str, Option<&str>),
    ) -> bool {
        let name = |entry: &&Entry| format!("{:?}", entry.algorithm) == algorithm;
        let mut entries = self.meant(kid).filter(name);
        entries.any(|Entry { key, algorithm, .. }| {
            let verified =
                jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, *algorithm);
            verified.unwrap_or(false)
        })
    }

    /// A token that names a key is meant for that one only. One that names none is meant for the keys without a name, or
    /// for the only key that there is.
    fn meant<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a Entry> {
        let only = self.entries.len() == 1 && kid.is_none();
        let entries = self.entries.iter();
        entries.filter(move |entry| only || entry.kid.as_deref() == kid)
    }
}
