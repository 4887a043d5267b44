//! Signed JSON for any receiver.

use actor_server::{
    domain::alert::Stage,
    platforms::ops::{
        OpsChannel,
        webhook::{Webhook, WebhookOptions},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    at_stage, hostile, later, notice,
    receiver::{Meet, Receiver, Taken},
    test,
};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn webhook(url: &str) -> Webhook {
    Webhook::new(options(url, SECRET)).unwrap()
}

fn options(url: &str, secret: &str) -> WebhookOptions {
    WebhookOptions {
        url: url.to_owned(),
        secret: secret.into(),
        headers: Vec::new(),
    }
}

/// HMAC-SHA256 as RFC 2104 writes it, with nothing of the crate that signs.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |by: u8| block.map(|byte| byte ^ by);
    let inner = Sha256::digest([&pad(0x36)[..], message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()).to_vec()
}

fn signed(taken: &Taken) -> Vec<u8> {
    let (id, at) = (
        taken.header("webhook-id"),
        taken.header("webhook-timestamp"),
    );
    [format!("{id}.{at}.").as_bytes(), &taken.body].concat()
}

#[tokio::test]
async fn a_notice_is_one_post_of_documented_json() {
    let receiver = Receiver::start();
    webhook(&receiver.url("/hook?team=a"))
        .deliver(&notice())
        .await
        .unwrap();
    let taken = receiver.only();
    assert_eq!(taken.line, "POST /hook?team=a");
    assert_eq!(taken.header("content-type"), "application/json");
    assert!(taken.header("user-agent").starts_with("actor-server/"));
    assert_eq!(
        taken.json(),
        json!({
            "type": "alert.raised",
            "timestamp": "2026-03-01T12:01:00.000000Z",
            "data": {
                "id": "failures/daily:1:raised:webhook",
                "incident": "failures/daily",
                "kind": "failures",
                "stage": "raised",
                "severity": "warning",
                "actor": "daily",
                "title": "daily has failed 3 times in a row",
                "detail": "run 7 failed: the feed is gone\nrun 8 failed: the feed is gone",
                "since": "2026-03-01T12:00:00.000000Z",
                "runbook": "https://runbooks.example/failures.md",
            },
        })
    );
}

#[tokio::test]
async fn the_type_says_which_step_it_is() {
    let receiver = Receiver::start();
    let webhook = webhook(&receiver.url("/"));
    let notices = [Stage::Raised, Stage::Reminder, Stage::Recovered].map(at_stage);
    for notice in notices.iter().chain([&test()]) {
        webhook.deliver(notice).await.unwrap();
    }
    let types: Vec<Value> = receiver
        .taken()
        .iter()
        .map(|one| one.json()["type"].clone())
        .collect();
    assert_eq!(
        types,
        [
            "alert.raised",
            "alert.reminder",
            "alert.recovered",
            "alert.test"
        ]
    );
    assert_eq!(receiver.taken()[3].json()["data"]["actor"], Value::Null);
}

#[tokio::test]
async fn the_signature_is_right_for_the_crate_and_by_hand() {
    let receiver = Receiver::start();
    let text = "a text of thirty-two bytes or more";
    for secret in [SECRET, text] {
        let sender = Webhook::new(options(&receiver.url("/"), secret)).unwrap();
        sender.deliver(&notice()).await.unwrap();
    }
    let keys = [
        BASE64_STANDARD
            .decode(SECRET.trim_start_matches("whsec_"))
            .unwrap(),
        text.as_bytes().to_vec(),
    ];
    for (taken, key) in receiver.taken().iter().zip(keys) {
        let crates = standardwebhooks::Webhook::from_bytes(key.clone()).unwrap();
        let mut headers = http_headers(taken);
        crates.verify(&taken.body, &headers).unwrap();
        let by_hand = BASE64_STANDARD.encode(hmac(&key, &signed(taken)));
        assert_eq!(taken.header("webhook-signature"), format!("v1,{by_hand}"));
        headers.insert("webhook-id", "another".parse().unwrap());
        assert!(crates.verify(&taken.body, &headers).is_err());
    }
}

fn http_headers(taken: &Taken) -> reqwest::header::HeaderMap {
    let headers = taken.headers.iter();
    headers
        .map(|(name, value)| {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn another_attempt_has_the_same_id() {
    let receiver = Receiver::start();
    receiver.script([Meet::Cut, Meet::status(500)]);
    let webhook = webhook(&receiver.url("/"));
    later(webhook.deliver(&notice()).await);
    later(webhook.deliver(&notice()).await);
    webhook.deliver(&notice()).await.unwrap();
    let taken = receiver.taken();
    assert_eq!(taken.len(), 3);
    for one in &taken {
        assert_eq!(one.header("webhook-id"), notice().id);
        assert_eq!(one.header("idempotency-key"), notice().id);
        assert_eq!(one.body, taken[0].body);
    }
}

#[tokio::test]
async fn a_hostile_notice_stays_within_its_strings() {
    let receiver = Receiver::start();
    webhook(&receiver.url("/"))
        .deliver(&hostile())
        .await
        .unwrap();
    let taken = receiver.only();
    assert!(!taken.headers.contains_key("x-evil"));
    let id = taken.header("webhook-id");
    assert!(
        id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let body = taken.json();
    assert!(taken.body.len() < 64 * 1024, "{}", taken.body.len());
    let title = body["data"]["title"].as_str().unwrap();
    assert!(
        title.starts_with("\"} X-Evil: 1") && title.chars().count() <= 500,
        "{title}"
    );
    let detail = body["data"]["detail"].as_str().unwrap();
    assert!(!detail.contains(['\0', '\r', '\x1b', '\u{202e}']));
    assert!(detail.contains('\n') && detail.chars().count() <= 10_000);
}

#[tokio::test]
async fn further_headers_are_sent_and_those_of_the_sender_cannot_be_changed() {
    let receiver = Receiver::start();
    let with = |name: &str, value: &str| WebhookOptions {
        headers: vec![(name.to_owned(), value.into())],
        ..options(&receiver.url("/"), SECRET)
    };
    let sender = Webhook::new(with("Authorization", "Bearer hunter2hunter2")).unwrap();
    sender.deliver(&notice()).await.unwrap();
    assert_eq!(
        receiver.only().header("authorization"),
        "Bearer hunter2hunter2"
    );
    for (name, value) in [
        ("Webhook-Id", "x"),
        ("host", "x"),
        ("Content-Length", "0"),
        ("a b", "x"),
        ("X-A", "x\r\nX-B: hunter2"),
    ] {
        let wrong = Webhook::new(with(name, value)).err().unwrap();
        assert!(!wrong.contains("hunter2"), "{wrong}");
    }
}

#[test]
fn a_short_secret_and_an_url_that_is_none_are_refused() {
    let url = "https://hooks.example/";
    for secret in [
        "",
        "hunter2",
        "whsec_",
        "whsec_hunter2",
        "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    ] {
        let wrong = Webhook::new(options(url, secret)).err().unwrap();
        assert!(
            wrong.contains("32 bytes") && !wrong.contains("hunter2"),
            "{wrong}"
        );
    }
    for url in [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "https://me:hunter2@hooks.example/",
    ] {
        let wrong = Webhook::new(options(url, SECRET)).err().unwrap();
        assert!(
            wrong.contains("the webhook's URL") && !wrong.contains("hunter2"),
            "{wrong}"
        );
    }
}
