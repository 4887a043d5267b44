//! Posts of several bots to one channel, while Discord cuts connections after storing, answers 429 and 500, and the
//! process is killed again and again: every stored post arrives once, in the order of being stored.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{
    bots::{Bot, SERVER, config_with},
    discord::{FakeDiscord, Reply, TOKEN},
    ledger::Ledger,
    server::Home,
};

const CHANNELS: [u64; 2] = [42, 43];

/// Three bots to the first channel and one to the second; nothing is given up, and no breaker opens.
fn home(fake: &FakeDiscord) -> Home {
    let head = format!(
        "{SERVER}\n[breaker]\nfailure_threshold = 10000\n[discord]\napi_url = \"{}\"\n",
        fake.url()
    );
    let retry = "max_attempts = 1000\ninitial_backoff_seconds = 0.02\nmax_backoff_seconds = 0.1";
    let to = |name, channel: u64| {
        let bot = Bot::every(1, name).with(&format!("channel_id = \"{channel}\""));
        bot.retry(retry)
    };
    let bots = [
        to("one", 42),
        to("two", 42).with("recover_in_flight = true"),
        to("three", 42).with("overlap = \"allow_all\""),
        to("four", 43),
    ];
    let home = Home::new(&config_with(&head, &bots));
    home.set("DISCORD_TOKEN", TOKEN);
    home
}

/// A number below `most`, another one each time.
fn some(most: u64) -> u64 {
    RandomState::new().hash_one(most) % most
}

fn trouble() -> Reply {
    match some(7) {
        0 | 1 => Reply::CutAfter,
        2 => Reply::CutBefore,
        3 => Reply::error(500, 0, "oops"),
        4 => Reply::rate_limited(0.05, false),
        _ => Reply::Store,
    }
}

/// What Discord has of a channel and what the table says of it, by nonces.
fn assert_in_order(ledger: &Ledger, fake: &FakeDiscord) {
    for channel in CHANNELS {
        let messages = fake.messages();
        let here = messages.iter().filter(|one| one.channel == channel);
        let arrived: Vec<&str> = here
            .map(|one| one.payload["nonce"].as_str().unwrap())
            .collect();
        let to = channel.to_string();
        let stored = ledger.posts.iter().filter(|post| post.destination == to);
        let stored: Vec<&str> = stored.map(|post| post.nonce.as_str()).collect();
        assert!(!stored.is_empty());
        assert_eq!(arrived, stored, "{ledger}");
    }
}

fn kill_often(kills: usize, longest: u64) {
    let fake = FakeDiscord::start();
    let home = home(&fake);
    for _ in 0..kills {
        fake.script((0..20).map(|_| trouble()));
        let server = home.start();
        // Not a wait for something: the moment of the kill is what is tried.
        std::thread::sleep(Duration::from_millis(some(longest)));
        server.kill();
    }
    let server = home.start();
    server.wait_for("posts of all channels", |ledger| {
        let sent = |to: u64| {
            let to = to.to_string();
            let of = ledger.posts.iter().filter(|post| post.destination == to);
            of.filter(|post| post.status == "sent").count() > 1
        };
        CHANNELS.into_iter().all(sent)
    });
    server.stop();
    let server = home.start();
    server.wait_for_log("ready");
    server.wait_for("nothing pending of what is over", |ledger| {
        let open = |id| {
            let mut running = ledger.rows.iter().filter(|row| row.status == "running");
            running.any(|row| row.id == id)
        };
        let waits = |status: &str, id| status == "pending" && !open(id);
        !ledger
            .posts
            .iter()
            .any(|post| waits(&post.status, post.execution_id))
    });
    server.stop();
    let ledger = home.ledger();
    let unsent = ledger.posts.iter().filter(|post| post.status != "sent");
    assert_eq!(unsent.count(), 0, "{ledger}");
    assert_in_order(&ledger, &fake);
}

#[test]
fn killed_again_and_again_under_trouble_every_post_is_there_once_and_in_order() {
    kill_often(6, 2500);
}

#[test]
#[ignore = "takes minutes: scripts/test --full"]
fn killed_dozens_of_times_under_trouble_every_post_is_there_once_and_in_order() {
    kill_often(60, 3000);
}
