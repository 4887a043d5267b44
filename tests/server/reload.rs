//! SIGHUP: the files are read again while the server runs; and `plan`, which tells what that would change.

#[cfg(feature = "failpoints")]
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::{
    bots::{Bot, SERVER, config, config_with},
    ledger::Ledger,
    server::{DEADLINE, Home, retry},
};

fn runs(ledger: &Ledger, bot: &str) -> usize {
    ledger.with(bot, "succeeded").len()
}

#[test]
fn a_hangup_adds_changes_and_removes_bots_while_the_others_go_on() {
    let bots = |seconds| [Bot::every(1, "stays"), Bot::every(seconds, "turns")];
    let mut before = Vec::from(bots(3600));
    before.push(Bot::every(1, "gone"));
    let home = Home::new(&config(&before));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "gone") >= 2);
    let mut after = Vec::from(bots(1));
    after.push(Bot::every(1, "new"));
    home.configure(&config(&after));
    server.signal(Signal::SIGHUP);
    let line = server.wait_for_log("configuration reloaded");
    for count in ["added=1", "removed=1", "changed=1"] {
        assert!(line.contains(count), "{line}");
    }
    server.wait_for("the others", |ledger| {
        runs(ledger, "turns") >= 2 && runs(ledger, "new") >= 2
    });
    server.stop();
    let ledger = home.ledger();
    assert!(ledger.state("gone").removed);
    ledger.assert_nothing_is_running();
    ledger.assert_every_slot_is_accounted_for("stays", 1);
    assert_eq!(
        ledger.with("stays", "succeeded").len(),
        ledger.of("stays").len(),
        "{ledger}"
    );
}

#[test]
fn a_bad_file_is_told_line_by_line_and_the_running_configuration_stays() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let mut server = home.start();
    home.configure(&config(&[
        Bot::every(1, "bot").with("overlap = \"skipp\"\ntimeout = 3")
    ]));
    server.signal(Signal::SIGHUP);
    server.wait_for_log("the configuration was not reloaded");
    for problem in ["actors[0].overlap", "actors[0].timeout"] {
        let line = server.wait_for_log(problem);
        assert!(line.contains("server.toml:"), "{line}");
    }
    let before = runs(&home.ledger(), "bot");
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= before + 2);
    assert!(server.is_running());
    server.stop();
    home.ledger().assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn what_needs_a_restart_is_named_and_not_applied() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    let head = SERVER.replace(
        "[server]",
        "[server]\nmax_parallel_tasks = 3\nmax_consecutive_failures = 2",
    );
    home.configure(&config_with(
        &head,
        &[Bot::every(1, "bot").file("broken.toml")],
    ));
    server.signal(Signal::SIGHUP);
    let line = server.wait_for_log("takes effect after a restart");
    assert!(line.contains("server.max_parallel_tasks"), "{line}");
    assert!(!server.stderr().contains("restart: server.max_consecutive"));
    let held = |ledger: &Ledger| ledger.state("bot").hold_kind.as_deref() == Some("failures");
    let ledger = server.wait_for("the hold", held);
    assert_eq!(ledger.with("bot", "failed").len(), 2, "{ledger}");
    server.stop();
}

#[test]
fn many_hangups_in_a_row_neither_end_the_server_nor_cost_a_slot() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let mut server = home.start();
    for _ in 0..200 {
        server.signal(Signal::SIGHUP);
    }
    server.wait_for_log("configuration reloaded");
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 3);
    assert!(server.is_running());
    server.stop();
    let reloads = home.stderr().matches("configuration reloaded").count();
    assert!(reloads < 200, "{reloads}");
    home.ledger().assert_every_slot_is_accounted_for("bot", 1);
}

#[cfg(feature = "failpoints")]
#[test]
fn a_hangup_while_the_server_stops_is_ignored() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let mut server = home.start_failing("post.stored=1*sleep(3000)");
    server.wait_for("a run", |ledger| !ledger.posts.is_empty());
    server.signal(Signal::SIGTERM);
    server.wait_for_log("stopping");
    server.signal(Signal::SIGHUP);
    server.wait_for_log("SIGHUP is ignored");
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(0), "{}", server.story());
    assert!(!server.stderr().contains("reloading the configuration"));
}

