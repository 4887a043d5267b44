//! Databases that cannot be used: what passes is waited for, what does not ends the process with a readable error.

use std::time::Duration;

use crate::{
    postgres::{TestCluster, TestDatabase},
    replica::{BotEntry, Site, let_last},
    sharing::crowd,
};

fn bots() -> [BotEntry; 1] {
    [BotEntry::every(1, "bot", "quiet")]
}

/// The process ends by itself with `code`, and says `words` but no password.
fn assert_refused(url: &str, code: i32, words: &str) {
    let mut server = Site::new(url, &bots()).start();
    let status = server.ended();
    let log = server.log();
    assert_eq!(status.code(), Some(code), "{log}");
    assert!(log.contains(words), "{words:?} is not in: {log}");
    assert!(!log.contains("hunter2"), "{log}");
    assert!(
        !log.contains("panicked") && !log.contains("stack backtrace"),
        "{log}"
    );
}

#[test]
fn a_wrong_password_ends_the_process_with_an_error_that_does_not_tell_it() {
    let cluster = TestCluster::start_with(|_| vec!["password_encryption = 'scram-sha-256'".into()]);
    cluster.sql("CREATE ROLE bots LOGIN PASSWORD 'right'");
    cluster.sql("CREATE DATABASE bots OWNER bots");
    let hba = cluster.dir().join("data/pg_hba.conf");
    std::fs::write(
        hba,
        "host all bots all scram-sha-256\nhost all postgres all trust\n",
    )
    .unwrap();
    cluster.sql("SELECT pg_reload_conf()");
    let url = |user: &str| format!("postgres://{user}@127.0.0.1:{}/bots", cluster.port());
    assert_refused(&url("bots:hunter2"), 1, "password authentication failed");
    assert_refused(&url("nobody:hunter2"), 1, "nobody");
    let mut right = Site::new(url("bots:right"), &bots()).ready();
    right.stop();
}

#[test]
fn a_database_that_does_not_exist_ends_the_process() {
    let database = TestDatabase::create();
    let (server, _) = database
        .url()
        .rsplit_once('/')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_refused(&format!("{server}/no_such_database"), 1, "no_such_database");
}

#[test]
fn a_url_that_cannot_be_read_is_wrong_usage() {
    for url in [
        "postgres://user:hunter2@host:port/db",
        "postgres://user:hunter2@host/db?sslmode=perhaps",
        "mysql://user:hunter2@host/db",
        "postgres://user:hunter2@/db?nonsense=1",
        "user:hunter2",
    ] {
        assert_refused(url, 2, "actor-server: ");
    }
}

#[test]
fn a_newer_schema_is_left_alone() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &bots());
    site.ready().stop();
    database.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    let before = database.sql("SELECT * FROM actor_server_state");
    assert_refused(&database.url(), 1, "9999");
    assert_eq!(database.sql("SELECT * FROM actor_server_state"), before);
}

#[test]
fn a_database_that_is_absent_at_the_start_is_waited_for() {
    let mut cluster = TestCluster::start();
    cluster.stop();
    let site = Site::new(cluster.url(), &crowd(3, "quiet"));
    let mut server = site.start();
    server.wait_for_log("the database cannot be opened; trying again");
    let_last(Duration::from_secs(4));
    assert!(server.is_alive());
    assert!(!server.log().contains(" ready bots="));
    cluster.start_again();
    server.wait_until_ready();
    server.stop();
}

#[test]
fn a_process_that_waits_for_its_database_stops_when_told_to() {
    let mut cluster = TestCluster::start();
    cluster.stop();
    let mut server = Site::new(cluster.url(), &bots()).start();
    server.wait_for_log("the database cannot be opened; trying again");
    server.stop();
}
