//! Bots of several processes post to one channel, while processes are killed and frozen and Discord makes trouble: every
//! stored post arrives once, in the order of being stored.

use std::time::Duration;

use crate::{
    books::Database,
    discord::{FakeDiscord, Reply, TOKEN},
    postgres::TestDatabase,
    replica::{PATIENCE, Server, Site, eventually, let_last},
    sharing::crowd,
};

/// Longer than a lease, with room for the others to notice.
const FROZEN: Duration = Duration::from_secs(6);

fn site(database: &TestDatabase, discord: &FakeDiscord) -> Site {
    let retry = "retry = { max_attempts = 1000, initial_backoff_seconds = 0.02, max_backoff_seconds = 0.1 }";
    let bots: Vec<_> = crowd(6, "chatty")
        .into_iter()
        .map(|bot| bot.with(&format!("channel_id = \"42\"\n{retry}")))
        .collect();
    let mut site = Site::new(database.url(), &[]);
    site.sections = format!(
        "[breaker]\nfailure_threshold = 10000\n[discord]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"",
        discord.url()
    );
    site.configure(&bots);
    site
}

fn trouble(discord: &FakeDiscord) {
    let of_each = [
        Reply::CutAfter,
        Reply::Store,
        Reply::error(500, 0, "oops"),
        Reply::CutBefore,
        Reply::rate_limited(0.05, false),
        Reply::Store,
        Reply::CutAfter,
        Reply::CutAfter,
    ];
    discord.script(of_each);
}

/// Waits until so many posts more have been sent.
fn wait_for_posts(database: &TestDatabase, count: i64) {
    let sent = "SELECT count(*) FROM actor_server_posts WHERE status = 'sent'";
    let wanted = database.number(sent) + count;
    eventually("posts", PATIENCE, || {
        (database.number(sent) >= wanted).then_some(())
    });
}

fn assert_in_order(database: &TestDatabase, discord: &FakeDiscord) {
    let messages = discord.messages();
    let arrived = messages
        .iter()
        .map(|one| one.payload["nonce"].as_str().unwrap());
    let arrived: Vec<&str> = arrived.collect();
    let stored = database.ask("SELECT nonce FROM actor_server_posts ORDER BY id");
    let stored: Vec<&str> = stored.lines().collect();
    assert_eq!(arrived, stored);
    let unsent = database.ask("SELECT id, status FROM actor_server_posts WHERE status <> 'sent'");
    assert_eq!(unsent, "", "posts that did not go out");
}

/// Stops all but the last, which sends what is left, and then that one.
fn stop_all(database: &TestDatabase, mut servers: Vec<Server>) {
    let mut last = servers.pop().unwrap();
    servers.iter_mut().for_each(Server::stop);
    last.stop();
    database.assert_complete(1);
    database.assert_nothing_running();
}

fn disturb(rounds: usize) {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = site(&database, &discord);
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    for round in 0..rounds {
        trouble(&discord);
        wait_for_posts(&database, 12);
        let mut one = servers.remove(0);
        if round % 2 == 0 {
            one.kill();
            servers.push(site.ready());
        } else {
            one.freeze();
            let_last(FROZEN);
            one.thaw();
            servers.push(one);
        }
    }
    wait_for_posts(&database, 20);
    stop_all(&database, servers);
    let mut last = site.ready();
    eventually("nothing waits that is over", PATIENCE, || {
        let waiting = database.number(
            "SELECT count(*) FROM actor_server_posts p LEFT JOIN actor_server_executions e ON e.id = p.execution_id \
             WHERE p.status = 'pending' AND e.status IS DISTINCT FROM 'running'",
        );
        (waiting == 0).then_some(())
    });
    last.stop();
    assert_in_order(&database, &discord);
}

#[test]
fn replicas_that_post_to_one_channel_keep_its_order_through_kills_and_freezes() {
    disturb(4);
}

#[test]
#[ignore = "takes minutes: scripts/test --full"]
fn replicas_that_post_to_one_channel_keep_its_order_through_many_kills_and_freezes() {
    disturb(30);
}
