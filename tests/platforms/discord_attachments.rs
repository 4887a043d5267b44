//! Files that go with a message.

use actor_server::{
    outbound::{Outbound, OutboundRules},
    platforms::{
        ContentPoster, PostFailure,
        discord::{Discord, DiscordOptions},
    },
};
use serde_json::{Value, json};

use crate::{
    discord::{FakeDiscord, TOKEN},
    posts::with_options,
    receiver::{Meet, Receiver},
};

pub(crate) fn outbound() -> Outbound {
    Outbound::new(OutboundRules {
        allow_hosts: vec!["127.0.0.1".into()],
    })
}

async fn post(fake: &FakeDiscord, attachments: Value) -> Result<(), PostFailure> {
    let client = Discord::new(DiscordOptions {
        outbound: outbound(),
        ..DiscordOptions::new(fake.url(), TOKEN.into())
    });
    let post = with_options(1, "42", "look", json!({ "attachments": attachments }));
    client.unwrap().post(&post).await.map(drop)
}

#[tokio::test]
async fn files_are_fetched_and_uploaded_byte_by_byte() {
    let fake = FakeDiscord::start();
    let bytes: Vec<u8> = (0..=255)
        .cycle()
        .take(100_000)
        .chain(*b"\r\n--part\r\n\r\n")
        .collect();
    let cat = fake.file("cat.png", "image/png", &bytes);
    let notes = fake.file("notes", "text/plain; charset=utf-8", b"");
    let listed = json!([{ "url": cat, "description": "a cat" }, { "url": notes }]);
    post(&fake, listed).await.unwrap();
    let message = &fake.messages()[0];
    assert_eq!(message.files[0], ("cat.png".to_owned(), bytes));
    assert_eq!(message.files[1], ("notes.txt".to_owned(), Vec::new()));
    assert_eq!(message.content(), "look");
    assert_eq!(message.payload["enforce_nonce"], true);
    assert_eq!(message.payload["allowed_mentions"]["parse"], json!([]));
    let described = json!([
        { "id": 0, "filename": "cat.png", "description": "a cat" },
        { "id": 1, "filename": "notes.txt" },
    ]);
    assert_eq!(message.payload["attachments"], described);
}

#[tokio::test]
async fn a_file_alone_is_a_message() {
    let fake = FakeDiscord::start();
    let file = fake.file("a.gif", "image/gif", b"GIF89a");
    let client = Discord::new(DiscordOptions {
        outbound: outbound(),
        ..DiscordOptions::new(fake.url(), TOKEN.into())
    });
    let post = with_options(1, "42", "", json!({ "attachments": [{ "url": file }] }));
    client.unwrap().post(&post).await.unwrap();
    assert_eq!(fake.messages()[0].files.len(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_had_fails_the_post_and_nothing_is_sent() {
    let fake = FakeDiscord::start();
    for (meet, may_pass) in [
        (Meet::status(404), false),
        (Meet::status(403), false),
        (Meet::status(500), true),
        (Meet::status(429), true),
        (Meet::Cut, true),
        (Meet::Flood(200), false),
    ] {
        let receiver = Receiver::that(meet.clone());
        let url = receiver.url("/secret-path?token=hidden");
        let failure = post(&fake, json!([{ "url": url }])).await.unwrap_err();
        let passes = matches!(failure, PostFailure::Unprepared(_));
        assert_eq!(passes, may_pass, "{meet:?}: {failure:?}");
        assert!(!failure.to_string().contains("secret-path"), "{failure}");
        assert!(failure.to_string().contains("attachment"), "{failure}");
    }
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn nothing_is_read_from_this_machine() {
    let fake = FakeDiscord::start();
    for url in [
        "file:///etc/passwd",
        "/etc/passwd",
        "ftp://127.0.0.1/x",
        "http://[::1]:1/x",
    ] {
        let failure = post(&fake, json!([{ "url": url }])).await.unwrap_err();
        assert!(
            matches!(failure, PostFailure::Rejected(_)),
            "{url}: {failure:?}"
        );
    }
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn files_beyond_discords_bounds_are_not_sent() {
    let fake = FakeDiscord::start();
    let large = fake.file("large.bin", "application/octet-stream", &vec![0; 10 << 20]);
    let larger = fake.file(
        "larger.bin",
        "application/octet-stream",
        &vec![0; (10 << 20) + 1],
    );
    let one = |url: &str| json!({ "url": url });
    for listed in [
        json!([one(&larger)]),
        json!([one(&large), one(&large), one(&large)]),
    ] {
        let failure = post(&fake, listed).await.unwrap_err();
        assert!(matches!(failure, PostFailure::Rejected(_)), "{failure:?}");
    }
    post(&fake, json!([one(&large)])).await.unwrap();
}
