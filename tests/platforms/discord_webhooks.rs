//! Posts to Discord's webhooks.

use std::time::Duration;

use actor_server::platforms::{ContentPoster, PostFailure, discord::DiscordWebhooks};
use serde_json::json;

use crate::{
    discord::{FakeDiscord, Reply, WEBHOOK_TOKEN},
    discord_attachments::outbound,
    posts::{post, with_options},
    receiver::{Meet, Receiver},
};

fn hooks(named: &[(&str, String)]) -> DiscordWebhooks {
    let hooks = named
        .iter()
        .map(|(name, url)| ((*name).to_owned(), url.clone().into()));
    DiscordWebhooks::new(hooks, outbound()).unwrap()
}

#[tokio::test]
async fn a_post_arrives_with_its_key_and_mentions_nobody() {
    let fake = FakeDiscord::start();
    let hooks = hooks(&[("news", fake.webhook(5) + "?thread_id=9&wait=false")]);
    assert!(hooks.remembers().is_none() && hooks.is_one_downstream());
    let receipt = hooks.post(&post(7, "news", "hi @everyone")).await.unwrap();
    let (message, request) = (&fake.messages()[0], &fake.requests()[0]);
    assert_eq!(receipt.message_id.as_ref(), Some(&message.id));
    assert_eq!((message.channel, message.content()), (5, "hi @everyone"));
    assert_eq!(message.payload["allowed_mentions"]["parse"], json!([]));
    assert_eq!(message.payload.get("nonce"), None);
    assert_eq!(message.payload.get("enforce_nonce"), None);
    assert_eq!(request.idempotency_key, "000000000000000000000007");
    assert!(
        request.path.ends_with("?thread_id=9&wait=true"),
        "{}",
        request.path
    );
}

#[tokio::test]
async fn files_and_embeds_go_with_it() {
    let fake = FakeDiscord::start();
    let file = fake.file("a.png", "image/png", b"png");
    let options = json!({ "embeds": [{ "title": "T" }], "attachments": [{ "url": file }] });
    let hooks = hooks(&[("news", fake.webhook(5))]);
    hooks
        .post(&with_options(1, "news", "", options))
        .await
        .unwrap();
    let message = &fake.messages()[0];
    assert_eq!(message.payload["embeds"][0]["title"], "T");
    assert_eq!(message.files, [("a.png".to_owned(), b"png".to_vec())]);
}

#[tokio::test]
async fn a_webhook_that_is_gone_or_refuses_is_the_destinations_fault() {
    let fake = FakeDiscord::start();
    let gone = fake
        .webhook(5)
        .replace(WEBHOOK_TOKEN, "another-token-that-was-deleted");
    let hooks = hooks(&[("gone", gone), ("news", fake.webhook(6))]);
    let failure = hooks.post(&post(1, "gone", "text")).await.unwrap_err();
    let says = "Discord refuses the webhook `gone` (404): Unknown Webhook (code 10015)";
    assert_eq!(failure, PostFailure::Forbidden(says.into()));
    for (status, code) in [(401, 50027), (403, 50013)] {
        fake.script([Reply::error(status, code, WEBHOOK_TOKEN)]);
        let failure = hooks.post(&post(1, "news", "text")).await.unwrap_err();
        assert!(matches!(failure, PostFailure::Forbidden(_)), "{failure:?}");
        assert!(
            !format!("{failure:?}").contains(WEBHOOK_TOKEN),
            "{failure:?}"
        );
    }
    hooks.post(&post(1, "news", "text")).await.unwrap();
    let unknown = hooks.post(&post(1, "old", "text")).await.unwrap_err();
    assert!(matches!(unknown, PostFailure::Unprepared(_)), "{unknown:?}");
    assert!(!format!("{hooks:?}").contains(WEBHOOK_TOKEN));
}

#[tokio::test]
async fn each_webhook_waits_for_itself_alone() {
    let fake = FakeDiscord::start();
    let hooks = hooks(&[("one", fake.webhook(1)), ("two", fake.webhook(2))]);
    fake.script([Reply::rate_limited(30.0, false)]);
    let wait = PostFailure::RateLimited(Duration::from_secs(30));
    assert_eq!(hooks.post(&post(1, "one", "text")).await, Err(wait));
    let again = hooks.post(&post(1, "one", "text")).await;
    assert!(
        matches!(again, Err(PostFailure::RateLimited(_))),
        "{again:?}"
    );
    hooks.post(&post(2, "two", "text")).await.unwrap();
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn what_may_pass_is_transient_and_shows_no_url() {
    for (meet, says) in [
        (Meet::status(500), "500"),
        (
            Meet::with(302, "Location", "http://127.0.0.1:1/"),
            "webhook's `url` right?",
        ),
        (Meet::Cut, "127.0.0.1"),
        (Meet::status(200), "without a message id"),
    ] {
        let receiver = Receiver::that(meet.clone());
        let url = receiver.url(&format!("/api/webhooks/1/{WEBHOOK_TOKEN}"));
        let failure = hooks(&[("news", url)])
            .post(&post(1, "news", "text"))
            .await
            .unwrap_err();
        let PostFailure::Transient(text) = failure else {
            panic!("{meet:?}: {failure:?}");
        };
        assert!(
            text.contains(says) && !text.contains(WEBHOOK_TOKEN),
            "{text}"
        );
    }
}

#[test]
fn a_url_that_cannot_be_one_is_refused_and_not_shown() {
    for url in ["hidden", "ftp://h/hidden", "https://u:hidden@h/"] {
        let made = DiscordWebhooks::new([("news".into(), url.into())], outbound());
        let error = made.unwrap_err();
        assert!(
            error.contains("`news`") && !error.contains("hidden"),
            "{error}"
        );
    }
}
