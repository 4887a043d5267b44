//! The configuration that comes with the program works as it is.

use std::path::Path;

use actor_server::domain::schedule::ScheduleKind;
use secrecy::ExposeSecret;

use super::support::load_file;

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
            .all(|bot| bot.channel_id.is_none())
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
