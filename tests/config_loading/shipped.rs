//! The configuration that comes with the program works as it is.

use std::path::Path;

use actor_server::domain::{bot::Target, schedule::ScheduleKind};
use secrecy::ExposeSecret;

use super::support::{folder, load_file, load_in, write};

#[test]
fn the_shipped_configuration_has_four_bots_and_nothing_to_complain_of() {
    let loaded =
        load_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/actor_server.toml")).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let names: Vec<&str> = loaded
        .settings
        .bots
        .iter()
        .map(|bot| bot.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["ticker", "welcome", "hourly_trends", "daily_poster"]
    );
    assert!(
        loaded
            .settings
            .bots
            .iter()
            .all(|bot| bot.target == Target::Console)
    );
    assert_eq!(
        loaded.settings.server.database_url.expose_secret(),
        "sqlite://data/actor_server.db"
    );
}

#[test]
fn its_ticker_is_at_work_within_seconds() {
    let loaded =
        load_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/actor_server.toml")).unwrap();
    let schedule = loaded.settings.bots[0].schedule.as_ref().unwrap();
    assert!(matches!(
        schedule.kind,
        ScheduleKind::Interval { seconds: 1..=5 }
    ));
}

/// Without the `# ` before keys and tables.
fn uncommented(text: &str) -> String {
    let line = |line: &str| {
        let bare = line.strip_prefix("# ").filter(|bare| {
            let key = bare.split_once(" = ").map_or("", |(key, _)| key);
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            is_key || bare.starts_with('[')
        });
        bare.unwrap_or(line).to_owned() + "\n"
    };
    text.lines().map(line).collect()
}

#[test]
fn what_is_commented_out_in_it_is_the_default() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = std::fs::read_to_string(shipped.join("actor_server.toml")).unwrap();
    let text = text.replace("\"actors/", &format!("\"{}/actors/", shipped.display()));
    let (server, bots) = text.split_once("[[actors]]").unwrap();
    let spelled_out = uncommented(server);
    for table in ["http", "auth", "breaker", "health", "history", "metrics"] {
        assert!(
            spelled_out.contains(&format!("\n[{table}]")),
            "no [{table}]"
        );
    }
    let folder = folder(&text);
    let left = load_in(&folder, &[]).unwrap().settings;
    write(
        &folder,
        "server.toml",
        format!("{spelled_out}[[actors]]{bots}"),
    );
    let right = load_in(&folder, &[]).unwrap().settings;
    assert_eq!(format!("{left:#?}"), format!("{right:#?}"));
}
