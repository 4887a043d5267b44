//! Circuit breakers from outside: a server beside a Discord that fails, its ledger, and what operators see and do.

use std::{
    io::{Read, Write},
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    client::connect,
    discord::{FakeDiscord, Reply, TOKEN},
    ledger::{Ledger, Row},
    server::{DEADLINE, Home, Server, retry},
    stand::{Api, home},
};

/// Such a breaker is open for as long as the test takes.
const LONG: &str = "failure_threshold = 2\ntimeout_seconds = 3600";
const SHORT: &str = "failure_threshold = 2\ntimeout_seconds = 1\nsuccess_threshold = 2";

/// A bot with a slot every second.
fn bot(name: &str, file: &str, channel: Option<u64>) -> String {
    let channel = channel.map(|id| format!("channel_id = \"{id}\"\n"));
    format!(
        "[[actors]]\nname = \"{name}\"\nconfig_file = \"{file}\"\n{}\
         [actors.retry]\nmax_attempts = 50\ninitial_backoff_seconds = 0.1\nmultiplier = 1\n\
         [actors.schedule]\ntype = \"Interval\"\nseconds = 1\n",
        channel.unwrap_or_default()
    )
}

fn poster(name: &str, channel: u64) -> String {
    bot(name, "post.toml", Some(channel))
}

fn config(fake: &FakeDiscord, token: &str, breaker: &str, bots: &[String]) -> String {
    format!(
        "[discord]\napi_url = \"{}\"\ntoken = \"{token}\"\n[breaker]\n{breaker}\n{}",
        fake.url(),
        bots.concat()
    )
}

fn home_of(fake: &FakeDiscord, breaker: &str, bots: &[String]) -> Home {
    home(&config(fake, TOKEN, breaker, bots))
}

fn skipped<'a>(ledger: &'a Ledger, bot: &str) -> Vec<&'a Row> {
    ledger.because(bot, "breaker_open")
}

fn slots_skipped(ledger: &Ledger, bot: &str) -> i64 {
    skipped(ledger, bot).iter().map(|row| row.slots).sum()
}

fn requests(fake: &FakeDiscord, channel: u64) -> usize {
    let all = fake.requests().into_iter();
    all.filter(|request| request.channel == channel).count()
}

/// The state of a breaker, as operators see it.
fn state(api: &Api, dependency: &str) -> Option<String> {
    let tree = api.read("/api/v1/supervision");
    let breakers = tree["breakers"].as_array().unwrap();
    let mut breakers = breakers.iter();
    let found = breakers.find(|one| one["dependency"] == dependency)?;
    Some(found["state"].as_str().unwrap().to_owned())
}

fn becomes(api: &Api, server: &Server<'_>, dependency: &str, right: &str) {
    let found = retry(DEADLINE, || {
        (state(api, dependency).as_deref() == Some(right)).then_some(())
    });
    assert!(found.is_some(), "never {right}: {}", server.story());
}

/// All that was ever stored as a post has arrived, once.
fn assert_all_posts_arrived_once(ledger: &Ledger, fake: &FakeDiscord, bot: &str, channel: u64) {
    let posts = ledger.posts_of(bot);
    assert!(posts.iter().all(|post| post.status == "sent"), "{ledger}");
    let messages = fake.messages().into_iter();
    let messages: Vec<_> = messages.filter(|one| one.channel == channel).collect();
    assert_eq!(messages.len(), posts.len(), "{ledger}");
    for post in posts {
        let same = |one: &&_| {
            let one: &crate::discord::Stored = one;
            one.payload["nonce"] == post.nonce.as_str()
        };
        assert_eq!(messages.iter().filter(same).count(), 1, "{ledger}");
    }
}

#[test]
fn a_channel_that_fails_rests_and_comes_back_while_all_others_go_on() {
    let fake = FakeDiscord::start();
    fake.channel(1, Some(Reply::error(500, 0, "oops")));
    let bots = [
        poster("bad", 1),
        poster("good", 2),
        bot("quiet", "quiet.toml", Some(1)),
        bot("console", "post.toml", None),
    ];
    let home = home_of(&fake, SHORT, &bots);
    let server = home.start();
    let api = Api::with_role(&home, &server, "readonly");
    let mut stream = connect(server.address("api"));
    stream
        .write_all(b"GET /api/v1/stream HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let ledger = server.wait_for("slots under an open breaker", |ledger| {
        slots_skipped(ledger, "bad") >= 4
    });
    for row in skipped(&ledger, "bad") {
        let nothing = (row.success, row.started_at.as_ref());
        assert_eq!((row.status.as_str(), nothing), ("skipped", (None, None)));
    }
    assert_ne!(state(&api, "discord:1").as_deref(), Some("closed"));
    for closed in ["discord", "discord:2"] {
        assert_eq!(state(&api, closed).as_deref(), Some("closed"));
    }
    assert_eq!(state(&api, "console"), None, "the console has none");
    fake.channel(1, None);
    server.wait_for("a run after the outage", |ledger| {
        !ledger.with("bad", "succeeded").is_empty()
    });
    becomes(&api, &server, "discord:1", "closed");
    server.stop();
    let ledger = home.ledger();
    assert!(!ledger.state("bad").is_paused, "{ledger}");
    ledger.assert_every_slot_is_accounted_for("bad", 1);
    for other in ["good", "quiet", "console"] {
        ledger.assert_every_slot_ran(other);
    }
    assert_all_posts_arrived_once(&ledger, &fake, "bad", 1);
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    for state in ["open", "half_open", "closed"] {
        let line = format!("\"state\":\"{state}\"");
        assert!(
            told.contains("event: breaker_changed") && told.contains(&line),
            "{told}"
        );
    }
}

