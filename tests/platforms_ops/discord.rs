//! A Discord channel, through a webhook and as the bot.

use std::time::Duration;

use actor_server::{
    domain::alert::{Severity, Stage},
    platforms::ops::{
        OpsChannel,
        discord::{DiscordOps, DiscordOpsOptions},
    },
};
use serde_json::{Value, json};

use super::{
    at_stage, hostile, later, never, notice,
    receiver::{Meet, Receiver},
    test,
};

const TOKEN: &str = "a-bot-token.that-is-secret";

fn none() -> DiscordOpsOptions {
    DiscordOpsOptions {
        webhook_url: None,
        channel_id: None,
        api_url: "https://discord.com".into(),
        token: None,
    }
}

pub(crate) fn webhook(url: &str) -> DiscordOps {
    DiscordOps::new(DiscordOpsOptions {
        webhook_url: Some(url.into()),
        ..none()
    })
    .unwrap()
}

pub(crate) fn bot(receiver: &Receiver) -> DiscordOps {
    DiscordOps::new(DiscordOpsOptions {
        channel_id: Some(42),
        api_url: receiver.url(""),
        token: Some(TOKEN.into()),
        ..none()
    })
    .unwrap()
}

#[tokio::test]
async fn a_webhook_is_told_and_says_whether_the_message_is_stored() {
    let receiver = Receiver::that(Meet::says(200, json!({ "id": "1" })));
    let url = receiver.url("/api/webhooks/7/a-secret-token?thread_id=9&wait=false");
    webhook(&url).deliver(&notice()).await.unwrap();
    let taken = receiver.only();
    assert_eq!(
        taken.line,
        "POST /api/webhooks/7/a-secret-token?thread_id=9&wait=true"
    );
    assert!(
        taken
            .header("user-agent")
            .starts_with("DiscordBot (https://")
    );
    assert_eq!(taken.header("authorization"), "");
    let message = taken.json();
    assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
    assert!(message.get("nonce").is_none() && message.get("content").is_none());
    assert_eq!(
        message["embeds"],
        json!([{
            "title": "daily has failed 3 times in a row",
            "description": "run 7 failed: the feed is gone\nrun 8 failed: the feed is gone",
            "color": 0x00f1_c40f,
            "timestamp": "2026-03-01T12:01:00.000Z",
            "fields": [
                { "name": "Severity", "value": "warning", "inline": true },
                { "name": "Since", "value": "<t:1772366400:F> (<t:1772366400:R>)", "inline": true },
                { "name": "Bot", "value": "daily", "inline": true },
                { "name": "Runbook", "value": "<https://runbooks.example/failures.md>", "inline": false },
            ],
            "footer": { "text": "raised · failures/daily" },
        }])
    );
}

#[tokio::test]
async fn the_bot_posts_with_a_nonce_that_every_attempt_repeats() {
    let receiver = Receiver::start();
    receiver.script([Meet::Cut, Meet::status(502)]);
    let bot = bot(&receiver);
    later(bot.deliver(&notice()).await);
    later(bot.deliver(&notice()).await);
    bot.deliver(&notice()).await.unwrap();
    bot.deliver(&test()).await.unwrap();
    let mut other = test();
    other.id = "another".into();
    bot.deliver(&other).await.unwrap();
    let taken = receiver.taken();
    let nonces: Vec<Value> = taken
        .iter()
        .map(|one| one.json()["nonce"].clone())
        .collect();
    assert!(
        nonces[..4].iter().all(|nonce| *nonce == nonces[0]),
        "{nonces:?}"
    );
    assert_ne!(nonces[4], nonces[0]);
    assert_eq!(nonces[0].as_str().unwrap().len(), 24);
    for one in &taken {
        assert_eq!(one.line, "POST /api/v10/channels/42/messages");
        assert_eq!(one.header("authorization"), format!("Bot {TOKEN}"));
        assert_eq!(one.json()["enforce_nonce"], true);
    }
}

