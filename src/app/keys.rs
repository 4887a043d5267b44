//! From `[auth]` to what the HTTP scope checks tokens with, and tokens made from it.

use crate::{
    clock::Clock,
    config::{self, AuthSettings, KeyMaterial, KeyNumbers, KeySettings},
    http::auth::{Algorithm, Key, Keys, Material, NewToken, Unsigned, sign},
};

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
