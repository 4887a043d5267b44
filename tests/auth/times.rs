//! When a token is good, to the second.

use actor_server::http::auth::Refusal;
use serde_json::json;

use super::stand::{NOW, claims_with, judged, only_secret, token};

const MONTH: i64 = 2_592_000;

#[test]
fn clocks_may_differ_by_the_leeway_and_no_second_more() {
    for (change, expected) in [
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 30}), Some(Refusal::Expired)),
        (json!({"nbf": NOW + 30}), None),
        (json!({"nbf": NOW + 31}), Some(Refusal::Early)),
        (json!({"nbf": 0}), None),
        (json!({"iat": NOW + 30}), None),
        (json!({"iat": NOW + 31}), Some(Refusal::Early)),
        (json!({"iat": NOW, "exp": NOW + MONTH}), None),
        (
            json!({"iat": NOW, "exp": NOW + MONTH + 1}),
            Some(Refusal::TooLasting),
        ),
        (json!({"iat": NOW + 30, "exp": NOW + 30 + MONTH}), None),
        (json!({"exp": NOW + MONTH + 30}), None),
        (json!({"exp": NOW + MONTH + 31}), Some(Refusal::TooLasting)),
    ] {
        let found = judged(&only_secret(), &token(&claims_with(change.clone())));
        assert_eq!(found.err(), expected, "{change}");
    }
}

#[test]
fn issuer_and_audience_are_checked_when_they_are_configured() {
    let mut keys = only_secret();
    for free in [
        json!({}),
        json!({"iss": 1}),
        json!({"aud": {"x": 1}}),
        json!({"aud": "them"}),
    ] {
        assert!(judged(&keys, &token(&claims_with(free))).is_ok());
    }
    keys.issuer = Some("https://id.example.org".into());
    keys.audience = Some("bots".into());
    let iss = "https://id.example.org";
    for good in [json!("bots"), json!(["them", "bots"]), json!(["bots"])] {
        let claims = claims_with(json!({"iss": iss, "aud": good}));
        assert!(judged(&keys, &token(&claims)).is_ok());
    }
    for (iss, aud, expected) in [
        (json!(iss), json!("Bots"), Refusal::Audience),
        (json!(iss), json!([]), Refusal::Audience),
        (json!(iss), json!(["bots", 1]), Refusal::Audience),
        (json!(iss), json!({"bots": true}), Refusal::Audience),
        (json!(iss), json!(null), Refusal::Audience),
        (
            json!("https://id.example.org/"),
            json!("bots"),
            Refusal::Issuer,
        ),
        (json!([iss]), json!("bots"), Refusal::Issuer),
        (json!(null), json!("bots"), Refusal::Issuer),
    ] {
        let claims = claims_with(json!({"iss": iss, "aud": aud}));
        assert_eq!(judged(&keys, &token(&claims)), Err(expected), "{claims}");
    }
}
