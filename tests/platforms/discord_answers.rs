//! What each answer of Discord means, and which limits are kept, against a fake.

use std::{net::TcpListener, time::Duration};

use crate::{
    discord::{FakeDiscord, Reply, TOKEN},
    posts::{post, with_options},
};
use actor_server::platforms::{
    ContentPoster, PostFailure,
    discord::{Discord, DiscordOptions},
};
use serde_json::{Value, json};

fn client(url: &str) -> Discord {
    Discord::new(DiscordOptions {
        timeout: Duration::from_millis(500),
        ..DiscordOptions::new(url, TOKEN.into())
    })
    .unwrap()
}

/// Sends one post while the fake does `reply`.
async fn met_with(fake: &FakeDiscord, reply: Reply) -> PostFailure {
    fake.script([reply]);
    let failure = client(fake.url())
        .post(&post(1, "42", "text"))
        .await
        .unwrap_err();
    assert!(
        !format!("{failure:?} {failure}").contains(TOKEN),
        "{failure}"
    );
    failure
}

#[tokio::test]
async fn a_message_is_sent_with_its_enforced_nonce_and_mentions_nobody() {
    let fake = FakeDiscord::start();
    let receipt = client(fake.url())
        .post(&post(7, "42", "hi @everyone"))
        .await
        .unwrap();
    let message = &fake.messages()[0];
    assert_eq!((message.channel, message.content()), (42, "hi @everyone"));
    assert_eq!(receipt.message_id.as_ref(), Some(&message.id));
    assert_eq!(message.payload["nonce"], "000000000000000000000007");
    assert_eq!(message.payload["enforce_nonce"], true);
    let mentions = &message.payload["allowed_mentions"];
    assert_eq!(mentions, &json!({ "parse": [], "users": [], "roles": [] }));
    let agent = &fake.requests()[0].user_agent;
    assert!(
        agent.starts_with("DiscordBot (https://") && agent.ends_with(')'),
        "{agent}"
    );
}

#[tokio::test]
async fn options_become_the_fields_of_the_message() {
    let fake = FakeDiscord::start();
    let options = json!({
        "allowed_mentions": { "parse": ["roles"], "users": ["7", 8], "replied_user": true },
        "embeds": [{ "title": "T", "color": 255, "fields": [{ "name": "n", "value": "v", "inline": true }] }],
        "flags": 4,
    });
    client(fake.url())
        .post(&with_options(1, "42", "", options))
        .await
        .unwrap();
    let payload = &fake.messages()[0].payload;
    let mentions = &payload["allowed_mentions"];
    assert_eq!(mentions["parse"], json!(["roles"]));
    assert_eq!(mentions["users"], json!(["7", "8"]));
    assert_eq!(mentions["replied_user"], true);
    assert_eq!(payload["embeds"][0]["title"], "T");
    assert_eq!(payload["embeds"][0]["color"], 255);
    assert_eq!(payload["embeds"][0]["fields"][0]["inline"], true);
    assert_eq!(payload["flags"], 4);
    assert_eq!(payload.get("content"), None);
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    let fake = FakeDiscord::start();
    let answer = |status| Reply::Answer(status, Vec::new(), String::new());
    for (reply, says) in [
        (answer(500), "500"),
        (answer(503), "503"),
        (Reply::bad_gateway(), "502"),
        (answer(408), "408"),
        (answer(302), "is `discord.api_url` right?"),
        (Reply::StoreAndAnswer(500, String::new()), "500"),
        (
            Reply::StoreAndAnswer(200, "<html>".into()),
            "without a message id",
        ),
        (
            Reply::StoreAndAnswer(200, "{\"id\": 7}".into()),
            "without a message id",
        ),
        (
            Reply::StoreAndAnswer(204, String::new()),
            "without a message id",
        ),
        (Reply::Hang, "did not answer within 500ms"),
        (Reply::CutBefore, "was lost"),
        (Reply::CutAfter, "was lost"),
        (Reply::SlowBody, "did not end within 500ms"),
        (Reply::GiantBody, "longer than 262144 bytes"),
    ] {
        let failure = met_with(&fake, reply.clone()).await;
        let (PostFailure::Transient(text) | PostFailure::TimedOut(text)) = &failure else {
            panic!("{reply:?} is {failure:?}");
        };
        let timed_out = matches!(failure, PostFailure::TimedOut(_));
        assert_eq!(timed_out, says.ends_with("within 500ms"), "{failure:?}");
        assert!(text.contains(says), "{reply:?} says {text}");
    }
    assert_eq!(
        fake.messages().len(),
        1,
        "one nonce is one message, however often it was sent"
    );
}

