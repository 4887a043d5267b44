//! Starting: who owns the file, what is refused, and databases that are away for a while.

use std::{fs, time::Duration};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};

use crate::{
    bots::{Bot, config, config_with},
    server::Home,
};

fn one_bot() -> Home {
    Home::new(&config(&[Bot::every(1, "bot")]))
}

/// Keeps every other connection out of the database until it is dropped.
fn keep_out(home: &Home) -> SqliteConnection {
    let path = home.path("bots.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 10000; BEGIN EXCLUSIVE")
        .unwrap();
    conn
}

#[test]
fn a_second_server_on_the_same_file_is_refused_and_told_who_the_first_is() {
    let home = one_bot();
    let server = home.start();
    let second = home.run(&["run"]);
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("process {}", server.pid())),
        "{said}"
    );
    server.wait_for("runs all the same", |ledger| {
        ledger.with("bot", "succeeded").len() >= 2
    });
    server.stop();
    home.start().stop();
}

#[test]
fn the_lock_of_a_killed_server_holds_up_nobody() {
    let home = one_bot();
    home.start().kill();
    home.start().stop();
}

#[test]
fn missing_folders_of_the_database_are_made() {
    let home = one_bot();
    let server = home.start_with(&[("DATABASE_URL", "sqlite://some/where/deep/bots.db")]);
    assert!(home.path("some/where/deep/bots.db").exists());
    server.stop();
}

#[test]
fn a_path_that_can_never_be_a_database_is_an_error() {
    let home = one_bot();
    home.write("file", "");
    for path in ["file/bots.db", "."] {
        let output = home.run(&["run", "--database-url", &format!("sqlite://{path}")]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{path}: {said}"
        );
        assert!(said.contains("actor-server: "), "{said}");
    }
}

#[test]
fn a_file_that_is_no_database_is_an_error_and_stays_as_it_is() {
    let home = one_bot();
    let text = "this is a letter, not a database. ".repeat(100);
    home.write("bots.db", &text);
    let output = home.run(&["run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bots.db"), "{said}");
    assert_eq!(fs::read_to_string(home.path("bots.db")).unwrap(), text);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let home = one_bot();
    home.start().stop();
    home.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999')");
    let output = home.run(&["run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("newer"), "{said}");
    home.sql("DELETE FROM __diesel_schema_migrations WHERE version = '99999'");
    home.start().stop();
}

#[test]
fn a_url_that_cannot_be_read_is_wrong_configuration() {
    let home = one_bot();
    for url in [
        "",
        "nonsense",
        "mysql://u:pass-word@h/d",
        "postgres://u:pass-word@host:port/d",
    ] {
        let output = home.run(&["run", "--database-url", url]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}: {said}");
        assert!(!said.contains("pass-word"), "{said}");
    }
}

#[test]
fn a_database_that_is_locked_at_the_start_is_waited_for() {
    let home = one_bot();
    home.start().stop();
    let locked = keep_out(&home);
    let mut server = home.launch(&[]);
    let line = server.wait_for_log("database is locked");
    assert!(line.contains("ERROR") || line.contains("WARN"), "{line}");
    assert!(server.is_running() && !server.stderr().contains("ready"));
    drop(locked);
    server.wait_for_log("ready");
    server.stop();
}

#[test]
fn a_database_that_is_locked_while_running_loses_nothing() {
    let head = "[server]\ncheck_interval_seconds = 2\n";
    let home = Home::new(&config_with(head, &[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("a run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let locked = keep_out(&home);
    server.wait_for_log("does not take writes");
    drop(locked);
    server.wait_for_log("the database is back");
    let then = home.ledger().with("bot", "succeeded").len();
    server.wait_for("more runs", |ledger| {
        ledger.with("bot", "succeeded").len() >= then + 2
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    ledger.assert_nothing_is_running();
    assert!(ledger.with("bot", "abandoned").is_empty(), "{ledger}");
    assert_eq!(
        home.posted("bot").len(),
        ledger.with("bot", "succeeded").len(),
        "{ledger}"
    );
    let lines = home
        .stderr()
        .lines()
        .filter(|line| line.contains("does not take writes"))
        .count();
    assert!(lines < 20, "one outage is no flood of {lines} lines");
}

#[test]
fn a_server_without_bots_is_ready_and_warns() {
    let home = Home::new("[server]\n");
    let server = home.start();
    assert!(server.stderr().contains("WARN"), "{}", server.story());
    let took = server.stop();
    assert!(took < Duration::from_secs(3), "{took:?}");
}
