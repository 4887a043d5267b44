//! Tokens that are forged, broken or odd, by what is wrong with them.

use actor_server::http::auth::Algorithm;
use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::{
    forged::PUBLIC_PEM,
    forged_claims::{in_time, payloads, typed_claims},
    stand::{HEADER, NOW, SECRET, STRANGE, claims, claims_with, encode, ours, signed, token},
};

/// A name, the token, and whether it is about claims of a token that is signed well.
pub(crate) type Forgery = (String, String, bool);

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

/// All of them.
pub(crate) fn all() -> Vec<Forgery> {
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
