//! Files of public keys: read with the configuration, so that a broken one is found before the server starts.

use actor_server::config::{Algorithm, KeyNumbers, KeySettings};
use serde_json::{Value, json};

use super::support::{folder, load_in, write};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config_loading/keys");

/// The keys of a server file with this entry, or its problems.
fn read(algorithm: &str, key: &str, path: &str) -> Result<Vec<KeySettings>, String> {
    let entry = format!(
        "[[auth.algorithm_keys]]\nkid = \"k\"\nalgorithm = \"{algorithm}\"\n{key} = \"{path}\"\n"
    );
    let entry = match key {
        "jwks_file" => entry.replace("kid = \"k\"\n", ""),
        _ => entry,
    };
    let loaded = load_in(&folder(&entry), &[]);
    loaded
        .map(|loaded| loaded.settings.auth.keys)
        .map_err(|problems| problems.to_string())
}

fn pem(algorithm: &str, name: &str) -> Result<Vec<KeySettings>, String> {
    read(algorithm, "pem_file", &format!("{FOLDER}/{name}.pem"))
}

fn text_as(name: &str, algorithm: &str, key: &str, text: &str) -> Result<Vec<KeySettings>, String> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, name, text);
    read(
        algorithm,
        key,
        &folder.path().join(name).display().to_string(),
    )
}

#[test]
fn keys_of_every_kind_are_read_from_pem() {
    for (algorithm, name) in [
        ("RS256", "rsa2048"),
        ("PS512", "rsa2048"),
        ("RS384", "rsa2048_pkcs1"),
        ("ES256", "p256"),
        ("ES384", "p384"),
        ("EdDSA", "ed25519"),
    ] {
        let keys = pem(algorithm, name).unwrap();
        assert_eq!(keys[0].public.len(), 1, "{name}");
        assert_eq!(keys[0].public[0].kid.as_deref(), Some("k"));
    }
    let numbers = |name| pem("RS256", name).unwrap()[0].public[0].numbers.clone();
    assert_eq!(numbers("rsa2048"), numbers("rsa2048_pkcs1"));
    let KeyNumbers::Rsa { modulus, exponent } = numbers("rsa2048") else {
        panic!("an RSA key");
    };
    assert_eq!((modulus.len(), exponent.as_slice()), (256, &[1, 0, 1][..]));
}

#[test]
fn a_key_that_does_not_fit_or_is_weak_is_a_problem() {
    for (algorithm, name, said) in [
        (
            "RS256",
            "rsa1024",
            "an RSA key of 1024 bits, at least 2048 are needed",
        ),
        (
            "RS256",
            "p256",
            "holds a key of the curve P-256, but RS256 needs an RSA key",
        ),
        (
            "ES256",
            "rsa2048",
            "holds an RSA key, but ES256 needs a key of the curve P-256",
        ),
        ("ES256", "p384", "but ES256 needs a key of the curve P-256"),
        ("ES384", "ed25519", "holds an Ed25519 key, but ES384"),
        ("EdDSA", "p256", "but EdDSA needs an Ed25519 key"),
        ("ES384", "p521", "another curve"),
        ("ES256", "p256_compressed", "compressed point"),
        ("EdDSA", "certificate", "is a certificate"),
    ] {
        let problems = pem(algorithm, name).unwrap_err();
        assert!(problems.contains(said), "{problems}");
        assert!(
            problems.contains("auth.algorithm_keys[0].pem_file: "),
            "{problems}"
        );
    }
}

