//! Posts to Discord, against a fake that fails as it is told.

use std::time::Duration;

use crate::{
    bots::{Bot, SERVER, config_with},
    discord::{FakeDiscord, Reply, TOKEN},
    server::{DEADLINE, Home},
};

/// One bot that posts once to channel 42.
fn posts_once(fake: &FakeDiscord, retry: &str) -> Home {
    let bot = Bot::new("bot", "type = \"Immediate\"")
        .with("channel_id = \"42\"")
        .retry(retry);
    home(fake, &[bot])
}

fn home(fake: &FakeDiscord, bots: &[Bot]) -> Home {
    let head = format!("{SERVER}\n[discord]\napi_url = \"{}\"\n", fake.url());
    let home = Home::new(&config_with(&head, bots));
    home.set("DISCORD_TOKEN", TOKEN);
    home.set("RUST_LOG", "trace");
    home
}

fn assert_the_token_is_nowhere(home: &Home) {
    let secret = "with-a-secret";
    assert!(TOKEN.contains(secret));
    assert!(!home.stderr().contains(secret), "the token is in the log");
    assert!(!home.stdout().contains(secret));
}

const QUICK: &str = "max_attempts = 3\ninitial_backoff_seconds = 0.1";

#[test]
fn a_post_arrives_with_its_nonce_and_mentions_nobody() {
    let fake = FakeDiscord::start();
    let home = posts_once(&fake, QUICK);
    let server = home.start();
    let ledger = server.wait_for("the run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let (messages, post) = (fake.messages(), &ledger.posts[0]);
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].channel, messages[0].content()),
        (42, post.body.as_str())
    );
    assert_eq!(messages[0].payload["nonce"], post.nonce.as_str());
    assert_eq!(messages[0].payload["enforce_nonce"], true);
    assert_eq!(
        messages[0].payload["allowed_mentions"]["parse"],
        serde_json::json!([])
    );
    assert_eq!(
        post.platform_message_id.as_deref(),
        Some(messages[0].id.as_str())
    );
    assert_eq!(
        (post.platform.as_str(), post.destination.as_str()),
        ("discord", "42")
    );
    server.stop();
    assert_the_token_is_nowhere(&home);
}