#[tokio::test]
async fn refusals_say_whose_fault_it_is_with_discords_words() {
    let fake = FakeDiscord::start();
    let unauthorized = met_with(&fake, Reply::error(401, 0, "401: Unauthorized")).await;
    let says = "Discord does not accept the token (401): 401: Unauthorized (code 0)";
    assert_eq!(unauthorized, PostFailure::Unauthorized(says.into()));
    let forbidden = met_with(&fake, Reply::error(403, 50013, "Missing Permissions")).await;
    let says = "Discord refuses channel 42 (403): Missing Permissions (code 50013)";
    assert_eq!(forbidden, PostFailure::Forbidden(says.into()));
    let unknown = met_with(&fake, Reply::error(404, 10003, "Unknown Channel")).await;
    let says = "Discord refuses channel 42 (404): Unknown Channel (code 10003)";
    assert_eq!(unknown, PostFailure::Forbidden(says.into()));
    let rejected = met_with(&fake, Reply::error(400, 50035, "Invalid Form Body")).await;
    let says = "Discord rejects the message (400): Invalid Form Body (code 50035)";
    assert_eq!(rejected, PostFailure::Rejected(says.into()));
    let gone = met_with(&fake, Reply::Answer(410, Vec::new(), "no JSON".into())).await;
    assert_eq!(
        gone,
        PostFailure::Rejected("Discord rejects the message (410)".into())
    );
}

