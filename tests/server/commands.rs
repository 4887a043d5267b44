//! Commands that start nothing, wrong usage, and exit codes.

use std::process::Output;

use crate::{
    bots::{Bot, config},
    server::Home,
};

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn good() -> Home {
    Home::new(&config(&[
        Bot::every(1, "ticker"),
        Bot::new(
            "daily",
            "type = \"Cron\"\nexpression = \"0 0 9 * * *\"\ntimezone = \"Europe/Berlin\"",
        ),
    ]))
}

/// Four mistakes in two files.
fn bad() -> Home {
    let home = Home::new(
        "[server]\nmax_paralel_tasks = 3\n\n[[actors]]\nname = \"a b\"\nconfig_file = \"bad.toml\"\n[actors.schedule]\ntype = \"Cron\"\nexpression = \"0 0 30 2 *\"\n",
    );
    home.write("bad.toml", "[actor]\nskills = [\"content_formater\"]\n");
    home
}

#[test]
fn checking_prints_the_next_slots_and_starts_nothing() {
    let home = good();
    for arguments in [&["check"][..], &["--dry-run"], &["run", "--dry-run"]] {
        let (code, out, err) = said(&home.run(arguments));
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        assert!(out.contains("ticker") && out.contains("daily"), "{out}");
        let slots = out
            .lines()
            .filter(|line| line.contains(":00:00 CE"))
            .count();
        assert_eq!(slots, 5, "{out}");
        assert!(!home.path("bots.db").exists() && !home.path("bots.db.lock").exists());
    }
}

#[test]
fn broken_files_are_refused_with_every_problem_and_its_place() {
    let home = bad();
    for arguments in [&["check"][..], &["--dry-run"], &["run"], &[]] {
        let (code, out, err) = said(&home.run(arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert_eq!(out, "");
        for part in [
            "server.toml:2:",
            "server.toml:5:",
            "server.toml:9:",
            "bad.toml:2:",
            "max_parallel_tasks",
            "content_formatter",
        ] {
            assert!(err.contains(part), "{part} is not named:\n{err}");
        }
        assert!(!home.path("bots.db").exists());
    }
}

#[test]
fn a_missing_server_file_is_wrong_configuration() {
    let home = good();
    let (code, _, err) = said(&home.run(&["-c", "nowhere.toml"]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let home = good();
    for arguments in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["migrate", "sideways"],
        &["-c"],
    ] {
        let (code, _, err) = said(&home.run(arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(!err.is_empty() && !err.contains("panic"), "{err}");
    }
}

#[test]
fn help_and_version_are_fine() {
    let home = good();
    let (code, out, _) = said(&home.run(&["--help"]));
    assert_eq!(code, Some(0));
    assert!(
        out.contains("--dry-run") && out.contains("--database-url"),
        "{out}"
    );
    let (code, out, _) = said(&home.run(&["--version"]));
    assert_eq!(
        (code, out.trim()),
        (Some(0), concat!("actor-server ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn migrations_go_up_and_down_and_say_where_they_are() {
    let home = good();
    let migrate = |arguments: &[&str]| {
        let (code, out, err) = said(&home.run(&[&["migrate"], arguments].concat()));
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        out
    };
    let before = migrate(&["status"]);
    migrate(&["up"]);
    let up = migrate(&["status"]);
    assert_ne!(before, up);
    migrate(&["down"]);
    assert_ne!(migrate(&["status"]), up);
    migrate(&["up"]);
    assert_eq!(migrate(&["status"]), up);
    let server = home.start();
    server.wait_for("a run", |ledger| {
        !ledger.with("ticker", "succeeded").is_empty()
    });
    let (code, _, err) = said(&home.run(&["migrate", "up"]));
    assert_eq!(code, Some(1), "the running server owns the file: {err}");
    assert!(err.contains(&server.pid().to_string()), "{err}");
    assert_eq!(migrate(&["status"]), up);
    server.stop();
}