#[test]
fn a_rate_limit_is_waited_for_and_is_no_attempt() {
    let fake = FakeDiscord::start();
    fake.script([
        Reply::rate_limited(0.5, false),
        Reply::rate_limited(0.5, true),
    ]);
    let home = posts_once(&fake, "max_attempts = 1");
    let server = home.start();
    let ledger = server.wait_for("the run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    assert_eq!(fake.requests().len(), 3);
    assert_eq!(
        (ledger.posts[0].status.as_str(), ledger.posts[0].attempts),
        ("sent", 1)
    );
    let run = ledger.of("bot")[0];
    let took = crate::ledger::time(run.completed_at.as_deref().unwrap())
        - crate::ledger::time(run.started_at.as_deref().unwrap());
    assert!(took >= chrono::TimeDelta::milliseconds(1000), "{took}");
    server.stop();
}

#[test]
fn errors_that_may_pass_are_retried_with_the_same_nonce() {
    let fake = FakeDiscord::start();
    fake.script([Reply::bad_gateway(), Reply::error(500, 0, "oops")]);
    let home = posts_once(&fake, QUICK);
    let server = home.start();
    let ledger = server.wait_for("the run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let requests = fake.requests();
    assert_eq!((requests.len(), fake.messages().len()), (3, 1));
    assert!(
        requests
            .iter()
            .all(|request| request.payload["nonce"] == ledger.posts[0].nonce.as_str())
    );
    assert_eq!(
        (ledger.posts.len(), ledger.posts[0].attempts),
        (1, 3),
        "{ledger}"
    );
    server.stop();
}

#[test]
fn a_connection_cut_after_the_message_was_stored_does_not_double_it() {
    let fake = FakeDiscord::start();
    fake.script([Reply::CutAfter]);
    let home = posts_once(&fake, QUICK);
    let server = home.start();
    let ledger = server.wait_for("the run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    assert_eq!((fake.requests().len(), fake.messages().len()), (2, 1));
    assert_eq!(
        ledger.posts[0].platform_message_id.as_deref(),
        Some(fake.messages()[0].id.as_str())
    );
    server.stop();
}

#[test]
fn a_post_whose_attempts_are_spent_is_dead_and_the_run_has_failed() {
    let fake = FakeDiscord::start();
    fake.otherwise(Some(Reply::bad_gateway()));
    let home = posts_once(&fake, QUICK);
    let server = home.start();
    let ledger = server.wait_for("the end", |ledger| !ledger.with("bot", "failed").is_empty());
    let post = &ledger.posts[0];
    assert_eq!(
        (post.status.as_str(), post.attempts),
        ("dead", 3),
        "{ledger}"
    );
    assert!(
        post.error_message.as_deref().unwrap().contains("502"),
        "{ledger}"
    );
    assert_eq!(fake.requests().len(), 3);
    server.stop();
}

#[test]
fn a_refused_channel_holds_its_bot_and_no_other() {
    let fake = FakeDiscord::start();
    fake.otherwise(Some(Reply::error(403, 50013, "Missing Permissions")));
    let bots = [
        Bot::every(1, "bot").with("channel_id = \"42\""),
        Bot::every(1, "fine"),
    ];
    let home = home(&fake, &bots);
    let server = home.start();
    server.wait_for("slots under the hold", |ledger| {
        ledger.is_held("bot", "refused")
            && ledger
                .because("bot", "refused")
                .iter()
                .any(|row| row.slots >= 2)
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(ledger.with("bot", "failed").len(), 1, "{ledger}");
    assert_eq!(
        ledger.because("bot", "refused").len(),
        1,
        "one growing row: {ledger}"
    );
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    assert_eq!(fake.requests().len(), 1, "nobody knocks again");
    assert!(ledger.with("fine", "succeeded").len() >= 2);
    assert_the_token_is_nowhere(&home);
}

#[test]
fn a_token_that_is_not_accepted_fails_the_run_and_the_post_waits_for_a_good_one() {
    let fake = FakeDiscord::start();
    let home = posts_once(&fake, QUICK);
    let bad = "a-bad-token.that-nobody-may-read";
    let server = home.start_with(&[("DISCORD_TOKEN", bad)]);
    let ledger = server.wait_for("the end", |ledger| !ledger.with("bot", "failed").is_empty());
    assert!(
        ledger.state("bot").hold_kind.is_none(),
        "it is not the channel's fault"
    );
    assert_eq!(fake.requests().len(), 1, "no other attempt with that token");
    server.stop();
    assert!(!home.stderr().contains("that-nobody-may-read"));
    let server = home.start();
    let ledger = server.wait_for("the post", |ledger| ledger.posts[0].status == "sent");
    assert_eq!((fake.messages().len(), ledger.of("bot").len()), (1, 1));
    assert_eq!(
        ledger.of("bot")[0].status,
        "failed",
        "the ledger is not rewritten"
    );
    server.stop();
    assert_the_token_is_nowhere(&home);
}

#[test]
fn a_channel_without_an_answer_times_out_and_holds_up_nobody() {
    let fake = FakeDiscord::start();
    fake.script([Reply::Hang]);
    let bots = [
        Bot::new("stuck", "type = \"Immediate\"")
            .with("channel_id = \"42\"\ntimeout_seconds = 2")
            .retry(QUICK),
        Bot::every(1, "fine"),
    ];
    let home = home(&fake, &bots);
    let server = home.start();
    fake.wait_for_requests(2, DEADLINE);
    server.wait_for("the second attempt", |ledger| {
        !ledger.with("stuck", "succeeded").is_empty()
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(ledger.of("stuck")[0].attempt, 2, "{ledger}");
    assert_eq!(fake.wait_for_messages(1, Duration::ZERO).len(), 1);
    ledger.assert_every_slot_ran("fine");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_slow_database_does_not_let_a_refused_bot_knock_again() {
    let fake = FakeDiscord::start();
    fake.otherwise(Some(Reply::error(404, 10003, "Unknown Channel")));
    let home = home(&fake, &[Bot::every(1, "bot").with("channel_id = \"42\"")]);
    let server = home.start_failing("persistence.write=sleep(400)");
    server.wait_for("slots under the hold", |ledger| {
        ledger.is_held("bot", "refused")
            && ledger
                .because("bot", "refused")
                .iter()
                .any(|row| row.slots >= 2)
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(fake.requests().len(), 1, "{ledger}");
    assert_eq!(ledger.with("bot", "failed").len(), 1, "{ledger}");
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}
