//! Tokens that are forged, broken or odd. Each one is refused with 401, and its refusal says nothing of the keys.

use actor_server::http::{
    auth::{Algorithm, Key, Keys, Material, Refusal},
    error::Problem,
};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::stand::{
    HEADER, NOW, SECRET, STRANGE, claims, claims_with, encode, judged, only_secret, ours, secret,
    signed, token, with_keys,
};

const PUBLIC_PEM: &str = include_str!("keys/rsa.pem");

/// A name, the token, and whether it is about claims of a token that is signed well.
type Forgery = (String, String, bool);

fn untrusted(name: impl Into<String>, token: impl Into<String>) -> Forgery {
    (name.into(), token.into(), false)
}

fn algorithms() -> Vec<Forgery> {
    let payload = claims().to_string();
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " ",
        "HS256 ",
        "hs256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "HS1",
        "HS257",
        "dir",
        "A128KW",
        "RSA-OAEP",
        "null",
        "HS256\u{0}",
        "ＨＳ256",
    ];
    let mut all = Vec::new();
    for name in names {
        let header = json!({"alg": name, "typ": "JWT"}).to_string();
        all.push(untrusted(
            format!("alg {name}, signed"),
            ours(&header, &payload),
        ));
        let bare = format!("{}.{}.", encode(&header), encode(&payload));
        all.push(untrusted(format!("alg {name}, unsigned"), bare));
    }
    for odd in ["null", "1", "[\"HS256\"]", "{\"HS256\":1}", "true"] {
        let header = format!(r#"{{"alg":{odd},"typ":"JWT"}}"#);
        all.push(untrusted(format!("alg {odd}"), ours(&header, &payload)));
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let header = format!(r#"{{"alg":"{algorithm:?}"}}"#);
        let other = signed(&header, &payload, (algorithm, &key));
        all.push(untrusted(format!("our secret with {algorithm:?}"), other));
        let lying = signed(HEADER, &payload, (algorithm, &key));
        all.push(untrusted(format!("{algorithm:?} that says HS256"), lying));
    }
    all
}

fn secrets() -> Vec<Forgery> {
    let payload = claims().to_string();
    let secrets = [
        "",
        "secret",
        "a-string-secret-at-least-256-bits-long",
        STRANGE,
        PUBLIC_PEM,
        PUBLIC_PEM.trim(),
        "null",
        "\0",
        &SECRET[1..],
        &SECRET.to_lowercase(),
        &format!("{SECRET} "),
        &format!("{SECRET}\n"),
    ];
    let forged = secrets.map(|secret| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let token = signed(HEADER, &payload, (Algorithm::HS256, &key));
        untrusted(format!("signed with `{secret}`"), token)
    });
    forged.into()
}

fn signatures() -> Vec<Forgery> {
    let good = token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let last = signature.chars().last().unwrap();
    let head = &signature[..signature.len() - 1];
    let mut all: Vec<Forgery> = (0..signature.len())
        .step_by(4)
        .map(|at| {
            untrusted(
                format!("signature cut at {at}"),
                format!("{message}.{}", &signature[..at]),
            )
        })
        .collect();
    for odd in [
        "=", "==", "A", "AA", "AAAA", "%3D", " ", ".", ".A", "\u{e9}", "+", "/",
    ] {
        all.push(untrusted(
            format!("signature and `{odd}`"),
            format!("{good}{odd}"),
        ));
    }
    // A second text for the same bytes: the last character has bits to spare.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|c| *c != last).step_by(2) {
        all.push(untrusted(
            format!("last character {other}"),
            format!("{message}.{head}{other}"),
        ));
    }
    for (at, byte) in [(0, "A"), (9, "B"), (20, "_")] {
        let mut changed = signature.to_owned();
        let byte = if &signature[at..=at] == byte {
            "z"
        } else {
            byte
        };
        changed.replace_range(at..=at, byte);
        all.push(untrusted(
            format!("signature changed at {at}"),
            format!("{message}.{changed}"),
        ));
    }
    all
}

fn shapes() -> Vec<Forgery> {
    let good = token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts");
    };
    let admin = encode(claims_with(json!({"role": "admin"})).to_string());
    let shapes = [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a.b.c".into(),
        "null".into(),
        header.into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{payload}.{header}.{signature}"),
        format!("{header}.{admin}.{signature}"),
        format!("{good}.{signature}"),
        format!("{good}.{good}"),
        format!(".{good}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!(" {good}"),
        format!("{good} x"),
        format!("\"{good}\""),
        format!("Bearer {good}"),
        format!("{good},{good}"),
        format!("{good};{good}"),
        good.to_uppercase(),
        good.replace('.', ".."),
        good.replace('.', "%2E"),
        good.chars().rev().collect(),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}\t.{payload}.{signature}"),
        r#"{"alg":"HS256"}.{"sub":"alice"}.x"#.into(),
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#),
    ];
    let numbered = shapes.into_iter().enumerate();
    numbered
        .map(|(n, shape)| untrusted(format!("shape {n}"), shape))
        .collect()
}

