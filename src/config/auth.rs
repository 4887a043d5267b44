//! `[auth]`: keys of tokens and of events. No default secret exists, and weak ones are refused.

use std::{collections::HashSet, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{
    item::Item,
    problem::Report,
    sections::TEN_YEARS,
    settings::{Algorithm, AuthSettings, KeyMaterial, KeySettings},
    source::cannot_read,
    table::Table,
    variables::{Variables, in_environment},
};

/// The shortest HMAC secret, in bytes (RFC 7518 section 3.2 for HS256).
const SHORTEST_SECRET: usize = 32;

/// Secrets of documentation and tutorials, beyond those that repeat themselves.
const SAMPLES: [&str; 10] = [
    "a-string-secret-at-least-256-bits-long",
    "your-256-bit-secret-your-256-bit-secret",
    "your-super-secret-jwt-key-change-this-in-production",
    "your-secret-key-change-in-production",
    "your-secret-key-change-this-in-production",
    "your-super-secret-key-change-in-production",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "change-me-change-me-change-me-change-me",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "0123456789abcdef0123456789abcdef",
];

const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// `[auth]`, without what the environment adds.
pub(super) fn auth(table: &Table<'_>) -> AuthSettings {
    let default = AuthSettings::default();
    let text = |key| table.string(key).filter(|text| !text.is_empty());
    AuthSettings {
        public_reads: table
            .boolean("public_reads")
            .unwrap_or(default.public_reads),
        keys: keys(table),
        issuer: text("issuer"),
        audience: text("audience"),
        max_lifetime: table
            .seconds("max_lifetime_seconds", 1..=TEN_YEARS)
            .unwrap_or(default.max_lifetime),
        leeway: table
            .seconds("leeway_seconds", 0..=3_600)
            .unwrap_or(default.leeway),
        events_secret: table.get("events_secret").and_then(|item| secret(&item)),
    }
}

/// Adds `API_JWT_SECRET`.
pub(super) fn add_environment(auth: &mut AuthSettings, variables: &Variables<'_>, report: &Report) {
    let name = "API_JWT_SECRET";
    let Some(secret) = variables.secret(name, report) else {
        return;
    };
    match strong(secret.expose_secret()) {
        Err(message) => report.problem(in_environment(name, message)),
        Ok(()) => auth.keys.push(KeySettings {
            kid: None,
            algorithm: Algorithm::HS256,
            material: KeyMaterial::Secret(secret),
        }),
    }
}

fn keys(table: &Table<'_>) -> Vec<KeySettings> {
    let mut kids = HashSet::new();
    let items = table.get("algorithm_keys").and_then(|item| item.array());
    let tables = items.iter().flatten().filter_map(Item::table);
    tables.filter_map(|table| key(&table, &mut kids)).collect()
}

fn key(table: &Table<'_>, kids: &mut HashSet<Option<String>>) -> Option<KeySettings> {
    let kid = kid(table, kids);
    let algorithm = table.need(
        "algorithm",
        "one of HS256, RS256, PS256, ES256, EdDSA and so on",
    );
    let algorithm = algorithm.and_then(|item| item.choice(&ALGORITHMS));
    let material = material(table);
    table.finish();
    let (algorithm, material) = (algorithm?, material?);
    if algorithm.is_hmac() != matches!(material, KeyMaterial::Secret(_)) {
        table.problem_at("algorithm", fitting(algorithm).into());
        return None;
    }
    Some(KeySettings {
        kid,
        algorithm,
        material,
    })
}

fn kid(table: &Table<'_>, kids: &mut HashSet<Option<String>>) -> Option<String> {
    let kid = table.string("kid").filter(|kid| !kid.is_empty());
    if !kids.insert(kid.clone()) {
        let what = kid.as_deref().unwrap_or("none");
        let message = format!("another key has this `kid` ({what}); give each its own");
        table.problem_at("kid", message);
    }
    kid
}

fn fitting(algorithm: Algorithm) -> &'static str {
    match algorithm.is_hmac() {
        true => "an HS algorithm takes a `secret`, not a file of public keys",
        false => "this algorithm takes `pem_file` or `jwks_file`, not a `secret`",
    }
}

fn material(table: &Table<'_>) -> Option<KeyMaterial> {
    let secret_item = table.get("secret");
    let (pem, jwks) = (table.get("pem_file"), table.get("jwks_file"));
    match (secret_item, pem, jwks) {
        (Some(item), None, None) => secret(&item).map(KeyMaterial::Secret),
        (None, Some(item), None) => item.parse(existing_file).map(KeyMaterial::PemFile),
        (None, None, Some(item)) => item.parse(existing_file).map(KeyMaterial::JwksFile),
        _ => {
            let message = "give exactly one of `secret`, `pem_file` and `jwks_file`";
            table.problem_at("", message.into());
            None
        }
    }
}

fn existing_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match std::fs::metadata(&path) {
        Ok(data) if data.is_dir() => Err(format!("`{text}` is a directory; name a file")),
        Ok(_) => Ok(path),
        Err(error) => Err(cannot_read(&path, &error)),
    }
}

/// A secret that is long enough; an empty one is none.
fn secret(item: &Item<'_>) -> Option<SecretString> {
    let text = item.string().filter(|text| !text.is_empty())?;
    match strong(&text) {
        Ok(()) => Some(text.into()),
        Err(message) => {
            item.problem(message);
            None
        }
    }
}

/// Whether a secret is worth the name; says nothing of its content.
fn strong(secret: &str) -> Result<(), String> {
    let hint = "use a random one, such as from `openssl rand -base64 48`";
    if secret.len() < SHORTEST_SECRET {
        let n = secret.len();
        return Err(format!(
            "is {n} bytes long, at least {SHORTEST_SECRET} are needed; {hint}"
        ));
    }
    let different: HashSet<char> = secret.chars().collect();
    let known = SAMPLES.contains(&secret.to_lowercase().replace('_', "-").as_str());
    if known || different.len() < 8 {
        return Err(format!("is a well-known sample or nearly one; {hint}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_known_and_monotonous_secrets_are_refused() {
        for weak in [
            "short",
            "a-string-secret-at-least-256-bits-long",
            &"ab".repeat(40),
        ] {
            assert!(strong(weak).is_err(), "{weak}");
        }
        assert!(strong("Zm9yIHRlc3RzIG9ubHksIG5ldmVyIGluIHVzZSE=").is_ok());
    }
}