#[test]
fn a_file_that_holds_something_else_is_a_problem() {
    let good = std::fs::read_to_string(format!("{FOLDER}/p256.pem")).unwrap();
    let private = good.replace("PUBLIC KEY", "PRIVATE KEY");
    let encrypted = good.replace("PUBLIC KEY", "ENCRYPTED PRIVATE KEY");
    let cases = [
        (String::new(), "is no PEM file"),
        ("hello".into(), "is no PEM file"),
        (private, "holds a private key"),
        (encrypted, "holds a private key"),
        (good.repeat(2), "holds several keys"),
        (good.replace("-----END PUBLIC KEY-----", ""), "broken PEM"),
        (good.replace("END PUBLIC", "END RSA PUBLIC"), "broken PEM"),
        (good.replacen("MFk", "MFl", 1), "broken PEM"),
        (good.replacen("MFk", "!!!", 1), "broken PEM"),
        (
            good.replace("PUBLIC KEY", "OPENSSH KEY"),
            "holds `OPENSSH KEY`",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----".into(),
            "broken PEM",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMIT/////\n-----END PUBLIC KEY-----".into(),
            "broken PEM",
        ),
        ("x".repeat(2 << 20), "larger than 1 MiB"),
    ];
    for (text, said) in cases {
        let problems = text_as("key.pem", "ES256", "pem_file", &text).unwrap_err();
        assert!(problems.contains(said), "{said}: {problems:.300}");
    }
    for (path, said) in [
        ("/nowhere.pem", "there is no file"),
        ("/tmp", "is a directory"),
    ] {
        let problems = read("ES256", "pem_file", path).unwrap_err();
        assert!(problems.contains(said), "{problems}");
    }
}

fn curve_key(kid: Value) -> Value {
    let half = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": half, "y": half})
}

#[test]
fn a_broken_key_set_is_a_problem() {
    let set = |keys: &[Value]| json!({"keys": keys}).to_string();
    let key = |changes: Value| {
        let mut key = curve_key(json!("a"));
        key.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        key
    };
    let cases = [
        (String::new(), "is no JSON web key set (line 1"),
        ("[]".into(), "is no JSON web key set"),
        ("{}".into(), "is no JSON web key set"),
        (
            set(&[]),
            "holds no key for ES256; it needs a key of the curve P-256",
        ),
        (set(&[key(json!({"use": "enc"}))]), "holds no key for ES256"),
        (
            set(&[key(json!({"alg": "ES384"}))]),
            "holds no key for ES256",
        ),
        (set(&[curve_key(json!(null))]), "a key without a `kid`"),
        (set(&[curve_key(json!(""))]), "a key without a `kid`"),
        (
            set(&[curve_key(json!("a")), curve_key(json!("a"))]),
            "another key has this `kid` (a)",
        ),
        (
            set(&[key(json!({"d": "AAAA"}))]),
            "holds private or secret keys",
        ),
        (
            set(&[key(json!({})), json!({"kty": "oct", "k": "AAAA"})]),
            "holds private or secret keys",
        ),
        (
            set(&[key(json!({"x": "AAAA"}))]),
            "holds a broken key (`a`)",
        ),
        (set(&[key(json!({"x": "!!"}))]), "holds a broken key (`a`)"),
    ];
    for (text, said) in cases {
        let problems = text_as("jwks.json", "ES256", "jwks_file", &text).unwrap_err();
        assert!(problems.contains(said), "{said}: {problems}");
    }
    let short = json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"});
    let problems = text_as("jwks.json", "RS256", "jwks_file", &set(&[short])).unwrap_err();
    assert!(
        problems.contains("of 17 bits, at least 2048 are needed"),
        "{problems}"
    );
}

#[test]
fn of_a_key_set_those_for_the_algorithm_are_taken() {
    let text = json!({"keys": [
        curve_key(json!("a")), {"kty": "RSA", "kid": "r"}, {"kty": "new"}, curve_key(json!("b")),
    ]});
    let keys = text_as("jwks.json", "ES256", "jwks_file", &text.to_string()).unwrap();
    let kids: Vec<_> = keys[0]
        .public
        .iter()
        .map(|key| key.kid.as_deref().unwrap())
        .collect();
    assert_eq!(
        (kids, keys[0].algorithm),
        (vec!["a", "b"], Algorithm::ES256)
    );
}

#[test]
fn a_secret_is_as_long_as_the_digest_of_its_algorithm() {
    let long = "dGhpcyBpcyBvbmx5IGZvciB0ZXN0cywgbmV2ZXIgZm9yIHVzZSwgYW5kIGxvbmcgZW5vdWdo";
    for (algorithm, least) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        assert!(read(algorithm, "secret", &long[..least]).is_ok());
        let problems = read(algorithm, "secret", &long[..least - 1]).unwrap_err();
        assert!(
            problems.contains(&format!("at least {least} are needed")),
            "{problems}"
        );
        assert!(!problems.contains(&long[..20]), "{problems}");
    }
}
