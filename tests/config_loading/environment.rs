//! Variables in strings, secrets and their files, flags, and who wins.

use actor_server::config::{KeyMaterial, Loaded};
use secrecy::ExposeSecret;

use super::support::{entry, folder, load_file, load_in, load_with_flags, write};

const SECRET: &str = "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIGluIHVzZSE=";

fn token(loaded: &Loaded) -> Option<&str> {
    loaded
        .settings
        .discord
        .token
        .as_ref()
        .map(|token| token.expose_secret())
}

fn database(loaded: &Loaded) -> &str {
    loaded.settings.server.database_url.expose_secret()
}

#[test]
fn variables_are_replaced_inside_strings_and_cannot_become_syntax() {
    let folder = folder(
        "[auth]\nissuer = \"a ${X} b ${Y:-default} c $${X} d $5 ${EMPTY:-full}\"\naudience = '${X}'\n",
    );
    let value = "\"\nevil = 1\n${Y}";
    let loaded = load_in(&folder, &[("X", value), ("EMPTY", "")]).unwrap();
    let auth = &loaded.settings.auth;
    let expected = format!("a {value} b default c ${{X}} d $5 full");
    assert_eq!(auth.issuer.as_deref(), Some(&*expected));
    assert_eq!(auth.audience.as_deref(), Some(value));
}

#[test]
fn variables_are_replaced_in_bot_files_too() {
    let folder = folder(&entry("a", ""));
    write(
        &folder,
        "bot.toml",
        "[actor]\nname = \"${WHO}\"\nskills = [\"content_formatter\"]\n\
         [skills.content_formatter]\ntemplate = \"hello ${WHO}\"\n",
    );
    let loaded = load_in(&folder, &[("WHO", "world")]).unwrap();
    let behaviour = &loaded.settings.bots[0].behaviour;
    assert_eq!(behaviour.title, "world");
    assert_eq!(behaviour.skills[0].settings["template"], "hello world");
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let folder = folder(
        "[server]\ndatabase_url = \"sqlite://file.db\"\n[discord]\ntoken = \"file-token\"\n",
    );
    let file = folder.path().join("server.toml");
    let environment = [
        ("DATABASE_URL", "sqlite://environment.db"),
        ("DISCORD_TOKEN", "environment-token"),
    ];

    let loaded = load_file(&file).unwrap();
    assert_eq!(
        (database(&loaded), token(&loaded)),
        ("sqlite://file.db", Some("file-token"))
    );
    let loaded = load_with_flags(&file, &environment, None, None).unwrap();
    assert_eq!(
        (database(&loaded), token(&loaded)),
        ("sqlite://environment.db", Some("environment-token"))
    );
    let loaded = load_with_flags(
        &file,
        &environment,
        Some("postgres://h/d"),
        Some("Bot flag-token"),
    )
    .unwrap();
    assert_eq!(
        (database(&loaded), token(&loaded)),
        ("postgres://h/d", Some("flag-token"))
    );
}

#[test]
fn a_value_of_the_file_that_is_overridden_is_not_looked_at() {
    let folder = folder("[server]\ndatabase_url = \"${UNSET}\"\n[discord]\ntoken = \"${UNSET}\"\n");
    let environment = [("DATABASE_URL", "sqlite://x.db"), ("DISCORD_TOKEN", "t")];
    assert!(load_in(&folder, &environment).is_ok());
}

#[test]
fn without_any_setting_the_database_is_a_file_below_data() {
    assert_eq!(
        database(&load_in(&folder(""), &[]).unwrap()),
        "sqlite://data/actor_server.db"
    );
}

#[test]
fn an_empty_token_is_none() {
    let folder = folder("[discord]\ntoken = \"${DISCORD_TOKEN:-}\"\n");
    let file = folder.path().join("server.toml");
    let loaded = load_with_flags(&file, &[("DISCORD_TOKEN", "")], None, Some("")).unwrap();
    assert_eq!(token(&loaded), None);
}

