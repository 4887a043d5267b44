//! Keys from files, of every algorithm, by `kid`, and others at run time.

use std::path::Path;

use actix_web::{http::header::AUTHORIZATION, test::TestRequest};
use actor_server::{
    app::{self, BuiltInSkills},
    clock::Clock,
    config::{LoadInput, load},
    http::auth::{Algorithm, Guard, Keys, NewToken, Refusal, Role, Unsigned, sign},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::stand::{
    NOW, SECRET, STRANGE, claims, clock_at, encode, judged, only_secret, ours, secret, signed,
    with_keys,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auth/keys");

/// What a server with this `[auth]` section checks tokens with.
pub(crate) fn configured(auth: &str) -> Result<Keys, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, auth).unwrap();
    let input = LoadInput {
        file,
        database_url: None,
        discord_token: None,
        environment: &|_| None,
        skills: &BuiltInSkills::default(),
        now: Clock::process().now(),
    };
    let loaded = load(input).map_err(|problems| problems.to_string())?;
    Ok(app::keys(&loaded.settings.auth))
}

/// One key from a file of this folder.
pub(crate) fn from_files(algorithm: &str, key: &str, file: &str) -> Keys {
    let path = Path::new(FOLDER).join(file);
    configured(&format!(
        "[[auth.algorithm_keys]]\nalgorithm = \"{algorithm}\"\n{key} = \"{}\"\n",
        path.display()
    ))
    .unwrap()
}

fn private(name: &str) -> EncodingKey {
    let pem = std::fs::read(format!("{FOLDER}/{name}_private.pem")).unwrap();
    match name {
        "rsa" => EncodingKey::from_rsa_pem(&pem),
        "ed25519" => EncodingKey::from_ed_pem(&pem),
        _ => EncodingKey::from_ec_pem(&pem),
    }
    .unwrap()
}

const PAIRS: [(&str, &str, Algorithm); 9] = [
    ("RS256", "rsa", Algorithm::RS256),
    ("RS384", "rsa", Algorithm::RS384),
    ("RS512", "rsa", Algorithm::RS512),
    ("PS256", "rsa", Algorithm::PS256),
    ("PS384", "rsa", Algorithm::PS384),
    ("PS512", "rsa", Algorithm::PS512),
    ("ES256", "p256", Algorithm::ES256),
    ("ES384", "p384", Algorithm::ES384),
    ("EdDSA", "ed25519", Algorithm::EdDSA),
];

#[test]
fn each_public_key_checks_its_own_algorithm_only() {
    let tokens = PAIRS.map(|(name, key, algorithm)| {
        let header = json!({"alg": name}).to_string();
        signed(&header, &claims().to_string(), (algorithm, &private(key)))
    });
    for (name, key, _) in PAIRS {
        let keys = from_files(name, "pem_file", &format!("{key}.pem"));
        for ((other, ..), token) in PAIRS.iter().zip(&tokens) {
            assert_eq!(
                judged(&keys, token).is_ok(),
                *other == name,
                "{other} by {name}"
            );
        }
    }
}

/// The numbers of the keys of this folder, at the end of their DER.
fn jwks() -> String {
    let der = |name: &str| {
        let pem = std::fs::read_to_string(format!("{FOLDER}/{name}.pem")).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(body).unwrap()
    };
    let (rsa, point, ed) = (der("rsa"), der("p256"), der("ed25519"));
    let xy = &point[point.len() - 64..];
    let modulus = &rsa[rsa.len() - 261..rsa.len() - 5];
    json!({"keys": [
        {"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": encode(modulus), "e": "AQAB"},
        {"kty": "RSA", "kid": "encryption", "use": "enc", "n": encode(modulus), "e": "AQAB"},
        {"kty": "EC", "kid": "e", "crv": "P-256", "x": encode(&xy[..32]), "y": encode(&xy[32..])},
        {"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": encode(&ed[ed.len() - 32..])},
        {"kty": "new", "kid": "from the future"},
    ]})
    .to_string()
}

#[test]
fn a_key_set_gives_its_keys_for_the_algorithm_by_kid() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, jwks()).unwrap();
    let entry = |algorithm| {
        format!(
            "[[auth.algorithm_keys]]\nalgorithm = \"{algorithm}\"\njwks_file = \"{}\"\n",
            file.display()
        )
    };
    let keys = configured(&[entry("RS256"), entry("ES256"), entry("EdDSA")].concat()).unwrap();
    assert_eq!(keys.keys.len(), 3);
    for (name, key, kid, algorithm) in [
        ("RS256", "rsa", "r", Algorithm::RS256),
        ("ES256", "p256", "e", Algorithm::ES256),
        ("EdDSA", "ed25519", "o", Algorithm::EdDSA),
    ] {
        let with = |kid| {
            let header = json!({"alg": name, "kid": kid}).to_string();
            let token = signed(&header, &claims().to_string(), (algorithm, &private(key)));
            judged(&keys, &token)
        };
        assert!(with(Some(kid)).is_ok(), "{name}");
        for other in ["encryption", "from the future", "R", ""] {
            assert_eq!(with(Some(other)), Err(Refusal::Untrusted), "{other}");
        }
    }
}

