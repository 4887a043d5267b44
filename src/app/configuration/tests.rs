use std::{fs, path::Path};

use serde_json::json;

use super::*;
use crate::domain::bot::Target;

/// Every place that a secret may stand in.
const SERVER: &str = r#"
[server]
database_url = "postgres://bot:hidden-1@db/bots"
max_parallel_tasks = 4
[auth]
algorithm_keys = [{ kid = "k", algorithm = "HS256", secret = "hidden-2-0123456789abcdef0123456789abcdef" }]
events_secret = "hidden-3-0123456789abcdef0123456789abcdef"
[discord]
token = "hidden-4"
[alerts.webhook]
url = "https://hidden-5.example.org/x"
secret = "hidden-6-0123456789abcdef0123456789abcdef"
headers = { X-Token = "hidden-7" }
[alerts.discord]
webhook_url = "https://discord.com/api/webhooks/1/hidden-8"
[alerts.pagerduty]
routing_key = "hidden9"
[alerts.healthchecks]
url = "https://hc-ping.com/hidden-10"
[outbound]
allow_commands = ["/opt/choose"]
[outbound.webhooks.news]
type = "discord"
url = "https://discord.com/api/webhooks/1/hidden-12"
[outbound.webhooks.crm]
type = "signed"
url = "https://hidden-13.example.org/"
secret = "hidden-14-0123456789abcdef0123456789abcdef"
[[actors]]
name = "bot"
webhook = "crm"
config_file = "bot.toml"
timeout_seconds = 7
alerts = { ping_url = "https://hc-ping.com/hidden-11" }
[actors.schedule]
type = "Interval"
seconds = 60
"#;

const BOT: &str = r#"
[actor]
skills = ["content_formatter", "command", "http_request"]
[actor.config]
api_token = "hidden-6"
feed = "https://user:hidden-7@example.org/"
hook = "https://discord.com/api/webhooks/1/hidden-8"
[skills.content_formatter]
template = "plain"
[skills.command]
program = "/opt/choose"
args = ["hidden-15"]
env = { CHOOSER = "hidden-16" }
[skills.http_request]
url = "https://example.org/"
method = "POST"
body = '{"key": "hidden-17"}'
"#;

fn source(folder: &Path, server: &str) -> FileSource {
    fs::write(folder.join("server.toml"), server).unwrap();
    fs::write(folder.join("bot.toml"), BOT).unwrap();
    let files = ConfigurationFiles {
        file: folder.join("server.toml"),
        database_url: None,
        discord_token: None,
    };
    let skills = SkillSet::built_in();
    let loaded = files.load(&skills).unwrap();
    FileSource {
        files,
        skills,
        own: Vec::new(),
        keys: Arc::new(|_| Ok(Box::new(|| {}))),
        in_force: Arc::new(Mutex::new(loaded.settings)),
    }
}

#[test]
fn no_secret_is_shown_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let shown = shown(&source(folder.path(), SERVER).settings());
    assert!(!shown.to_string().contains("hidden"), "{shown:#}");
    assert_eq!(shown["server"]["database_url"], MASK);
    assert_eq!(shown["discord"]["token"], MASK);
    assert_eq!(shown["auth"]["algorithm_keys"][0]["secret"], MASK);
    assert_eq!(shown["alerts"]["webhook"]["secret"], MASK);
    assert_eq!(shown["alerts"]["healthchecks"]["url"], MASK);
    assert_eq!(shown["actors"][0]["alerts"]["ping_url"], MASK);
    let hooks = &shown["outbound"]["webhooks"];
    assert_eq!(
        hooks["news"],
        json!({ "type": "discord", "url": MASK, "secret": null })
    );
    assert_eq!(
        hooks["crm"],
        json!({ "type": "signed", "url": MASK, "secret": MASK })
    );
    assert_eq!(shown["actors"][0]["webhook"], "crm");
    let bot = &shown["actors"][0];
    assert_eq!(bot["timeout_seconds"], 7);
    assert_eq!(bot["schedule"]["seconds"], 60);
    assert_eq!(bot["actor"]["config"]["api_token"], MASK);
    assert_eq!(bot["skills"]["content_formatter"]["template"], "plain");
    assert_eq!(bot["skills"]["command"]["program"], "/opt/choose");
}

#[test]
fn a_changed_secret_is_a_change_and_its_value_is_told_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), SERVER);
    let server = SERVER
        .replace("hidden-4", "hidden-9")
        .replace("max_parallel_tasks = 4", "max_parallel_tasks = 5");
    fs::write(folder.path().join("server.toml"), server).unwrap();
    let offer = source.read().unwrap();
    assert_eq!(offer.changed, ["discord.token"]);
    assert_eq!(offer.needs_restart, ["server.max_parallel_tasks"]);
    assert_eq!((offer.shown)()["server"]["max_parallel_tasks"], json!(4));
    assert_eq!(offer.platforms.len(), 1);
    (offer.accept)();
    let again = source.read().unwrap();
    assert_eq!(again.changed, Vec::<String>::new());
    assert_eq!(again.needs_restart, ["server.max_parallel_tasks"]);
    assert!(again.platforms.is_empty());
}

#[test]
fn a_changed_webhook_is_taken_up_and_one_that_is_gone_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), SERVER);
    let write = |server: &str| fs::write(folder.path().join("server.toml"), server).unwrap();
    write(&SERVER.replace("hidden-13", "hidden-15"));
    let offer = source.read().unwrap();
    assert_eq!(offer.changed, ["outbound.webhooks.crm.url"]);
    assert!(offer.needs_restart.is_empty());
    let named = |offer: &Offer| -> Vec<(&str, bool)> {
        let platforms = offer.platforms.iter();
        platforms
            .map(|(name, platform)| (*name, platform.is_some()))
            .collect()
    };
    assert_eq!(
        named(&offer),
        [("discord_webhook", true), ("webhook", true)]
    );
    (offer.accept)();
    let (before, rest) = SERVER.split_once("[outbound.webhooks.news]").unwrap();
    let (_, bots) = rest.split_once("[[actors]]").unwrap();
    write(&format!(
        "{before}[[actors]]{}",
        bots.replace("webhook = \"crm\"\n", "")
    ));
    let offer = source.read().unwrap();
    assert!(offer.needs_restart.is_empty(), "{:?}", offer.needs_restart);
    assert_eq!(
        named(&offer),
        [("discord_webhook", false), ("webhook", false)]
    );
    assert_eq!(offer.bots.values().next().unwrap().target, Target::Console);
}

#[test]
fn keys_that_cannot_be_used_are_problems_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = source(folder.path(), SERVER);
    source.keys = Arc::new(|_| Err(vec!["auth: no".into()]));
    assert_eq!(source.read().err(), Some(vec!["auth: no".to_owned()]));
}
