//! Whether a post has arrived, told by what its channel has.

use std::time::Duration;

use actor_server::{
    domain::post::Post,
    platforms::{
        ContentPoster, Found, PostFailure, Receipt,
        discord::{Discord, DiscordOptions},
    },
};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    discord::{FakeDiscord, Reading, Reply, Rules, TOKEN},
    posts::{post, with_options},
};

fn client(fake: &FakeDiscord) -> Discord {
    Discord::new(DiscordOptions::new(fake.url(), TOKEN.into())).unwrap()
}

/// A fake whose messages show no nonces.
fn silent() -> FakeDiscord {
    let fake = FakeDiscord::start();
    fake.rules(Rules {
        shows_nonces: false,
        ..Rules::default()
    });
    fake
}

/// A post that was stored just now.
fn fresh(n: i64, body: &str) -> Post {
    Post {
        created_at: Utc::now(),
        ..post(n, "42", body)
    }
}

fn yes(id: &str) -> Found {
    Found::Yes(Receipt {
        message_id: Some(id.into()),
    })
}

#[tokio::test]
async fn a_message_with_our_nonce_is_the_post_and_one_with_another_is_not() {
    let fake = FakeDiscord::start();
    let client = client(&fake);
    fake.say(42, "hello");
    let twin = fresh(1, "same text");
    client.post(&twin).await.unwrap();
    let mine = fresh(2, "same text");
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    let sent = client.post(&mine).await.unwrap();
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::Yes(sent)));
    assert!(!fake.reads().iter().any(|path| path.ends_with("@me")));
}

#[tokio::test]
async fn without_nonces_it_is_what_the_bot_wrote_that_says_the_same_and_is_no_other_post() {
    let fake = silent();
    let client = client(&fake);
    let mine = fresh(1, " \n two\r\nlines  ");
    fake.say(42, "two\nlines");
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    fake.say_as_bot(42, json!({ "content": "two" }));
    fake.say_as_bot(43, json!({ "content": "two\nlines" }));
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    let other = fake.say_as_bot(42, json!({ "content": "two\nlines" }));
    let known = [other.id.clone()];
    assert_eq!(client.find(&mine, &[]).await, Ok(yes(&other.id)));
    assert_eq!(client.find(&mine, &known).await, Ok(Found::No));
    let ours = fake.say_as_bot(42, json!({ "content": "two\nlines" }));
    assert_eq!(client.find(&mine, &known).await, Ok(yes(&ours.id)));
    let asked = fake.reads();
    let asked = asked.iter().filter(|path| path.ends_with("@me"));
    assert_eq!(asked.count(), 1, "who the bot is does not change");
}

#[tokio::test]
async fn embeds_have_to_be_there_and_previews_of_links_may_be() {
    let fake = silent();
    let client = client(&fake);
    let with = |embeds: Value| Post {
        created_at: Utc::now(),
        ..with_options(
            1,
            "42",
            "see https://example.org",
            json!({ "embeds": embeds }),
        )
    };
    let (none, one) = (with(json!([])), with(json!([{ "title": "T" }])));
    let plain = fake.say_as_bot(42, json!({ "content": "see https://example.org" }));
    assert_eq!(client.find(&one, &[]).await, Ok(Found::No));
    assert_eq!(client.find(&none, &[]).await, Ok(yes(&plain.id)));
    let previewed = json!({ "content": "see https://example.org", "embeds": [{ "type": "link" }] });
    let previewed = fake.say_as_bot(42, previewed);
    assert_eq!(
        client.find(&none, &[plain.id]).await,
        Ok(yes(&previewed.id))
    );
}

