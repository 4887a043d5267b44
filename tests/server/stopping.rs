//! Stopping loses nothing: what runs may end, what has not started is given back, what hangs is abandoned.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::{
    bots::{Bot, config, config_with},
    ledger::{Ledger, Row},
    server::Home,
};

fn is_at_work(row: &Row) -> bool {
    row.status == "running" && row.started_at.is_some()
}

fn at_work(ledger: &Ledger) -> bool {
    ledger.rows.iter().any(is_at_work) && !ledger.posts.is_empty()
}

#[test]
fn running_work_ends_within_the_grace_period() {
    let home = Home::new(&config(&[Bot::new("bot", "type = \"Immediate\"")]));
    let server = home.start_failing("post.stored=1*sleep(2000)");
    server.wait_for("a run at work", at_work);
    server.stop();
    let ledger = home.ledger();
    assert_eq!(ledger.of("bot")[0].status, "succeeded", "{ledger}");
    assert_eq!(ledger.posts[0].status, "sent", "{ledger}");
    assert_eq!(home.posted("bot").len(), 1);
}

#[test]
fn work_that_does_not_end_is_abandoned_and_the_exit_is_clean() {
    let head = "[server]\nshutdown_grace_seconds = 1\n";
    let home = Home::new(&config_with(head, &[Bot::every(1, "bot")]));
    let server = home.start_failing("post.stored=sleep(600000)");
    server.wait_for("a run at work", at_work);
    let took = server.stop();
    assert!(took < Duration::from_secs(12), "{took:?}");
    let ledger = home.ledger();
    // A slow start may pass over the first slot, which is as old as the second that it lies in.
    let rows = ledger.of("bot");
    let ran = rows.iter().find(|row| row.status != "missed");
    assert_eq!(ran.unwrap().status, "abandoned", "{ledger}");
    assert_eq!(
        ledger.state("bot").consecutive_failures,
        0,
        "the bot is not to blame"
    );
    ledger.assert_nothing_is_running();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    let server = home.start();
    server.wait_for("the post that was stored", |ledger| {
        ledger.posts[0].status == "sent"
    });
    server.stop();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let head = "[server]\nshutdown_grace_seconds = 600\n";
    let home = Home::new(&config_with(head, &[Bot::every(1, "bot")]));
    let mut server = home.start_failing("post.stored=sleep(600000)");
    server.wait_for("a run at work", at_work);
    server.signal(Signal::SIGTERM);
    server.wait_for_log("stopping");
    server.signal(Signal::SIGINT);
    let (status, took) = server.wait();
    assert_eq!(status.code(), Some(1), "{}", server.story());
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(server.stderr().contains("second signal"));
    assert!(
        !server.stderr().contains("ERROR panic"),
        "{}",
        server.story()
    );
    drop(server);
    let server = home.start();
    let ledger = server.wait_for("the run closed", |ledger| {
        !ledger.with("bot", "abandoned").is_empty()
    });
    assert_eq!(ledger.with("bot", "abandoned")[0].attempt, 1);
    server.stop();
    home.ledger().assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn an_idle_server_stops_in_no_time() {
    let bot = Bot::new("bot", "type = \"Cron\"\nexpression = \"0 0 0 1 1 *\"");
    let home = Home::new(&config(&[bot]));
    let took = home.start().stop();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn either_signal_stops_it_also_while_the_database_cannot_be_opened() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let database = ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let mut server = home.launch(&[database]);
    server.wait_for_log("cannot be opened");
    assert!(server.is_running());
    server.signal(Signal::SIGINT);
    let (status, took) = server.wait();
    assert_eq!(status.code(), Some(0), "{}", server.story());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn claims_that_did_not_start_are_given_back() {
    let head = "[server]\nmax_parallel_tasks = 1\nshutdown_grace_seconds = 1\n";
    let waits = Bot::every(60, "waits").with("misfire_threshold_seconds = 600");
    let hangs = Bot::every(60, "hangs");
    let home = Home::new(&config_with(head, &[hangs, waits]));
    let server = home.start_failing("post.stored=sleep(600000)");
    let ledger = server.wait_for("one at work and one that waits", |ledger| {
        at_work(ledger)
            && ledger.with("hangs", "running").len() + ledger.with("waits", "running").len() == 2
    });
    server.stop();
    let (busy, idle) = match is_at_work(ledger.with("hangs", "running")[0]) {
        true => ("hangs", "waits"),
        false => ("waits", "hangs"),
    };
    let ledger = home.ledger();
    assert_eq!(ledger.of(busy)[0].status, "abandoned", "{ledger}");
    assert!(ledger.of(idle).is_empty(), "{ledger}");
    assert_eq!(
        ledger.state(idle).next_run.as_ref(),
        Some(&ledger.state(idle).anchor),
        "{ledger}"
    );
    let server = home.start();
    server.wait_for("the slot that was given back", |ledger| {
        ledger.with(idle, "succeeded").len() == 1
    });
    server.stop();
}
