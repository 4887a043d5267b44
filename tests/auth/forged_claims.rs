//! Tokens that are signed well, and whose claims are wrong, odd or not in force.

use serde_json::{Value, json};

use super::{
    forgeries::Forgery,
    stand::{HEADER, NOW, claims, claims_with, ours, token},
};

pub(crate) fn typed_claims() -> Vec<Forgery> {
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

pub(crate) fn payloads() -> Vec<Forgery> {
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

pub(crate) fn in_time() -> Vec<Forgery> {
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
