//! What `[outbound]` allows is compared with what bot files need when the configuration is read.

use actor_server::{
    app::BuiltInSkills,
    config::{LoadInput, load},
};

const SERVER: &str = r#"
[outbound]
allow_hosts = ["10.0.0.1:8080"]
allow_commands = ["/bin/sh"]
[[actors]]
name = "herald"
config_file = "bot.toml"
schedule = { type = "Immediate" }
"#;

/// The problems of a bot file.
fn problems(bot: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("server.toml"), SERVER).unwrap();
    std::fs::write(folder.path().join("bot.toml"), bot).unwrap();
    let loaded = load(LoadInput {
        file: folder.path().join("server.toml"),
        database_url: None,
        discord_token: None,
        environment: &|_| None,
        skills: &BuiltInSkills::default(),
        now: chrono::DateTime::UNIX_EPOCH,
    });
    match loaded {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_program_and_a_host_that_are_not_allowed_are_problems_in_their_line() {
    let found = problems(
        r#"[actor]
skills = ["command", "http_request", "feed_reader"]
[skills.command]
program = "/bin/rm"
[skills.http_request]
url = "http://10.0.0.1:9090/{{ bot.name }}?key=hunter2"
[skills.feed_reader]
urls = ["http://169.254.169.254/latest"]
"#,
    );
    for (line, key, words) in [
        (
            4,
            "skills.command.program",
            "`/bin/rm` may not be started; list it in `allow_commands`",
        ),
        (
            6,
            "skills.http_request.url",
            "http://10.0.0.1:9090 may not be reached",
        ),
        (
            8,
            "skills.feed_reader.urls",
            "http://169.254.169.254 may not be reached",
        ),
    ] {
        let place = format!("bot.toml:{line}:");
        let fits =
            |text: &&String| text.contains(&place) && text.contains(key) && text.contains(words);
        assert!(
            found.iter().any(|text| fits(&text)),
            "{place} {key} {words}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(!found.join("").contains("hunter2"), "{found:#?}");
}

#[test]
fn what_is_allowed_is_no_problem() {
    let found = problems(
        r#"[actor]
skills = ["command", "http_request"]
[skills.command]
program = "/bin/sh"
args = ["-c", "true"]
[skills.http_request]
url = "http://10.0.0.1:8080/"
"#,
    );
    assert_eq!(found, Vec::<String>::new());
}
