//! Posts to anybody who takes signed JSON.

use actor_server::{
    outbound::{Outbound, OutboundRules},
    platforms::{
        ContentPoster, PostFailure,
        webhook::{SignedWebhook, SignedWebhooks},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    posts::{post, with_options},
    receiver::{Meet, Receiver},
};

const SECRET: &[u8] = b"a-secret-of-32-bytes-for-testing";
const PATH: &str = "/hooks/path-that-nobody-may-see";

fn hook(name: &str, url: String) -> SignedWebhook {
    SignedWebhook {
        name: name.into(),
        url: url.into(),
        secret: format!("whsec_{}", STANDARD.encode(SECRET)).into(),
    }
}

fn hooks(receiver: &Receiver) -> SignedWebhooks {
    let rules = OutboundRules {
        allow_hosts: vec!["127.0.0.1".into()],
    };
    SignedWebhooks::new([hook("crm", receiver.url(PATH))], Outbound::new(rules)).unwrap()
}

#[tokio::test]
async fn every_attempt_has_the_same_id_and_body_and_a_signature_that_holds() {
    let receiver = Receiver::start();
    receiver.script([Meet::Cut]);
    let hooks = hooks(&receiver);
    let options = json!({ "embeds": [{ "title": "T" }] });
    let post = with_options(7, "crm", "hello", options.clone());
    hooks.post(&post).await.unwrap_err();
    let receipt = hooks.post(&post).await.unwrap();
    assert_eq!(receipt.message_id, None);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].body, taken[1].body);
    for one in &taken {
        assert_eq!(one.line, format!("POST {PATH}"));
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.header("webhook-id"), post.nonce);
        assert_eq!(one.header("idempotency-key"), post.nonce);
        let checker = standardwebhooks::Webhook::from_bytes(SECRET.to_vec()).unwrap();
        let mut headers = reqwest::header::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, one.header(name).parse().unwrap());
        }
        checker.verify(&one.body, &headers).unwrap();
        let expected = json!({
            "type": "post",
            "timestamp": "2026-09-21T14:13:20.000000Z",
            "data": {
                "id": post.nonce, "bot": "herald", "execution_id": 7, "position": 0,
                "text": "hello", "options": options,
            },
        });
        assert_eq!(one.json(), expected);
    }
}

#[tokio::test]
async fn each_answer_says_whose_fault_it_is_and_how_long_to_wait() {
    let receiver = Receiver::start();
    let hooks = hooks(&receiver);
    for (meet, is) in [
        (Meet::status(400), "Rejected"),
        (Meet::status(413), "Rejected"),
        (Meet::status(401), "Forbidden"),
        (Meet::status(404), "Forbidden"),
        (Meet::status(410), "Forbidden"),
        (Meet::status(408), "Transient"),
        (Meet::status(500), "Transient"),
        (Meet::status(503), "Transient"),
        (Meet::status(302), "Transient"),
        (Meet::Cut, "Transient"),
        (Meet::with(429, "Retry-After", 7), "RateLimited(7s)"),
        (Meet::with(503, "Retry-After", 7), "RateLimited(7s)"),
        (Meet::status(429), "RateLimited(1s)"),
        (Meet::says(400, format!("no {PATH}")), "Rejected"),
    ] {
        receiver.script([meet.clone()]);
        let failure = hooks.post(&post(1, "crm", "text")).await.unwrap_err();
        let shown = format!("{failure:?}");
        assert!(shown.starts_with(is), "{meet:?}: {shown}");
        assert!(!shown.contains("nobody-may-see"), "{shown}");
    }
    for fine in [
        Meet::status(200),
        Meet::status(204),
        Meet::says(202, "queued"),
    ] {
        receiver.script([fine]);
        hooks.post(&post(1, "crm", "text")).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_inside_is_not_reached_and_one_that_is_gone_is_waited_for() {
    let receiver = Receiver::start();
    let hooks = SignedWebhooks::new([hook("crm", receiver.url(PATH))], Outbound::default());
    let failure = hooks
        .unwrap()
        .post(&post(1, "crm", "text"))
        .await
        .unwrap_err();
    assert!(matches!(failure, PostFailure::Forbidden(_)), "{failure:?}");
    assert!(receiver.taken().is_empty());
    let unknown = self::hooks(&receiver).post(&post(1, "old", "text")).await;
    assert!(
        matches!(unknown, Err(PostFailure::Unprepared(_))),
        "{unknown:?}"
    );
}

#[test]
fn a_weak_secret_is_refused_and_neither_it_nor_the_url_is_shown() {
    let weak = SignedWebhook {
        secret: "whsec_c2hvcnQ=".into(),
        ..hook("crm", "https://h/hidden".into())
    };
    assert!(!format!("{weak:?}").contains("hidden"));
    let error = SignedWebhooks::new([weak], Outbound::default()).unwrap_err();
    assert!(
        error.contains("`crm`") && !error.contains("c2hvcnQ"),
        "{error}"
    );
    let good = SignedWebhooks::new(
        [hook("crm", "https://h/hidden".into())],
        Outbound::default(),
    );
    assert!(!format!("{:?}", good.unwrap()).contains("hidden"));
}