#[tokio::test]
async fn messages_of_before_the_post_do_not_count_and_later_ones_are_all_looked_at() {
    let fake = silent();
    let client = client(&fake);
    fake.say_as_bot(42, json!({ "content": "daily" }));
    let mine = Post {
        created_at: Utc::now() + TimeDelta::minutes(5),
        ..fresh(1, "daily")
    };
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    let mine = fresh(1, "needle");
    for n in 0..250 {
        fake.say(42, &format!("hay {n}"));
    }
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    let ours = fake.say_as_bot(42, json!({ "content": "needle" }));
    assert_eq!(client.find(&mine, &[]).await, Ok(yes(&ours.id)));
    let long_ago = Post {
        created_at: chrono::DateTime::from_timestamp(0, 0).unwrap(),
        ..mine
    };
    assert_eq!(client.find(&long_ago, &[]).await, Ok(yes(&ours.id)));
}

#[tokio::test]
async fn a_channel_with_more_than_can_be_read_tells_nothing() {
    let fake = silent();
    for n in 0..2100 {
        fake.say(42, &format!("hay {n}"));
    }
    let found = client(&fake).find(&fresh(1, "needle"), &[]).await;
    assert_eq!(found, Ok(Found::CannotTell));
    assert_eq!(fake.reads().len(), 20);
}

#[tokio::test]
async fn who_may_not_read_cannot_tell_though_an_empty_channel_can_be_told() {
    let fake = FakeDiscord::start();
    let client = client(&fake);
    let mine = fresh(1, "text");
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::No));
    fake.say(42, "hello");
    for reading in [Reading::NoHistory, Reading::Forbidden] {
        fake.rules(Rules {
            reading,
            ..Rules::default()
        });
        assert_eq!(
            client.find(&mine, &[]).await,
            Ok(Found::CannotTell),
            "{reading:?}"
        );
    }
    fake.rules(Rules::default());
    let nothing = Reply::Answer(200, Vec::new(), "[]".into());
    let unknown = Reply::error(404, 0, "404: Not Found");
    fake.script_reads([nothing, unknown]);
    assert_eq!(
        client.find(&mine, &[]).await,
        Ok(Found::No),
        "a server that shows no channels"
    );
}

#[tokio::test]
async fn what_goes_wrong_while_reading_is_said_as_of_posts() {
    let fake = FakeDiscord::start();
    let client = client(&fake);
    let mine = fresh(1, "text");
    let says = |status: u16, body: &str| Reply::Answer(status, Vec::new(), body.into());
    for (reply, is) in [
        (says(500, ""), "Transient"),
        (says(200, "{}"), "Transient"),
        (says(200, "<html>"), "Transient"),
        (says(200, r#"[{"id": 7}]"#), "Transient"),
        (Reply::CutBefore, "Transient"),
        (Reply::error(404, 10003, "Unknown Channel"), "Forbidden"),
        (Reply::error(401, 0, "no"), "Unauthorized"),
        (Reply::rate_limited(60.0, false), "RateLimited"),
    ] {
        fake.script_reads([reply.clone()]);
        let failure = client.find(&mine, &[]).await.unwrap_err();
        assert!(
            format!("{failure:?}").starts_with(is),
            "{reply:?}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_short_limit_is_waited_out_while_reading() {
    let fake = FakeDiscord::start();
    let client = client(&fake);
    let mine = fresh(1, "text");
    let sent = client.post(&mine).await.unwrap();
    fake.script_reads([
        Reply::rate_limited(0.1, false),
        Reply::rate_limited(0.1, true),
    ]);
    assert_eq!(client.find(&mine, &[]).await, Ok(Found::Yes(sent)));
}

#[tokio::test]
async fn how_long_nonces_are_trusted_can_be_set() {
    let fake = FakeDiscord::start();
    assert_eq!(client(&fake).remembers(), Some(Duration::from_secs(60)));
    let short = Discord::new(DiscordOptions {
        nonce_window: Duration::from_secs(2),
        ..DiscordOptions::new(fake.url(), TOKEN.into())
    });
    assert_eq!(short.unwrap().remembers(), Some(Duration::from_secs(2)));
    let wrong = client(&fake).find(&post(1, "stdout", "text"), &[]).await;
    assert!(matches!(wrong, Err(PostFailure::Forbidden(_))), "{wrong:?}");
}