fn of(kid: Option<&str>, secret: &str) -> String {
    let mut header = json!({"alg": "HS256"});
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    signed(
        &header.to_string(),
        &claims().to_string(),
        (Algorithm::HS256, &key),
    )
}

#[test]
fn a_token_is_checked_with_the_key_that_it_names() {
    let hs = Algorithm::HS256;
    let keys = with_keys(vec![
        secret(None, hs, SECRET),
        secret(Some("new"), hs, STRANGE),
    ]);
    assert!(judged(&keys, &of(None, SECRET)).is_ok());
    assert!(judged(&keys, &of(Some("new"), STRANGE)).is_ok());
    for (kid, secret) in [
        (None, STRANGE),
        (Some("new"), SECRET),
        (Some("old"), SECRET),
        (Some(""), SECRET),
    ] {
        assert_eq!(
            judged(&keys, &of(kid, secret)),
            Err(Refusal::Untrusted),
            "{kid:?}"
        );
    }
    let only = with_keys(vec![secret(Some("new"), hs, SECRET)]);
    assert!(
        judged(&only, &of(None, SECRET)).is_ok(),
        "there is only one that it can be meant for"
    );
    assert!(judged(&only_secret(), &of(Some("new"), SECRET)).is_err());
}

#[test]
fn keys_are_exchanged_while_the_server_runs() {
    let guard = Guard::new(only_secret(), clock_at(NOW));
    let listener = guard.clone();
    let ask = |token: &str| {
        let request =
            TestRequest::default().insert_header((AUTHORIZATION, format!("Bearer {token}")));
        listener.caller(&request.to_http_request())
    };
    let (old, new) = (of(None, SECRET), of(Some("new"), STRANGE));
    assert!(ask(&old).is_ok() && ask(&new).is_err());
    guard.replace(with_keys(vec![secret(
        Some("new"),
        Algorithm::HS256,
        STRANGE,
    )]));
    assert!(ask(&old).is_err() && ask(&new).is_ok());
    guard.replace(Keys::default());
    assert_eq!(ask(&new), Err(Refusal::Closed));
}

fn wish(kid: Option<&str>, ttl: i64) -> NewToken {
    NewToken {
        subject: "alice".into(),
        role: Role::Admin,
        ttl,
        kid: kid.map(str::to_owned),
    }
}

#[test]
fn a_token_that_is_signed_here_is_good_here() {
    let hs = Algorithm::HS512;
    let mut keys = with_keys(vec![
        secret(None, Algorithm::HS256, SECRET),
        secret(Some("new"), hs, &SECRET.repeat(2)),
    ]);
    keys.issuer = Some("us".into());
    keys.audience = Some("bots".into());
    let now = chrono::DateTime::from_timestamp(NOW, 0).unwrap();
    let named = sign(&keys, &wish(Some("new"), 3_600), now).unwrap();
    let caller = judged(&keys, &named).unwrap();
    assert_eq!(
        (caller.subject.as_str(), caller.role),
        ("alice", Role::Admin)
    );
    let refused = |wish: &NewToken| sign(&keys, wish, now).unwrap_err();
    assert!(matches!(refused(&wish(None, 60)), Unsigned::Several(_)));
    assert!(matches!(
        refused(&wish(Some("x"), 60)),
        Unsigned::UnknownKid(..)
    ));
    assert!(matches!(
        refused(&wish(Some("new"), 2_592_001)),
        Unsigned::TooLasting(..)
    ));
    let without = from_files("ES256", "pem_file", "p256.pem");
    assert_eq!(sign(&without, &wish(None, 60), now), Err(Unsigned::NoKey));
    let longest = sign(&only_secret(), &wish(None, 2_592_000), now).unwrap();
    assert!(judged(&only_secret(), &longest).is_ok());
}

#[test]
fn a_header_that_says_more_than_is_needed_is_no_harm() {
    let header =
        r#"{"alg":"HS256","typ":"at+jwt","cty":"x","jku":"http://127.0.0.1:1/","x":{"y":[1]}}"#;
    assert!(judged(&only_secret(), &ours(header, &claims().to_string())).is_ok());
}