#[tokio::test]
async fn the_colour_is_that_of_the_severity_and_green_when_it_is_over() {
    let receiver = Receiver::start();
    let bot = bot(&receiver);
    for severity in Severity::ALL {
        let mut notice = notice();
        notice.severity = severity;
        bot.deliver(&notice).await.unwrap();
    }
    bot.deliver(&at_stage(Stage::Recovered)).await.unwrap();
    let taken = receiver.taken();
    let colours: Vec<Value> = taken
        .iter()
        .map(|one| one.json()["embeds"][0]["color"].clone())
        .collect();
    assert_eq!(
        colours,
        [
            0x0034_98db,
            0x00f1_c40f,
            0x00e6_7e22,
            0x00e7_4c3c,
            0x002e_cc71
        ]
    );
}

#[tokio::test]
async fn a_hostile_notice_mentions_nobody_links_nowhere_and_fits() {
    let receiver = Receiver::start();
    bot(&receiver).deliver(&hostile()).await.unwrap();
    let message = receiver.only().json();
    assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
    let embed = &message["embeds"][0];
    for (part, longest) in [("title", 256), ("description", 4096)] {
        let text = embed[part].as_str().unwrap();
        assert!(text.chars().count() <= longest);
        for command in [
            "```",
            " @everyone",
            " <@",
            " [a]",
            "https:/",
            "\0",
            "\x1b",
            "\u{202e}",
        ] {
            assert!(!text.contains(command), "{part} has {command:?}");
        }
    }
    let names: Vec<&Value> = embed["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["name"])
        .collect();
    assert_eq!(
        names,
        ["Severity", "Since", "Bot"],
        "no link of what is none"
    );
}

#[tokio::test]
async fn a_rate_limit_says_how_long_in_its_header_or_its_body() {
    let receiver = Receiver::start();
    let limited =
        json!({ "message": "You are being rate limited.", "retry_after": 64.57, "global": false });
    receiver.script([Meet::with(429, "Retry-After", 65), Meet::says(429, limited)]);
    let bot = bot(&receiver);
    for wait in [65.0, 64.57] {
        let (reason, after) = later(bot.deliver(&notice()).await);
        assert!(reason.contains("answered 429"), "{reason}");
        assert_eq!(after, Some(Duration::from_secs_f64(wait)));
    }
}

#[tokio::test]
async fn a_refusal_is_quoted_without_the_secret() {
    let receiver = Receiver::start();
    let echo =
        |secret: &str| json!({ "message": format!("Unknown Webhook {secret}"), "code": 10015 });
    receiver.script([
        Meet::says(404, echo("a-secret-token-of-a-webhook")),
        Meet::says(401, echo(TOKEN)),
    ]);
    let url = receiver.url("/api/webhooks/7/a-secret-token-of-a-webhook");
    let first = never(webhook(&url).deliver(&notice()).await);
    let second = never(bot(&receiver).deliver(&notice()).await);
    for reason in [first, second] {
        assert!(
            reason.contains("Unknown Webhook ***") && reason.contains("10015"),
            "{reason}"
        );
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[test]
fn a_way_to_discord_is_a_webhook_or_a_channel_with_a_token() {
    let webhook_url = || Some("https://discord.com/api/webhooks/7/x".into());
    let both = DiscordOpsOptions {
        webhook_url: webhook_url(),
        channel_id: Some(1),
        ..none()
    };
    let no_token = DiscordOpsOptions {
        channel_id: Some(1),
        ..none()
    };
    let blank = DiscordOpsOptions {
        token: Some(" ".into()),
        ..no_token.clone()
    };
    let odd = DiscordOpsOptions {
        token: Some("hunter2\n2".into()),
        ..no_token.clone()
    };
    let zero = DiscordOpsOptions {
        channel_id: Some(0),
        token: Some("x".into()),
        ..none()
    };
    let path = DiscordOpsOptions {
        api_url: "https://h/api".into(),
        token: Some("x".into()),
        ..no_token.clone()
    };
    for (options, part) in [
        (none(), "one of the two"),
        (both, "one of the two"),
        (no_token, "need the bot's token"),
        (blank, "need the bot's token"),
        (odd, "no header may carry"),
        (zero, "no channel of Discord"),
        (path, "is no origin"),
    ] {
        let wrong = DiscordOps::new(options).err().unwrap();
        assert!(
            wrong.contains(part) && !wrong.contains("hunter2"),
            "{wrong}"
        );
    }
}
