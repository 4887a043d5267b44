//! What the server says about itself: one record a line, fields to search by, and never a secret.

use serde_json::Value;

use crate::{
    bots::{Bot, SERVER, config, config_with},
    server::Home,
};

#[test]
fn json_logs_are_one_object_a_line_with_the_fields_of_a_run() {
    let home = Home::new(&config(&[
        Bot::every(1, "bot"),
        Bot::every(1, "bad").file("broken.toml"),
    ]));
    let server = home.start_with(&[
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "debug"),
        ("FAILPOINTS", "task.handle=off"),
    ]);
    server.wait_for("runs", |ledger| {
        ledger.with("bot", "succeeded").len() >= 2 && !ledger.with("bad", "failed").is_empty()
    });
    server.stop();
    let records: Vec<Value> = home
        .stderr()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(
        records
            .iter()
            .all(|record| record["timestamp"].is_string() && record["level"].is_string())
    );
    let ends = records
        .iter()
        .filter(|record| record["message"] == "the run has ended");
    let of = |bot: &'static str| ends.clone().find(move |end| end["actor"] == bot).unwrap();
    assert_eq!(of("bot")["outcome"], "succeeded");
    assert!(!of("bot")["execution_id"].is_null());
    assert_eq!(of("bad")["outcome"], "failed");
    assert!(of("bad")["error"].is_string());
}

#[test]
fn an_unknown_log_format_or_filter_is_wrong_configuration() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    for (name, value) in [("LOG_FORMAT", "xml"), ("RUST_LOG", "actor_server=loud")] {
        let output = home.command(&["run"]).env(name, value).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn the_password_of_the_database_is_in_no_output() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let url = "postgres://nobody:pass-word-of-mine@127.0.0.1:1/none?connect_timeout=1";
    let mut server = home.launch(&[
        ("DATABASE_URL", url),
        ("RUST_LOG", "trace"),
        ("LOG_FORMAT", "json"),
    ]);
    server.wait_for_log("cannot be opened");
    assert!(server.is_running());
    drop(server);
    for arguments in [&["check"][..], &["migrate", "status"]] {
        let output = home
            .command(arguments)
            .env("DATABASE_URL", url)
            .env("RUST_LOG", "trace")
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("pass-word"));
    }
    assert!(!home.stderr().contains("pass-word"), "{}", home.stderr());
}

#[test]
fn secrets_may_come_from_files_and_stay_out_of_the_log() {
    let home = Home::new(&config_with(SERVER, &[Bot::every(1, "bot")]));
    home.write("token", "token-in-a-file-1234567890\n");
    home.write("url", "sqlite://bots.db\n");
    let mut command = home.command(&["run"]);
    command
        .env_remove("DATABASE_URL")
        .env("DATABASE_URL_FILE", "url")
        .env("DISCORD_TOKEN_FILE", "token")
        .env("RUST_LOG", "trace");
    let server = home.spawn(command);
    server.wait_for("a run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    server.stop();
    assert!(!home.stderr().contains("token-in-a-file"));
}
