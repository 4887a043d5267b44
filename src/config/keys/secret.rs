//! HMAC secrets: long enough for their algorithm, and nobody's sample.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;

use super::Algorithm;
use crate::config::item::Item;

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

/// What only a text says that is to be replaced, without what stands between its words. Chance does not write them.
const PLACEHOLDERS: [&str; 9] = [
    "changeme",
    "changethis",
    "changeit",
    "changeinproduction",
    "replaceme",
    "replacethis",
    "yoursecret",
    "yoursuper",
    "yourjwt",
];

/// A secret that is long enough; an empty one is none.
pub(crate) fn secret(item: &Item<'_>, algorithm: Algorithm) -> Option<SecretString> {
    let text = item.string().filter(|text| !text.is_empty())?;
    match strong(&text, algorithm) {
        Ok(()) => Some(text.into()),
        Err(message) => {
            item.problem(message);
            None
        }
    }
}

/// Whether a secret is as long as the digest of its algorithm (RFC 7518 section 3.2), in bytes, and no sample; says nothing of its content.
pub(crate) fn strong(secret: &str, algorithm: Algorithm) -> Result<(), String> {
    let shortest = match algorithm {
        Algorithm::HS512 => 64,
        Algorithm::HS384 => 48,
        _ => 32,
    };
    let hint = "use a random one, such as from `openssl rand -base64 64`";
    if secret.len() < shortest {
        let n = secret.len();
        return Err(format!(
            "is {n} bytes long, at least {shortest} are needed; {hint}"
        ));
    }
    let different: HashSet<char> = secret.chars().collect();
    if is_sample(secret) || different.len() < 8 {
        return Err(format!("is a well-known sample or nearly one; {hint}"));
    }
    Ok(())
}

/// What webhooks are signed with (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64, or a text that is good enough
/// for HMAC-SHA256. An empty one is none.
pub(crate) fn webhook_secret(text: &str) -> Result<Option<SecretString>, String> {
    let Some(encoded) = text.strip_prefix("whsec_") else {
        return match text {
            "" => Ok(None),
            text => strong(text, Algorithm::HS256).map(|()| Some(text.into())),
        };
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| {
        "has no base64 behind `whsec_`; use `whsec_` and 24 to 64 random bytes in base64".to_owned()
    })?;
    match bytes.len() {
        24..=64 => Ok(Some(text.into())),
        n => Err(format!(
            "has {n} bytes behind `whsec_`, 24 to 64 are needed; use a random one, such as from `openssl rand -base64 32`"
        )),
    }
}

fn is_sample(secret: &str) -> bool {
    let text = secret.to_lowercase();
    let words: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let placeholder = PLACEHOLDERS.iter().any(|phrase| words.contains(phrase));
    placeholder || SAMPLES.contains(&text.replace('_', "-").as_str())
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
            "your-super-secret-jwt-key-change-in-production",
            "My_Jwt_Secret_CHANGE_ME_0123456789abcdef",
        ] {
            assert!(strong(weak, Algorithm::HS256).is_err(), "{weak}");
        }
        let good = "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIGluIHVzZSE=";
        assert!(strong(good, Algorithm::HS256).is_ok());
        assert!(strong(good, Algorithm::HS384).is_err(), "too short for it");
    }
}
