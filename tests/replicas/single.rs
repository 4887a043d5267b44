//! One process, its crashes and its restarts.

use std::time::Duration;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Site, eventually},
};

fn four_kinds() -> Vec<BotEntry> {
    vec![
        BotEntry::every(1, "interval", "chatty"),
        BotEntry::every(1, "cron", "chatty").on("type = \"Cron\"\nexpression = \"* * * * * * *\""),
        BotEntry::every(1, "once", "chatty").on("type = \"Once\"\nat = \"2020-01-01T00:00:00Z\""),
        BotEntry::every(1, "immediate", "chatty").on("type = \"Immediate\""),
    ]
}

fn assert_single_slots(database: &TestDatabase) {
    let rows = database.ask(
        "SELECT task_id, sum(slots), count(*) FROM actor_server_executions WHERE task_id IN ('once', 'immediate') \
         GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(rows, "immediate|1|1\nonce|1|1");
    let next = database.ask(
        "SELECT count(*) FROM actor_server_state WHERE task_id IN ('once', 'immediate') AND next_run IS NOT NULL",
    );
    assert_eq!(next, "0", "a bot with one slot has no next one");
}

/// The audit of bots with a slot a second, without those that have one slot ever.
fn audit(database: &TestDatabase) {
    assert_single_slots(database);
    database.ask("DELETE FROM actor_server_executions WHERE task_id IN ('once', 'immediate')");
    database.ask("DELETE FROM actor_server_state WHERE task_id IN ('once', 'immediate')");
    database.assert_complete(1);
    database.assert_nothing_running();
}

#[test]
fn four_kinds_of_schedules_are_accounted_for_through_stops_and_restarts() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &four_kinds());
    let mut posts = Vec::new();
    for round in 1..=3 {
        let mut server = site.ready();
        eventually("posts", PATIENCE, || {
            (server.posts().len() > 6).then_some(())
        });
        server.stop();
        assert_eq!(
            database.number("SELECT count(*) FROM actor_server_replicas"),
            0,
            "round {round}"
        );
        database.assert_nothing_running();
        posts.extend(server.posts());
    }
    assert_each_once(&posts);
    database.assert_posted_once();
    audit(&database);
}

#[test]
fn four_kinds_of_schedules_are_accounted_for_through_kills() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &four_kinds());
    for round in 1..=3 {
        let mut server = site.ready();
        let wanted = 4 * round;
        eventually("runs", PATIENCE, || {
            (database.succeeded("interval") >= wanted).then_some(())
        });
        server.kill();
    }
    let mut server = site.ready();
    let before = database.succeeded("cron");
    eventually(
        "the dead processes' rows are dealt with",
        Duration::from_secs(15),
        || {
            let rows = database.number(&format!(
            "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND replica <> '{}'",
            server.id()
        ));
            (rows == 0).then_some(())
        },
    );
    eventually("it goes on", PATIENCE, || {
        (database.succeeded("cron") > before + 2).then_some(())
    });
    server.stop();
    database.assert_posted_once();
    audit(&database);
}

/// Somebody's maintenance locks the posts for longer than it takes until leftover posts are looked for.
#[test]
fn a_post_whose_mark_waits_for_the_database_is_not_sent_again() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &[BotEntry::every(3600, "bot", "chatty")]);
    let mut server = site.ready_with(&[("FAILPOINTS", "post.stored=1*sleep(2000)")]);
    eventually("a post is stored", PATIENCE, || {
        (database.number("SELECT count(*) FROM actor_server_posts WHERE status = 'pending'") == 1)
            .then_some(())
    });
    database
        .ask("BEGIN; LOCK TABLE actor_server_posts IN EXCLUSIVE MODE; SELECT pg_sleep(14); COMMIT");
    eventually("the post is marked", PATIENCE, || {
        (database.number("SELECT count(*) FROM actor_server_posts WHERE status = 'sent'") == 1)
            .then_some(())
    });
    server.stop();
    assert_each_once(server.posts());
    database.assert_posted_once();
    database.assert_nothing_running();
}