fn headers() -> Vec<Forgery> {
    let payload = claims().to_string();
    let key = json!({"kty": "oct", "k": encode(STRANGE)});
    let headers = [
        json!({"alg": "HS256", "crit": ["exp"], "exp": NOW}),
        json!({"alg": "HS256", "crit": []}),
        json!({"alg": "HS256", "crit": null}),
        json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
        json!({"alg": "HS256", "kid": "other"}),
        json!({"alg": "HS256", "kid": ""}),
        json!({"alg": "HS256", "kid": null}),
        json!({"alg": "HS256", "kid": 1}),
        json!({"alg": "HS256", "kid": ["a"]}),
        json!({"alg": "HS256", "kid": "../../dev/null"}),
        json!({"alg": "HS256", "kid": "' OR 1=1 --"}),
        json!({"alg": "HS256", "kid": "x".repeat(2_000)}),
        json!({"typ": "JWT"}),
        json!({}),
        json!([]),
        json!("HS256"),
        json!(null),
        json!(1),
        json!(["HS256"]),
    ];
    let mut all: Vec<Forgery> = headers
        .iter()
        .map(|header| {
            untrusted(
                format!("header {header:.40}"),
                ours(&header.to_string(), &payload),
            )
        })
        .collect();
    for text in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"HS256""#,
        r#"{"alg":"HS256"}x"#,
        r#"{alg:"HS256"}"#,
        "{'alg':'HS256'}",
        "\u{feff}{\"alg\":\"HS256\"}",
        "",
    ] {
        all.push(untrusted(format!("header {text}"), ours(text, &payload)));
    }
    // Keys that a token brings along count for nothing.
    for member in ["jwk", "jku", "x5u", "x5c"] {
        let header = json!({"alg": "HS256", member: key}).to_string();
        let strange = EncodingKey::from_secret(STRANGE.as_bytes());
        let token = signed(&header, &payload, (Algorithm::HS256, &strange));
        all.push(untrusted(format!("with its own {member}"), token));
    }
    all
}

fn typed_claims() -> Vec<Forgery> {
    let long = "x".repeat(257);
    let texts =
        |name: &'static str, values: Vec<Value>| values.into_iter().map(move |value| (name, value));
    let (huge, deep) = (json!(1e300), json!({"a": {"b": ["operator"]}}));
    let roles = [
        json!("Operator"),
        json!("ADMIN"),
        json!("root"),
        json!(""),
        json!(" admin"),
        json!("admin "),
        json!("admin\0"),
        json!("аdmin"),
        json!("ａｄｍｉｎ"),
        json!("admin\u{200b}"),
        json!("superuser"),
        json!("admin,operator"),
        json!(["admin"]),
        json!([]),
        json!({"admin": null}),
        json!({"role": "admin"}),
        json!(true),
        json!(0),
        json!(2),
        json!(null),
        deep.clone(),
    ];
    let subjects = [
        json!(""),
        json!(1),
        json!(["alice"]),
        json!({}),
        json!(true),
        json!(long),
        json!("a\nb"),
        json!("a\0"),
        json!("\u{7f}"),
        json!("a\u{85}b"),
    ];
    let numbers = [
        json!((NOW + 60).to_string()),
        json!(""),
        json!("never"),
        json!([NOW + 60]),
        json!({}),
        json!(true),
        huge,
        json!(1.5),
        json!(NOW as f64 + 60.5),
        deep,
        json!("2099-01-01T00:00:00Z"),
        json!(u64::MAX),
    ];
    let all = texts("role", roles.into())
        .chain(texts("sub", subjects.into()))
        .chain(texts("exp", numbers.to_vec()))
        .chain(texts("nbf", numbers.to_vec()))
        .chain(texts("iat", numbers.to_vec()));
    let typed = all.map(|(name, value)| {
        let mut claims = claims();
        claims[name] = value.clone();
        (format!("{name} {value:.40}"), token(&claims), true)
    });
    let missing = ["sub", "role", "exp"];
    let missing = missing.map(|name| {
        (
            format!("no {name}"),
            token(&claims_with(json!({name: null}))),
            true,
        )
    });
    typed.chain(missing).collect()
}