#[test]
fn secrets_come_from_files_without_the_last_line_break() {
    let folder = folder("");
    write(&folder, "token", "file-token\n");
    write(&folder, "url", "sqlite://secret.db");
    write(&folder, "jwt", format!("{SECRET}\r\n"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (token_file, url_file, jwt_file) = (path("token"), path("url"), path("jwt"));
    let environment = [
        ("DISCORD_TOKEN_FILE", &*token_file),
        ("DATABASE_URL_FILE", &*url_file),
        ("API_JWT_SECRET_FILE", &*jwt_file),
    ];
    let loaded = load_in(&folder, &environment).unwrap();
    assert_eq!(
        (database(&loaded), token(&loaded)),
        ("sqlite://secret.db", Some("file-token"))
    );
    let KeyMaterial::Secret(secret) = &loaded.settings.auth.keys[0].material else {
        panic!("the key is no secret");
    };
    assert_eq!(secret.expose_secret(), SECRET);
}

#[test]
fn bad_values_of_the_environment_are_problems_that_do_not_repeat_them() {
    let folder = folder("[server]\nx = 1\n");
    let environment = [
        ("DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("DISCORD_TOKEN", "hunter2"),
        ("DISCORD_TOKEN_FILE", "token"),
        ("API_JWT_SECRET", "hunter2"),
        ("ACTOR_SERVER_API_ADDR", "nonsense"),
        ("ENABLE_METRICS", "perhaps"),
    ];
    let text = load_in(&folder, &environment).unwrap_err().to_string();
    for part in [
        "environment: DATABASE_URL: is no database URL; use",
        "environment: DISCORD_TOKEN: `DISCORD_TOKEN_FILE` is set too; set one of the two",
        "environment: API_JWT_SECRET: is 7 bytes long",
        "environment: ACTOR_SERVER_API_ADDR: `nonsense` is no address",
        "environment: ENABLE_METRICS: `perhaps` is no switch",
        "server.toml:2:1: server.x: is not a known key",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(
        text.ends_with("\n6 problems") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_empty_is_a_problem() {
    let folder = folder("");
    write(&folder, "empty", "\n");
    let empty = folder.path().join("empty").display().to_string();
    let environment = [
        ("DISCORD_TOKEN_FILE", "/nowhere/token"),
        ("DATABASE_URL_FILE", &*empty),
    ];
    let text = load_in(&folder, &environment).unwrap_err().to_string();
    assert!(
        text.contains("DISCORD_TOKEN: there is no file `/nowhere/token`"),
        "{text}"
    );
    assert!(
        text.contains("DATABASE_URL: ") && text.contains("is empty; put the secret in it"),
        "{text}"
    );
}

#[test]
fn a_bad_flag_is_a_problem_of_the_command_line() {
    let folder = folder("");
    let file = folder.path().join("server.toml");
    let text = load_with_flags(&file, &[], Some("sqlite::memory:"), Some("two words"))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("command line: --database-url: a database in memory"),
        "{text}"
    );
    assert!(
        text.contains("command line: --discord-token: is no token"),
        "{text}"
    );
}

#[test]
fn listeners_are_moved_and_switched_off_by_the_environment() {
    let folder = folder("[http]\napi = \"127.0.0.1:1\"\nhealth = \"127.0.0.1:2\"\n");
    let environment = [
        ("ACTOR_SERVER_API_ADDR", "[::1]:7"),
        ("ENABLE_METRICS", "false"),
        ("ENABLE_API", "1"),
    ];
    let http = load_in(&folder, &environment).unwrap().settings.http;
    assert_eq!(http.api.unwrap().to_string(), "[::1]:7");
    assert_eq!((http.health.port(), http.metrics), (2, None));
}

#[test]
fn no_secret_is_shown_by_debug() {
    let folder = folder(&format!(
        "[server]\ndatabase_url = \"postgres://u:hunter2@h/d\"\n[discord]\ntoken = \"hunter2\"\n\
         [auth]\nevents_secret = \"{SECRET}\"\n\
         [[auth.algorithm_keys]]\nkid = \"k\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n\
         [alerts.pagerduty]\nrouting_key = \"hunter2\"\n"
    ));
    let loaded = load_in(&folder, &[("API_JWT_SECRET", &SECRET.replace('Z', "Y"))]).unwrap();
    let shown = format!("{loaded:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("IHRlc3Rz"),
        "{shown}"
    );
    assert_eq!(loaded.settings.auth.keys.len(), 2);
}