#[test]
fn a_refused_token_is_asked_once_and_a_new_one_sends_what_waited() {
    let fake = FakeDiscord::start();
    let bots = [poster("a", 1), poster("b", 2)];
    let home = home(&config(&fake, "old", LONG, &bots));
    let server = home.start();
    let both = |ledger: &Ledger, slots| {
        slots_skipped(ledger, "a") >= slots && slots_skipped(ledger, "b") >= slots
    };
    server.wait_for("slots under the breaker", |ledger| both(ledger, 3));
    let asked = fake.requests().len();
    assert!((1..=2).contains(&asked), "{asked} requests");
    server.kill();

    let server = home.start();
    let api = Api::with_role(&home, &server, "operator");
    assert_eq!(state(&api, "discord").as_deref(), Some("open"), "forgotten");
    server.wait_for("more of them", |ledger| both(ledger, 6));
    assert_eq!(fake.requests().len(), asked, "it knocks again");
    let triggered = api.post("/api/v1/actors/a/trigger", &json!({}));
    assert_eq!(triggered.status, 200, "{triggered:?}");
    let ledger = server.wait_for("the run by hand", |ledger| {
        let ended = ledger.with("a", "failed");
        ended.iter().any(|row| row.scheduled_for.is_none())
    });
    assert_eq!(fake.requests().len(), asked + 1, "{ledger}");
    assert_eq!(ledger.state("a").consecutive_failures, 0, "{ledger}");

    home.configure(&config(&fake, TOKEN, LONG, &bots));
    server.signal(Signal::SIGHUP);
    server.wait_for_log("configuration reloaded");
    assert_eq!(state(&api, "discord").as_deref(), Some("closed"));
    server.wait_for("all posts", |ledger| {
        let sent = |bot| {
            ledger
                .posts_of(bot)
                .iter()
                .all(|post| post.status == "sent")
        };
        sent("a") && sent("b") && !ledger.with("b", "succeeded").is_empty()
    });
    server.stop();
    let ledger = home.ledger();
    for (bot, channel) in [("a", 1), ("b", 2)] {
        assert_all_posts_arrived_once(&ledger, &fake, bot, channel);
    }
    ledger.assert_every_slot_is_accounted_for("b", 1);
}

#[test]
fn a_refused_channel_and_a_rate_limit_open_nothing() {
    let fake = FakeDiscord::start();
    fake.channel(1, Some(Reply::error(403, 50001, "Missing Access")));
    fake.channel(2, Some(Reply::error(404, 10003, "Unknown Channel")));
    fake.script((0..5).map(|_| Reply::rate_limited(0.1, false)));
    let bots = [poster("forbidden", 1), poster("gone", 2), poster("slow", 3)];
    let home = home_of(&fake, "failure_threshold = 1", &bots);
    let server = home.start();
    let api = Api::anonymous(&server);
    server.wait_for("what becomes of them", |ledger| {
        ledger.is_held("forbidden", "refused")
            && ledger.is_held("gone", "refused")
            && !ledger.with("slow", "succeeded").is_empty()
    });
    for channel in ["discord", "discord:1", "discord:2", "discord:3"] {
        assert_eq!(state(&api, channel).as_deref(), Some("closed"), "{channel}");
    }
    server.stop();
    let ledger = home.ledger();
    for bot in ["forbidden", "gone", "slow"] {
        assert!(skipped(&ledger, bot).is_empty(), "{ledger}");
    }
}

#[test]
fn an_admin_closes_a_breaker_by_hand_and_nobody_else_does() {
    let fake = FakeDiscord::start();
    fake.channel(1, Some(Reply::error(500, 0, "oops")));
    let home = home_of(&fake, LONG, &[poster("bot", 1)]);
    let server = home.start();
    let [operator, admin] = ["operator", "admin"].map(|role| Api::with_role(&home, &server, role));
    server.wait_for("slots under the breaker", |ledger| {
        slots_skipped(ledger, "bot") >= 2
    });
    assert_eq!(requests(&fake, 1), 2, "the threshold");
    let reset = "/api/v1/breakers/discord:1/reset";
    operator.post(reset, &json!({})).assert_problem(403);
    for unknown in ["discord:7", "console", "%00"] {
        let path = format!("/api/v1/breakers/{unknown}/reset");
        admin.post(&path, &json!({})).assert_problem(404);
    }
    fake.channel(1, None);
    let done = admin.post(reset, &json!({}));
    assert_eq!(
        (done.status, &done.json()["dependency"]),
        (200, &json!("discord:1"))
    );
    assert_eq!(state(&admin, "discord:1").as_deref(), Some("closed"));
    fake.wait_for_messages(2, DEADLINE);
    server.wait_for("the post of the run that failed", |ledger| {
        ledger
            .posts_of("bot")
            .iter()
            .all(|post| post.status == "sent")
    });
    server.stop();
    let ledger = home.ledger();
    assert_all_posts_arrived_once(&ledger, &fake, "bot", 1);
    let server = home.start();
    assert_eq!(
        state(&Api::anonymous(&server), "discord:1").as_deref(),
        Some("closed"),
        "the reset is stored"
    );
    assert!(server.stop() < Duration::from_secs(20));
}