fn payloads() -> Vec<Forgery> {
    let good = claims().to_string();
    let twice = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let payloads = [
        twice(r#""sub":"alice""#),
        twice(r#""sub":"bob""#),
        twice(r#""role":"admin""#),
        twice(r#""exp":1"#),
        twice(r#""nbf":1,"nbf":1"#),
        twice(r#""iat":1,"iat":2"#),
        twice(r#""nbf":null"#),
        twice(r#""iat":null"#),
        twice(r#""exp":9e9"#),
        String::new(),
        "null".into(),
        "[]".into(),
        format!("[{good}]"),
        "\"alice\"".into(),
        format!("{good}{good}"),
        format!("{good},"),
        good[..good.len() - 1].into(),
        format!(r#"["alice","operator",{}]"#, NOW + 60),
        format!(r#"{{"claims":{good}}}"#),
    ];
    let numbered = payloads.into_iter().enumerate();
    numbered
        .map(|(n, payload)| (format!("payload {n}"), ours(HEADER, &payload), true))
        .collect()
}

fn in_time() -> Vec<Forgery> {
    let times = [
        json!({"exp": NOW - 30}),
        json!({"exp": NOW - 31}),
        json!({"exp": 0}),
        json!({"exp": -1}),
        json!({"exp": i64::MIN}),
        json!({"exp": i64::MAX}),
        json!({"exp": NOW + 40 * 86_400}),
        json!({"exp": (NOW + 3600) * 1000}),
        json!({"nbf": NOW + 31}),
        json!({"nbf": i64::MAX}),
        json!({"iat": NOW + 31}),
        json!({"iat": i64::MAX}),
        json!({"iat": i64::MIN}),
        json!({"iat": 0}),
        json!({"iat": NOW - 2_592_000}),
        json!({"iat": NOW + 31, "exp": NOW + 30}),
        json!({"exp": NOW + 2_592_031}),
    ];
    let forged = times.map(|change| (change.to_string(), token(&claims_with(change)), true));
    forged.into()
}

fn sizes() -> Vec<Forgery> {
    let mut all = vec![
        untrusted("8 KiB of dots", ".".repeat(8_193)),
        untrusted("10 KiB of text", "A".repeat(10_240)),
        untrusted(
            "a long header",
            ours(
                &format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(8_000)),
                &claims().to_string(),
            ),
        ),
    ];
    let long = claims_with(json!({"padding": "x".repeat(8_000)}));
    all.push(("a long payload".into(), token(&long), true));
    all
}

fn all() -> Vec<Forgery> {
    [
        algorithms(),
        secrets(),
        signatures(),
        shapes(),
        headers(),
        typed_claims(),
        payloads(),
        in_time(),
        sizes(),
    ]
    .concat()
}

#[test]
fn hundreds_of_forged_tokens_are_all_refused_with_401() {
    let keys = only_secret();
    let all = all();
    assert!(all.len() >= 200, "{} forgeries", all.len());
    for (name, token, _) in &all {
        let refusal = judged(&keys, token).expect_err(name);
        assert_eq!(Problem::from(refusal).status, 401, "{name}");
    }
}

#[test]
fn what_is_not_signed_by_a_key_of_ours_learns_nothing() {
    let keys = only_secret();
    for (name, token, _) in all().iter().filter(|(_, _, signed)| !signed) {
        let refusal = judged(&keys, token).expect_err(name);
        let silent = matches!(
            refusal,
            Refusal::Untrusted | Refusal::TooLong | Refusal::NoBearer
        );
        assert!(silent, "{name}: {refusal}");
    }
}

#[test]
fn the_token_that_all_of_them_are_made_from_is_good() {
    assert!(judged(&only_secret(), &token(&claims())).is_ok());
}

fn public_key() -> Keys {
    let rsa = super::keys::from_files("RS256", "pem_file", "rsa.pem");
    assert!(matches!(rsa.keys[0].material, Material::Rsa { .. }));
    rsa
}

#[test]
fn a_public_key_is_no_secret() {
    let keys = public_key();
    let payload = claims().to_string();
    let Material::Rsa { modulus, exponent } = &keys.keys[0].material else {
        panic!("an RSA key");
    };
    let whole = PUBLIC_PEM.as_bytes();
    for secret in [
        whole,
        PUBLIC_PEM.trim().as_bytes(),
        modulus,
        &[modulus.clone(), exponent.clone()].concat(),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = EncodingKey::from_secret(secret);
            for said in ["HS256", "HS384", "HS512", "RS256"] {
                let header = format!(r#"{{"alg":"{said}"}}"#);
                let token = signed(&header, &payload, (algorithm, &key));
                assert_eq!(judged(&keys, &token), Err(Refusal::Untrusted), "{said}");
            }
        }
    }
}

#[test]
fn a_key_of_another_algorithm_does_not_help() {
    let both: Vec<Key> = [
        vec![secret(Some("hmac"), Algorithm::HS512, &SECRET.repeat(2))],
        public_key().keys,
    ]
    .concat();
    let keys = with_keys(both);
    let key = EncodingKey::from_secret(SECRET.repeat(2).as_bytes());
    for (alg, kid) in [
        ("HS256", "hmac"),
        ("RS256", "hmac"),
        ("HS512", "rsa"),
        ("HS512", "HMAC"),
    ] {
        let header = json!({"alg": alg, "kid": kid}).to_string();
        let token = signed(&header, &claims().to_string(), (Algorithm::HS512, &key));
        assert_eq!(
            judged(&keys, &token),
            Err(Refusal::Untrusted),
            "{alg} {kid}"
        );
    }
    let header = json!({"alg": "HS512", "kid": "hmac"}).to_string();
    let good = signed(&header, &claims().to_string(), (Algorithm::HS512, &key));
    assert!(judged(&keys, &good).is_ok());
}