#[cfg(feature = "failpoints")]
#[test]
fn a_process_that_dies_between_store_and_memory_starts_with_what_was_stored() {
    let home = Home::new(&config(&[Bot::every(1, "bot"), Bot::every(1, "gone")]));
    let server = home.start_failing("reload.stored=sleep(600000)");
    server.wait_for("runs", |ledger| {
        runs(ledger, "bot") >= 2 && runs(ledger, "gone") >= 2
    });
    let files = config(&[Bot::every(2, "bot"), Bot::every(1, "new")]);
    home.configure(&files);
    server.signal(Signal::SIGHUP);
    server.wait_for("it is stored", |ledger| ledger.state("gone").removed);
    let stored = home.ledger();
    server.kill();
    let server = home.start();
    let before = runs(&stored, "bot");
    server.wait_for("runs", |ledger| {
        runs(ledger, "bot") >= before + 2 && runs(ledger, "new") >= 2
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(
        ledger.state("bot").anchor,
        stored.state("bot").anchor,
        "{ledger}"
    );
    assert!(ledger.state("gone").removed);
    ledger.assert_nothing_is_running();
    let slots: Vec<_> = ledger.of("bot").iter().map(|row| row.slot()).collect();
    let mut once = slots.clone();
    once.dedup();
    assert_eq!(slots, once, "{ledger}");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_process_that_dies_before_the_reload_is_stored_reloads_at_its_next_start() {
    let home = Home::new(&config(&[Bot::every(1, "bot"), Bot::every(1, "gone")]));
    let server = home.start_failing("reload.storing=sleep(600000)");
    server.wait_for("runs", |ledger| runs(ledger, "gone") >= 2);
    home.configure(&config(&[Bot::every(1, "bot"), Bot::every(1, "new")]));
    server.signal(Signal::SIGHUP);
    // Nobody else writes while a reload does.
    let seen = std::cell::Cell::new((0, Instant::now()));
    server.wait_for("nothing is written", |ledger| {
        let (rows, since) = seen.get();
        if ledger.of("bot").len() != rows {
            seen.set((ledger.of("bot").len(), Instant::now()));
        }
        ledger.of("bot").len() == rows && since.elapsed() > Duration::from_secs(3)
    });
    assert!(!home.ledger().state("gone").removed);
    server.kill();
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "new") >= 2);
    server.stop();
    let ledger = home.ledger();
    assert!(ledger.state("gone").removed);
    ledger.assert_nothing_is_running();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn a_plan_without_a_database_adds_everything_and_makes_no_file() {
    let home = Home::new(&config(&[Bot::every(60, "one"), Bot::every(60, "two")]));
    let output = home.run(&["plan"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("+ one\n") && text.contains("+ two\n"),
        "{text}"
    );
    assert!(text.contains("2 added, 0 changed, 0 removed"), "{text}");
    assert!(!home.path("bots.db").exists());
}

#[test]
fn a_plan_beside_a_running_server_tells_the_slots_before_and_after() {
    let home = Home::new(&config(&[
        Bot::every(3600, "turns"),
        Bot::every(60, "gone"),
    ]));
    let server = home.start();
    home.configure(&config(&[Bot::every(60, "turns"), Bot::every(60, "new")]));
    let output = home.run(&["plan", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (kind, bot) in [("added", "new"), ("changed", "turns"), ("removed", "gone")] {
        assert_eq!(plan[kind][0]["actor"], bot, "{plan}");
    }
    let slots = &plan["changed"][0]["next_slots"];
    assert_ne!(slots["before"], slots["after"], "{plan}");
    let text = String::from_utf8_lossy(&home.run(&["plan"]).stdout).into_owned();
    assert!(
        text.contains("~ turns\n") && text.contains("- gone\n"),
        "{text}"
    );
    let line = retry(DEADLINE, || {
        text.lines().find(|line| line.contains("- next"))
    });
    assert!(line.is_some(), "{text}");
    server.stop();
}

#[test]
fn a_plan_of_a_bad_file_names_every_problem() {
    let home = Home::new(&config(
        &[Bot::every(60, "bot").with("overlap = \"skipp\"")],
    ));
    let output = home.run(&["plan"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("overlap"), "{text}");
}
