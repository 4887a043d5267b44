//! `kill -9` at any moment, again and again: the ledger stays complete, and no message comes twice.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{
    bots::{Bot, SERVER, config_with},
    discord::{FakeDiscord, TOKEN},
    ledger::Ledger,
    server::{Home, Server},
};

const BOTS: [&str; 5] = ["one", "two", "again", "console", "broken"];

fn home(fake: &FakeDiscord) -> Home {
    let head = format!("{SERVER}\n[discord]\napi_url = \"{}\"\n", fake.url());
    let posts =
        |name, channel: &str| Bot::every(1, name).with(&format!("channel_id = \"{channel}\""));
    let bots = [
        posts("one", "41"),
        posts("two", "42").with("misfire = \"fire_all\""),
        posts("again", "43").with("recover_in_flight = true"),
        Bot::every(1, "console"),
        Bot::every(1, "broken").file("broken.toml"),
    ];
    let home = Home::new(&config_with(&head, &bots));
    home.set("DISCORD_TOKEN", TOKEN);
    home
}

/// A moment up to `most`, different each time.
fn some_time(most: u64) -> Duration {
    Duration::from_millis(RandomState::new().hash_one(most) % most)
}

/// Lets it live for a while. Not a wait for something: the moment of the kill is what is tried.
fn live(server: &Server<'_>, longest: u64) {
    std::thread::sleep(some_time(longest));
    assert!(server.pid() > 0);
}

fn nothing_of_dead_processes_is_running(server: &Server<'_>, home: &Home) {
    let line = server.wait_for_log("ready");
    let (_, me) = line.split_once("replica=").unwrap();
    let ledger = home.ledger();
    let running = ledger.rows.iter().filter(|row| row.status == "running");
    for row in running {
        assert_eq!(row.replica.as_deref(), Some(me.trim()), "{ledger}");
    }
}

fn kill_often(kills: usize, longest: u64) {
    let fake = FakeDiscord::start();
    let home = home(&fake);
    for round in 0..kills {
        let server = home.launch(&[]);
        if round % 2 == 1 {
            nothing_of_dead_processes_is_running(&server, &home);
        }
        live(&server, longest);
        server.kill();
    }
    let server = home.start();
    nothing_of_dead_processes_is_running(&server, &home);
    let before = home.ledger().with("one", "succeeded").len();
    server.wait_for("more runs, and no post on its way", |ledger| {
        let open = ledger
            .posts
            .iter()
            .filter(|post| post.status == "pending")
            .count();
        ledger.with("one", "succeeded").len() > before && open <= 3
    });
    server.stop();
    let server = home.start();
    server.wait_for("nothing pending", |ledger| {
        let ended: HashSet<i64> = ledger
            .rows
            .iter()
            .filter(|row| row.completed_at.is_some())
            .map(|row| row.id)
            .collect();
        ledger
            .posts
            .iter()
            .all(|post| post.status == "sent" || !ended.contains(&post.execution_id))
    });
    server.stop();
    assert_all_is_well(&home, &fake);
}

fn assert_all_is_well(home: &Home, fake: &FakeDiscord) {
    let ledger = home.ledger();
    ledger.assert_nothing_is_running();
    for bot in BOTS {
        ledger.assert_every_slot_is_accounted_for(bot, 1);
    }
    let (messages, printed) = (fake.messages(), home.posted("console"));
    let distinct: HashSet<(u64, &str)> = messages
        .iter()
        .map(|one| (one.channel, one.content()))
        .collect();
    assert_eq!(
        distinct.len(),
        messages.len(),
        "a message came twice\n{ledger}"
    );
    for post in &ledger.posts {
        assert_eq!(post.status, "sent", "{ledger}");
        let arrived = match post.platform.as_str() {
            "discord" => {
                distinct.contains(&(post.destination.parse().unwrap(), post.body.as_str()))
            }
            _ => printed.contains(&post.body),
        };
        assert!(arrived, "{post:?}");
    }
    let on_discord = ledger
        .posts
        .iter()
        .filter(|post| post.platform == "discord")
        .count();
    assert_eq!(on_discord, messages.len());
    assert_runs_have_their_posts(&ledger);
}

fn assert_runs_have_their_posts(ledger: &Ledger) {
    let with_post: HashSet<i64> = ledger.posts.iter().map(|post| post.execution_id).collect();
    for row in &ledger.rows {
        match row.status.as_str() {
            "succeeded" => assert!(with_post.contains(&row.id), "{row:?}"),
            "abandoned" => assert!(row.started_at.is_some(), "{row:?}"),
            "skipped" | "missed" => assert!(!with_post.contains(&row.id), "{row:?}"),
            _ => assert_eq!(row.task_id, "broken", "{row:?}"),
        }
    }
}

#[test]
fn killed_at_any_moment_it_loses_and_doubles_nothing() {
    kill_often(8, 1800);
}

#[test]
fn killed_while_it_starts_it_loses_and_doubles_nothing() {
    kill_often(8, 250);
}

#[test]
#[ignore = "takes minutes: scripts/test --full"]
fn killed_hundreds_of_times_it_loses_and_doubles_nothing() {
    kill_often(120, 2500);
    kill_often(200, 300);
}
