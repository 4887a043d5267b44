//! From `[auth]` to what the HTTP scope checks tokens with, and tokens made from it.

use std::sync::Arc;

use super::{
    AppError,
    configuration::{AcceptKeys, PrepareKeys},
};
use crate::{
    clock::Clock,
    config::{self, AuthSettings, KeyMaterial, KeyNumbers, KeySettings},
    http::auth::{
        Algorithm, Guard, Key, Keys, Material, NewToken, Unsigned, sign, signature::Signatures,
    },
};

/// What lets callers in; a reload puts other keys into force.
#[derive(Clone)]
pub(super) struct Locks {
    /// By token.
    pub(super) guard: Guard,
    /// By signature, for events.
    pub(super) signatures: Signatures,
}

impl Locks {
    /// The locks of these settings.
    pub(super) fn new(auth: &AuthSettings) -> Result<Self, AppError> {
        let signatures = Signatures::new(auth.events_secret.as_ref()).map_err(AppError::Build)?;
        let guard = Guard::new(keys(auth), Clock::process());
        Ok(Self { guard, signatures })
    }

    /// How a reload changes them.
    pub(super) fn prepare(&self) -> PrepareKeys {
        let locks = self.clone();
        Arc::new(move |auth| {
            let (locks, keys, secret) = (locks.clone(), keys(auth), auth.events_secret.clone());
            Signatures::new(secret.as_ref()).map_err(|problem| vec![problem])?;
            let accept: AcceptKeys = Box::new(move || {
                locks.guard.replace(keys);
                if let Err(problem) = locks.signatures.replace(secret.as_ref()) {
                    tracing::error!(problem, "the key of events stays as it was");
                }
            });
            Ok(accept)
        })
    }
}

/// The keys and rules of these settings.
#[must_use]
pub fn keys(auth: &AuthSettings) -> Keys {
    Keys {
        keys: auth.keys.iter().flat_map(each).collect(),
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        max_lifetime: auth.max_lifetime,
        leeway: auth.leeway,
        public_reads: auth.public_reads,
    }
}

/// Signs a token that a server with these settings accepts.
///
/// # Errors
/// See [`Unsigned`].
pub fn token(auth: &AuthSettings, new: &NewToken) -> Result<String, Unsigned> {
    sign(&keys(auth), new, Clock::process().now())
}

fn each(settings: &KeySettings) -> Vec<Key> {
    let algorithm = algorithm(settings.algorithm);
    if let KeyMaterial::Secret(secret) = &settings.material {
        return vec![Key {
            kid: settings.kid.clone(),
            algorithm,
            material: Material::Secret(secret.clone()),
        }];
    }
    let public = settings.public.iter().map(|key| Key {
        kid: key.kid.clone(),
        algorithm,
        material: material(&key.numbers),
    });
    public.collect()
}

fn material(numbers: &KeyNumbers) -> Material {
    match numbers.clone() {
        KeyNumbers::Rsa { modulus, exponent } => Material::Rsa { modulus, exponent },
        KeyNumbers::Point(point) => Material::Point(point),
        KeyNumbers::Ed25519(bytes) => Material::Ed25519(bytes.to_vec()),
    }
}

const fn algorithm(algorithm: config::Algorithm) -> Algorithm {
    match algorithm {
        config::Algorithm::HS256 => Algorithm::HS256,
        config::Algorithm::HS384 => Algorithm::HS384,
        config::Algorithm::HS512 => Algorithm::HS512,
        config::Algorithm::RS256 => Algorithm::RS256,
        config::Algorithm::RS384 => Algorithm::RS384,
        config::Algorithm::RS512 => Algorithm::RS512,
        config::Algorithm::PS256 => Algorithm::PS256,
        config::Algorithm::PS384 => Algorithm::PS384,
        config::Algorithm::PS512 => Algorithm::PS512,
        config::Algorithm::ES256 => Algorithm::ES256,
        config::Algorithm::ES384 => Algorithm::ES384,
        config::Algorithm::EdDSA => Algorithm::EdDSA,
    }
}