#[tokio::test]
async fn what_discord_says_is_quoted_in_one_short_line_without_the_token() {
    let fake = FakeDiscord::start();
    let long = format!("{TOKEN}\n\x1b[31m{}", "x".repeat(100_000));
    let PostFailure::Rejected(text) = met_with(&fake, Reply::error(400, 1, &long)).await else {
        panic!("not rejected");
    };
    assert!(
        text.len() < 500 && !text.contains(char::is_control),
        "{text}"
    );
    assert!(text.contains("***"), "{text}");
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized_and_shown_nowhere() {
    let fake = FakeDiscord::start();
    let options = DiscordOptions::new(fake.url(), "another-secret".into());
    assert!(!format!("{options:?}").contains("another-secret"));
    let client = Discord::new(options).unwrap();
    assert!(!format!("{client:?}").contains("another-secret"));
    let failure = client.post(&post(1, "42", "text")).await.unwrap_err();
    assert!(
        matches!(failure, PostFailure::Unauthorized(_)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_transient_and_names_the_origin() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let failure = client(&url).post(&post(1, "42", "text")).await.unwrap_err();
    let PostFailure::Transient(text) = failure else {
        panic!("{failure:?}");
    };
    assert!(
        text.starts_with(&format!("cannot connect to {url}: ")),
        "{text}"
    );
}

#[tokio::test]
async fn the_wait_of_a_429_is_heard_wherever_it_stands_and_kept_sane() {
    let fake = FakeDiscord::start();
    let header = |value: &str| vec![("Retry-After", value.to_owned())];
    for (headers, body, seconds) in [
        (header("0.4"), "", 0.4),
        (header("2"), r#"{"retry_after": 1.5}"#, 2.0),
        (Vec::new(), r#"{"retry_after": 1.5}"#, 1.5),
        (Vec::new(), "<html>", 1.0),
        (header("soon"), r#"{"retry_after": 0.25}"#, 0.25),
        (header("-3"), "", 1.0),
        (header("NaN"), "", 1.0),
        (header("0"), "", 0.05),
        (header("1e300"), "", 3600.0),
    ] {
        let reply = Reply::Answer(429, headers, body.into());
        let wait = PostFailure::RateLimited(Duration::from_secs_f64(seconds));
        assert_eq!(met_with(&fake, reply.clone()).await, wait, "{reply:?}");
    }
}

/// The wait that the client asks for by itself.
async fn refused(client: &Discord, channel: &str) -> Duration {
    match client.post(&post(9, channel, "text")).await {
        Err(PostFailure::RateLimited(wait)) => wait,
        other => panic!("{channel}: {other:?}"),
    }
}

#[tokio::test]
async fn a_429_of_a_channel_holds_back_that_channel_only() {
    let fake = FakeDiscord::start();
    let client = client(fake.url());
    fake.script([Reply::rate_limited(30.0, false)]);
    assert_eq!(refused(&client, "1").await, Duration::from_secs(30));
    let rest = refused(&client, "1").await;
    assert!(
        rest > Duration::from_secs(20) && rest < Duration::from_secs(30),
        "{rest:?}"
    );
    client.post(&post(2, "2", "text")).await.unwrap();
    assert_eq!(
        fake.requests().len(),
        2,
        "the second refusal cost no request"
    );
}

#[tokio::test]
async fn a_global_429_holds_back_every_channel() {
    for reply in [
        Reply::rate_limited(30.0, true),
        Reply::Answer(
            429,
            vec![
                ("X-RateLimit-Scope", "global".into()),
                ("Retry-After", "30".into()),
            ],
            String::new(),
        ),
        Reply::Answer(
            429,
            Vec::new(),
            r#"{"retry_after": 30, "global": true}"#.into(),
        ),
    ] {
        let fake = FakeDiscord::start();
        let client = client(fake.url());
        fake.script([reply]);
        refused(&client, "1").await;
        assert!(refused(&client, "2").await > Duration::from_secs(20));
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_wait_that_is_over_holds_nothing_back() {
    let fake = FakeDiscord::start();
    let client = client(fake.url());
    fake.script([Reply::rate_limited(0.05, true)]);
    let wait = refused(&client, "1").await;
    tokio::time::sleep(wait).await;
    client.post(&post(1, "1", "text")).await.unwrap();
}

#[tokio::test]
async fn a_success_that_spends_the_bucket_delays_the_next_post_to_that_channel() {
    let fake = FakeDiscord::start();
    let client = client(fake.url());
    let bucket = |remaining: &str| {
        Reply::StoreWith(vec![
            ("X-RateLimit-Remaining", remaining.to_owned()),
            ("X-RateLimit-Reset-After", "30.5".to_owned()),
        ])
    };
    fake.script([bucket("1"), bucket("0")]);
    client.post(&post(1, "1", "first")).await.unwrap();
    client.post(&post(2, "1", "second")).await.unwrap();
    assert!(refused(&client, "1").await > Duration::from_secs(25));
    client.post(&post(3, "2", "elsewhere")).await.unwrap();
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn what_discord_would_surely_refuse_costs_no_request() {
    let fake = FakeDiscord::start();
    let client = client(fake.url());
    let rejected = [
        (post(1, "42", &"é".repeat(2001)), "2001"),
        (post(1, "42", " \n"), "empty"),
        (
            with_options(1, "42", "x", json!({ "content": "y" })),
            "`content`",
        ),
        (with_options(1, "42", "x", json!({ "embeds": 5 })), "embeds"),
        (mentioning(json!({ "parse": ["all"] })), "\"all\""),
        (mentioning(json!({ "users": [0] })), "ids"),
        (mentioning(json!({ "users": ["0"] })), "ids"),
        (mentioning(json!({ "everyone": true })), "everyone"),
        (mentioning(json!("everyone")), "table"),
    ];
    for (post, says) in rejected {
        match client.post(&post).await.unwrap_err() {
            PostFailure::Rejected(text) => assert!(text.contains(says), "{text}"),
            other => panic!("{says}: {other:?}"),
        }
    }
    for channel in ["", "0", "stdout", "1/../2", "-1", "99999999999999999999"] {
        let failure = client.post(&post(1, channel, "text")).await.unwrap_err();
        assert!(
            matches!(failure, PostFailure::Forbidden(_)),
            "{channel}: {failure:?}"
        );
    }
    assert_eq!(fake.requests().len(), 0);
    client
        .post(&post(1, "42", &"é".repeat(2000)))
        .await
        .unwrap();
}

fn mentioning(mentions: Value) -> actor_server::domain::post::Post {
    with_options(1, "42", "text", json!({ "allowed_mentions": mentions }))
}

#[test]
fn an_api_url_is_an_origin_and_a_token_fits_a_header() {
    let made =
        |url: &str, token: &str| Discord::new(DiscordOptions::new(url, token.into())).map(drop);
    for url in [
        "https://discord.com",
        "https://discord.com/",
        "http://127.0.0.1:4000",
        "http://[::1]:1",
    ] {
        assert_eq!(made(url, "token"), Ok(()), "{url}");
    }
    for url in [
        "",
        "discord.com",
        "ftp://discord.com",
        "https://discord.com/api/v10",
        "https://discord.com?a",
        "https://discord.com/#a",
        "https://user:hunter2@discord.com",
        "https://",
    ] {
        let error = made(url, "token").unwrap_err();
        assert!(
            error.contains("write it like https://discord.com"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = made("https://discord.com", "a\nsecret").unwrap_err();
    assert!(!error.contains("secret"), "{error}");
}
