//! Signatures by the Standard Webhooks specification, with a clock that stands still.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actor_server::{
    domain::Instant,
    http::auth::signature::{Signatures, Unsigned},
};
use chrono::DateTime;
use standardwebhooks::Webhook;

pub(super) const SECRET: &str = "a secret of events, longer than it has to be";
const BODY: &str = r#"{"event_type":"release","source":"ci"}"#;
const NOW: i64 = 1_790_000_000;

fn now() -> Instant {
    DateTime::from_timestamp(NOW, 999_999_000).unwrap()
}

fn signatures(secret: &str) -> Signatures {
    Signatures::new(Some(&secret.into())).unwrap()
}

fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    let webhook = Webhook::from_bytes(secret.as_bytes().to_vec()).unwrap();
    webhook.sign(id, at, body.as_bytes()).unwrap()
}

fn headers(given: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn three(id: &str, at: &str, signature: &str) -> HeaderMap {
    headers(&[
        ("webhook-id", id),
        ("webhook-timestamp", at),
        ("webhook-signature", signature),
    ])
}

fn check(headers: &HeaderMap, body: &str) -> Result<String, Unsigned> {
    signatures(SECRET).check(headers, body.as_bytes(), now())
}

#[test]
fn the_specifications_own_example_is_good() {
    let signatures = signatures("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let headers = three(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
    let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    let id = signatures.check(&headers, br#"{"test": 2432232314}"#, at);
    assert_eq!(id.as_deref(), Ok("msg_p5jXN8AQM9LWM0D4loKWxJek"));
}

#[test]
fn what_was_not_signed_with_the_secret_is_refused() {
    let right = sign(SECRET, "id", NOW, BODY);
    let at = NOW.to_string();
    let other = sign("another secret of somebody else", "id", NOW, BODY);
    let (_, base64) = right.split_once(',').unwrap();
    for (name, headers, body) in [
        ("another secret", three("id", &at, &other), BODY),
        (
            "another body",
            three("id", &at, &right),
            r#"{"event_type":"x","source":"ci"}"#,
        ),
        (
            "one byte more",
            three("id", &at, &right),
            r#"{"event_type":"release","source":"ci"} "#,
        ),
        ("no body", three("id", &at, &right), ""),
        ("another id", three("id2", &at, &right), BODY),
        (
            "another time",
            three("id", &(NOW + 1).to_string(), &right),
            BODY,
        ),
        (
            "another version",
            three("id", &at, &right.replace("v1,", "v2,")),
            BODY,
        ),
        ("no version", three("id", &at, base64), BODY),
        ("a part", three("id", &at, &right[..20]), BODY),
        ("only the version", three("id", &at, "v1,"), BODY),
        ("an empty one", three("id", &at, ""), BODY),
        ("no base64", three("id", &at, "v1,*not base64*"), BODY),
        (
            "without padding",
            three("id", &at, right.trim_end_matches('=')),
            BODY,
        ),
        ("commas", three("id", &at, ",,,,"), BODY),
        ("spaces", three("id", &at, &" ".repeat(4000)), BODY),
    ] {
        assert_eq!(check(&headers, body), Err(Unsigned::Wrong), "{name}");
    }
}

#[test]
fn one_right_signature_among_others_is_enough_but_not_among_endless_ones() {
    let (right, at) = (sign(SECRET, "id", NOW, BODY), NOW.to_string());
    let wrong = sign("another secret of somebody else", "id", NOW, BODY);
    for list in [
        format!("{wrong} {right}"),
        format!("v1a,xyz {right} {wrong}"),
        format!("{right} "),
    ] {
        assert_eq!(
            check(&three("id", &at, &list), BODY).as_deref(),
            Ok("id"),
            "{list}"
        );
    }
    let many = format!("{}{right}", format!("{wrong} ").repeat(8));
    assert_eq!(check(&three("id", &at, &many), BODY), Err(Unsigned::Wrong));
}

#[test]
fn the_window_is_five_minutes_in_both_directions_to_the_second() {
    for (at, good) in [
        (NOW - 301, false),
        (NOW - 300, true),
        (NOW, true),
        (NOW + 300, true),
        (NOW + 301, false),
        (0, false),
        (-1, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        let headers = three("id", &at.to_string(), &sign(SECRET, "id", at, BODY));
        let expected = if good {
            Ok("id".to_owned())
        } else {
            Err(Unsigned::OutsideWindow)
        };
        assert_eq!(check(&headers, BODY), expected, "{at}");
    }
}

#[test]
fn a_time_is_digits_and_nothing_else() {
    let right = sign(SECRET, "id", NOW, BODY);
    for at in [
        format!("+{NOW}"),
        format!("0{NOW}"),
        format!("{NOW}.0"),
        format!("{NOW}000000000000"),
        format!(" {NOW}"),
        "2026-03-01T09:00:00Z".into(),
        String::new(),
    ] {
        assert_eq!(
            check(&three("id", &at, &right), BODY),
            Err(Unsigned::Timestamp),
            "{at}"
        );
    }
}

#[test]
fn each_header_must_be_there_once_and_an_id_must_be_one_that_can_be_kept() {
    let (right, at) = (sign(SECRET, "id", NOW, BODY), NOW.to_string());
    let whole = [
        ("webhook-id", "id"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", right.as_str()),
    ];
    for (n, (name, _)) in whole.iter().enumerate() {
        let mut fewer = whole.to_vec();
        fewer.remove(n);
        assert_eq!(check(&headers(&fewer), BODY), Err(Unsigned::Header(name)));
        let mut more = whole.to_vec();
        more.push(whole[n]);
        assert_eq!(check(&headers(&more), BODY), Err(Unsigned::Header(name)));
        let mut other = whole.to_vec();
        other[n].1 = "\u{e9}";
        assert_eq!(check(&headers(&other), BODY), Err(Unsigned::Header(name)));
    }
    let long = "x".repeat(256);
    for id in ["", "a b", &long] {
        let headers = three(id, &at, &sign(SECRET, id, NOW, BODY));
        assert_eq!(check(&headers, BODY), Err(Unsigned::Id), "{id}");
    }
}

#[test]
fn a_body_that_is_no_text_is_not_signed() {
    let headers = three("id", &NOW.to_string(), &sign(SECRET, "id", NOW, BODY));
    let refused = signatures(SECRET).check(&headers, b"\xff\xfe", now());
    assert_eq!(refused, Err(Unsigned::Wrong));
}

#[test]
fn a_new_secret_counts_for_every_clone_and_a_bad_one_changes_nothing() {
    let (signatures, at) = (signatures(SECRET), NOW.to_string());
    let clone = signatures.clone();
    let old = three("id", &at, &sign(SECRET, "id", NOW, BODY));
    let second = "another secret of the same owner";
    let new = three("id", &at, &sign(second, "id", NOW, BODY));
    let good = |headers| clone.check(headers, BODY.as_bytes(), now()).is_ok();
    assert!(good(&old) && !good(&new));
    for bad in [
        "whsec_*****************************************",
        "whsec_c2hvcnQ=",
    ] {
        assert!(signatures.replace(Some(&bad.into())).is_err(), "{bad}");
        assert!(good(&old));
    }
    signatures.replace(Some(&second.into())).unwrap();
    assert!(!good(&old) && good(&new));
    signatures.replace(None).unwrap();
    assert!(!clone.is_configured());
    assert_eq!(
        clone.check(&new, BODY.as_bytes(), now()),
        Err(Unsigned::NoSecret)
    );
}
