//! What `check` prints, as snapshots.

use std::path::Path;

use actor_server::config::check::render;

use super::support::{entry, folder, load_file, load_in, load_text, now};

/// The output with the folder of the test taken out.
fn shown(server: &str, environment: &[(&str, &str)]) -> String {
    let folder = folder(server);
    let loaded = load_in(&folder, environment).unwrap();
    render(&loaded, now()).replace(&*folder.path().display().to_string(), "DIR")
}

#[test]
fn the_shipped_configuration_is_shown_in_words() {
    let loaded =
        load_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/actor_server.toml")).unwrap();
    insta::assert_snapshot!(render(&loaded, now()));
}

#[test]
fn zones_channels_jitter_and_warnings_are_shown() {
    let text = r#"
[[actors]]
name = "new_york"
channel_id = "1234567890"
config_file = "bot.toml"
jitter_seconds = 30
schedule = { type = "Cron", expression = "0 30 1 1 11 SUN *", timezone = "America/New_York" }
[[actors]]
name = "mondays"
config_file = "bot.toml"
enabled = false
schedule = { type = "Cron", expression = "0 0 9 * * 2", timezone = "Europe/Berlin" }
[[actors]]
name = "past"
config_file = "bot.toml"
schedule = { type = "Once", at = "2020-01-01T00:00:00Z" }
"#;
    insta::assert_snapshot!(shown(text, &[("DISCORD_TOKEN", "t")]));
}

#[test]
fn where_posts_go_is_shown_and_no_url() {
    let text = r#"
[outbound.webhooks.news]
type = "discord"
url = "https://discord.com/api/webhooks/1/hidden"
[outbound.webhooks.crm]
type = "signed"
url = "https://example.org/hidden"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[[actors]]
name = "a"
webhook = "news"
config_file = "bot.toml"
schedule = { type = "Once", at = "2020-01-01T00:00:00Z" }
[[actors]]
name = "b"
webhook = "crm"
config_file = "bot.toml"
schedule = { type = "Once", at = "2020-01-01T00:00:00Z" }
[[actors]]
name = "c"
platform = "matrix"
destination = "general"
config_file = "bot.toml"
schedule = { type = "Once", at = "2020-01-01T00:00:00Z" }
"#;
    let output = shown(text, &[]);
    for line in [
        "  platform  discord webhook `news`\n",
        "  platform  signed webhook `crm`\n",
        "  platform  matrix, general\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
    assert!(
        !output.contains("hidden") && !output.contains("whsec"),
        "{output}"
    );
}

#[test]
fn a_bot_in_quarantine_is_shown_with_its_reasons() {
    let text = "[server]\non_invalid_bot = \"quarantine\"\n".to_owned()
        + &entry("bad", "overlap = \"skpi\"")
        + &entry("good", "");
    insta::assert_snapshot!(shown(&text, &[]));
}

#[test]
fn no_bots_are_shown_as_such() {
    insta::assert_snapshot!(shown("", &[]));
}

#[test]
fn several_problems_are_shown_as_lines_with_a_sum() {
    let folder = folder(
        "[server]\nchek_interval_seconds = 60\nmax_parallel_tasks = 0\n[discord]\ntoken = \"${TOKEN}\"\n",
    );
    let text = load_in(&folder, &[]).unwrap_err().to_string();
    insta::assert_snapshot!(text.replace(&*folder.path().display().to_string(), "DIR"));
}

#[test]
fn control_characters_of_files_do_not_reach_the_terminal() {
    let loaded = load_text(&entry("a", "")).unwrap();
    let mut bot = (*loaded.settings.bots[0]).clone();
    let mut behaviour = (*bot.behaviour).clone();
    behaviour.title = "a\u{1b}[2Jb".into();
    bot.behaviour = behaviour.into();
    let mut loaded = loaded;
    loaded.settings.bots = vec![bot.into()];
    assert!(!render(&loaded, now()).contains('\u{1b}'));
}
