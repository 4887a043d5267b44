//! Trouble around the process: readers that go away or stall, a frozen process, a file without rights.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use nix::sys::signal::Signal;

use crate::{
    bots::{Bot, SERVER, config, config_with},
    ledger::Ledger,
    server::Home,
};

fn runs(ledger: &Ledger, bot: &str) -> usize {
    ledger.with(bot, "succeeded").len()
}

/// A pipe that nobody reads any more.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_of_the_posts_that_goes_away_ends_no_server() {
    let home = Home::new(&config(&[
        Bot::every(1, "bot"),
        Bot::every(1, "quiet").file("quiet.toml"),
    ]));
    let mut server = home.spawn_with(home.command(&["run"]), Some(broken_pipe()), None);
    server.wait_for("failures and runs", |ledger| {
        ledger.with("bot", "failed").len() >= 2 && runs(ledger, "quiet") >= 2
    });
    assert!(server.is_running());
    server.stop();
    let ledger = home.ledger();
    assert!(
        ledger.posts.iter().all(|post| post.status == "dead"),
        "{ledger}"
    );
    ledger.assert_every_slot_ran("quiet");
}

#[test]
fn a_reader_of_the_logs_that_goes_away_ends_no_server() {
    let home = Home::new(&config(&[
        Bot::every(1, "bot"),
        Bot::every(1, "broken").file("broken.toml"),
    ]));
    let mut server = home.spawn_with(home.command(&["run"]), None, Some(broken_pipe()));
    server.wait_for("runs", |ledger| {
        runs(ledger, "bot") >= 3 && ledger.with("broken", "failed").len() >= 2
    });
    assert!(server.is_running());
    server.stop();
    home.ledger().assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn an_error_that_nobody_reads_keeps_its_exit_code() {
    let home = Home::new("[nonsense]\n");
    let mut server = home.spawn_with(home.command(&["run"]), None, Some(broken_pipe()));
    assert_eq!(server.wait().0.code(), Some(2));
}

#[test]
fn a_report_that_nobody_reads_to_its_end_is_no_panic() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    for arguments in [
        &["check"][..],
        &["migrate", "status"],
        &["completions", "bash"],
    ] {
        let mut server = home.spawn_with(home.command(arguments), Some(broken_pipe()), None);
        let (status, _) = server.wait();
        assert!(
            matches!(status.code(), Some(0 | 1)),
            "{arguments:?}: {status}"
        );
        assert!(!server.stderr().contains("panic"), "{}", server.stderr());
    }
}

#[test]
fn a_reader_of_the_posts_that_stalls_holds_up_no_bot_without_posts() {
    let talkers = (0..10).map(|n| {
        Bot::every(1, &format!("talker{n}"))
            .file("long.toml")
            .with("timeout_seconds = 2")
    });
    let bots: Vec<Bot> = talkers
        .chain([Bot::every(1, "quiet").file("quiet.toml")])
        .collect();
    let head = "[server]\nmax_parallel_tasks = 12\nshutdown_grace_seconds = 3\n";
    let home = Home::new(&config_with(head, &bots));
    let long = "x".repeat(1900);
    home.write("long.toml", &format!("[actor]\nskills = [\"content_formatter\", \"content_posting\"]\n[skills.content_formatter]\ntemplate = \"{long}\"\n"));
    let (reader, writer) = std::io::pipe().unwrap();
    let server = home.spawn_with(home.command(&["run"]), Some(writer.into()), None);
    server.wait_for("timeouts", |ledger| {
        ledger
            .rows
            .iter()
            .filter(|row| row.status == "timed_out")
            .count()
            >= 10
    });
    let took = server.stop();
    assert!(took < Duration::from_secs(15), "{took:?}");
    drop(reader);
    let ledger = home.ledger();
    ledger.assert_nothing_is_running();
    ledger.assert_every_slot_ran("quiet");
}

#[test]
fn a_process_that_was_frozen_accounts_for_the_slots_it_slept_through() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    server.signal(Signal::SIGSTOP);
    let frozen = Utc::now();
    let asleep = crate::server::retry(Duration::from_secs(20), || {
        (Utc::now() > frozen + TimeDelta::seconds(7)).then_some(())
    });
    assert!(asleep.is_some());
    server.signal(Signal::SIGCONT);
    let woken = Utc::now();
    server.wait_for("runs on time", |ledger| {
        ledger
            .with("bot", "succeeded")
            .iter()
            .filter(|row| row.slot() > woken)
            .count()
            >= 3
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    let missed: i64 = ledger
        .because("bot", "late")
        .iter()
        .map(|row| row.slots)
        .sum();
    assert!((4..=8).contains(&missed), "{ledger}");
    assert_eq!(home.posted("bot").len(), runs(&ledger, "bot"), "{ledger}");
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// As a user whom file modes concern; for the superuser they mean nothing.
fn as_nobody(home: &Home) -> Command {
    let binary = home.path("actor-server");
    fs::copy(env!("CARGO_BIN_EXE_actor-server"), &binary).unwrap();
    let named = home.command(&["run"]);
    let mut command = Command::new(&binary);
    command.arg("run").current_dir(home.path(".")).env_clear();
    command.envs(
        named
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let owner = fs::metadata(&binary).unwrap().uid();
    if owner == 0 {
        command.uid(65534).gid(65534);
    }
    command
}

#[test]
fn a_database_without_rights_is_waited_for() {
    let home = Home::new(&config_with(SERVER, &[Bot::every(1, "bot")]));
    home.start().stop();
    let files = ["bots.db", "bots.db.lock"];
    files.iter().for_each(|file| allow(&home.path(file), 0o444));
    allow(&home.path("."), 0o555);
    let mut server = home.spawn(as_nobody_in(&home));
    let line = server.wait_for_log("cannot be opened");
    assert!(line.contains("bots.db"), "{line}");
    assert!(server.is_running());
    files.iter().for_each(|file| allow(&home.path(file), 0o666));
    allow(&home.path("."), 0o777);
    server.wait_for_log("ready");
    let before = runs(&home.ledger(), "bot");
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= before + 2);
    server.stop();
    let lines = home
        .stderr()
        .lines()
        .filter(|line| line.contains("cannot be opened"))
        .count();
    assert!(lines < 60, "{lines} lines are a flood");
}

/// The copy of the binary is made while the folder can still be written.
fn as_nobody_in(home: &Home) -> Command {
    allow(&home.path("."), 0o777);
    let command = as_nobody(home);
    allow(&home.path("."), 0o555);
    command
}
