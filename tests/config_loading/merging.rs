//! What a good file means: every section, and policies merged key by key.

use std::time::Duration;

use super::support::{GOOD_BOT, entry, folder, load_in, load_text, write};
use actor_server::{
    config::{Algorithm, OnInvalidBot},
    domain::{
        bot::Target,
        policy::{Misfire, OnResume, Overlap, Policy},
        schedule::{DstFold, DstGap, ScheduleKind},
    },
};
use secrecy::ExposeSecret;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_bot_that_sets_nothing_has_the_built_in_policy() {
    let loaded = load_text(&entry("a", "")).unwrap();
    let bot = &loaded.settings.bots[0];
    assert_eq!(bot.policy, Policy::default());
    assert!(bot.enabled && bot.quarantine.is_none() && bot.target == Target::Console);
}

#[test]
fn a_key_comes_from_the_bot_else_from_the_defaults_else_is_built_in() {
    let text = format!(
        "[defaults]\ntimeout_seconds = 10\noverlap = \"buffer_one\"\n[defaults.retry]\nmax_attempts = 7\njitter = 0\n{}",
        entry(
            "a",
            "timeout_seconds = 20\nretry = { jitter = 0.5, initial_backoff_seconds = 0.25 }"
        )
    );
    let loaded = load_text(&text).unwrap();
    let policy = &loaded.settings.bots[0].policy;
    assert_eq!(
        (policy.timeout, policy.overlap),
        (seconds(20), Overlap::BufferOne)
    );
    assert_eq!(policy.misfire_threshold, seconds(60));
    let retry = policy.retry;
    assert_eq!(
        (retry.max_attempts, retry.jitter, retry.multiplier),
        (7, 0.5, 2.0)
    );
    assert_eq!(retry.initial_backoff, Duration::from_millis(250));
}

#[test]
fn every_policy_key_is_read() {
    let keys = r#"
enabled = false
timeout_seconds = 1
overlap = "allow_all"
misfire = "fire_all"
misfire_threshold_seconds = 2
catchup_window_seconds = 3
jitter_seconds = 4
recover_in_flight = true
on_resume = "run_latest"
starts_at = "2030-01-01T00:00:00+01:00"
ends_at = 2031-01-01 00:00:00Z
max_runs = 5
on_event = { types = ["order.paid"] }
"#;
    let loaded = load_text(&entry("a", keys)).unwrap();
    let bot = &loaded.settings.bots[0];
    let expected = Policy {
        timeout: seconds(1),
        overlap: Overlap::AllowAll,
        misfire: Misfire::FireAll,
        misfire_threshold: seconds(2),
        catchup_window: seconds(3),
        jitter: seconds(4),
        recover_in_flight: true,
        on_resume: OnResume::RunLatest,
        starts_at: Some("2029-12-31T23:00:00Z".parse().unwrap()),
        ends_at: Some("2031-01-01T00:00:00Z".parse().unwrap()),
        max_runs: Some(5),
        on_event: vec!["order.paid".into()],
        ..Policy::default()
    };
    assert_eq!(bot.policy, expected);
    assert!(!bot.enabled);
    let schedule = bot.schedule.as_ref().unwrap();
    assert_eq!(
        (schedule.starts_at, schedule.ends_at),
        (expected.starts_at, expected.ends_at)
    );
}

#[test]
fn the_four_types_of_schedule_are_read() {
    let bot = |name: &str, schedule: &str| {
        format!(
            "[[actors]]\nname = \"{name}\"\nconfig_file = \"bot.toml\"\nschedule = {{ {schedule} }}\n"
        )
    };
    let text = "[defaults]\ndst_gap = \"skip\"\n".to_owned()
        + &bot(
            "a",
            "type = \"Cron\", expression = \"0 9 * * 1\", timezone = \"Europe/Berlin\"",
        )
        + &bot("b", "type = \"Interval\", seconds = 4294967295")
        + &bot("c", "type = \"Once\", at = 2030-01-31T09:00:00+01:00")
        + &bot("d", "type = \"Immediate\"");
    let loaded = load_text(&text).unwrap();
    let kinds: Vec<ScheduleKind> = loaded
        .settings
        .bots
        .iter()
        .map(|bot| bot.schedule.clone().unwrap().kind)
        .collect();
    let expected = [
        ScheduleKind::Cron {
            expression: "0 9 * * 1".into(),
            timezone: chrono_tz::Europe::Berlin,
            dst_gap: DstGap::Skip,
            dst_fold: DstFold::First,
        },
        ScheduleKind::Interval { seconds: u32::MAX },
        ScheduleKind::Once {
            at: "2030-01-31T08:00:00Z".parse().unwrap(),
        },
        ScheduleKind::Immediate,
    ];
    assert_eq!(kinds, expected);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn every_section_is_read() {
    let folder = folder(
        r#"
[server]
check_interval_seconds = 1
max_consecutive_failures = 2
max_parallel_tasks = 3
shutdown_grace_seconds = 0
results_in_memory = 5
on_invalid_bot = "quarantine"
[http]
api = "localhost:3001"
rate_limit_per_second = 6
cors_origins = ["*", "https://example.org"]
[auth]
public_reads = false
issuer = ""
leeway_seconds = 7
[[auth.algorithm_keys]]
algorithm = "EdDSA"
pem_file = "tests/config_loading/keys/ed25519.pem"
[discord]
api_url = "http://127.0.0.1:8000/"
[breaker]
timeout_seconds = 8
[supervision]
max_restarts = 9
[history]
retention_days = 10
[metrics]
namespace = "bots"
[health]
interval_seconds = 11
[alerts.webhook]
url = "https://example.org/${X:-hook}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[outbound]
allow_hosts = ["Example.org"]
allow_commands = ["/bin/date"]
"#,
    );
    let settings = load_in(&folder, &[]).unwrap().settings;
    assert_eq!(
        (
            settings.server.check_interval,
            settings.server.shutdown_grace
        ),
        (seconds(1), seconds(0))
    );
    assert_eq!(settings.server.on_invalid_bot, OnInvalidBot::Quarantine);
    assert_eq!(settings.http.api.unwrap().to_string(), "127.0.0.1:3001");
    assert_eq!(settings.http.cors_origins, ["*", "https://example.org"]);
    assert_eq!(
        (settings.auth.issuer, settings.auth.leeway),
        (None, seconds(7))
    );
    assert_eq!(settings.auth.keys[0].algorithm, Algorithm::EdDSA);
    assert_eq!(settings.discord.api_url, "http://127.0.0.1:8000");
    assert_eq!(
        (settings.breaker.timeout, settings.breaker.failure_threshold),
        (seconds(8), 5)
    );
    assert_eq!(
        (
            settings.supervision.max_restarts,
            settings.supervision.window
        ),
        (9, seconds(60))
    );
    assert_eq!(
        (settings.retention, settings.health_interval),
        (seconds(864_000), seconds(11))
    );
    assert_eq!(
        (
            &*settings.metrics.namespace,
            settings.metrics.max_actor_labels
        ),
        ("bots", 200)
    );
    let webhook = settings.alerts.webhook.unwrap();
    assert_eq!(webhook.url.expose_secret(), "https://example.org/hook");
    assert_eq!(settings.outbound.allow_hosts, ["example.org"]);
}

#[test]
fn a_bot_file_is_read_with_the_settings_of_each_skill() {
    let folder = folder(&entry("a", "channel_id = \"18446744073709551615\""));
    write(
        &folder,
        "bot.toml",
        r#"
[actor]
knowledge = ["posts"]
skills = ["content_formatter", "duplicate_check", "content_posting"]
[actor.config]
max_posts_per_day = 10
timezone = "Europe/Berlin"
since = 2026-01-01
[actor.execution]
max_retries = 0
[skills.content_formatter]
template = "x"
embed = { color = 5, ratio = 0.5, fields = [1, true, "a"] }
[skills.content_posting]
enabled = false
"#,
    );
    let loaded = load_in(&folder, &[("DISCORD_TOKEN", "t")]).unwrap();
    let bot = &loaded.settings.bots[0];
    assert_eq!(bot.target, Target::Channel(u64::MAX));
    let behaviour = &bot.behaviour;
    assert_eq!(
        (&*behaviour.title, &*behaviour.knowledge),
        ("bot", &["posts".to_owned()][..])
    );
    let expected = serde_json::json!({"max_posts_per_day": 10, "timezone": "Europe/Berlin", "since": "2026-01-01"});
    assert_eq!(
        serde_json::Value::Object(behaviour.config.clone()),
        expected
    );
    assert_eq!(behaviour.execution.max_retries, 0);
    let [formatter, duplicates, posting] = &behaviour.skills[..] else {
        panic!("not three skills: {:?}", behaviour.skills);
    };
    let expected = serde_json::json!({"template": "x", "embed": {"color": 5, "ratio": 0.5, "fields": [1, true, "a"]}});
    assert_eq!(
        serde_json::Value::Object(formatter.settings.clone()),
        expected
    );
    assert!(duplicates.enabled && duplicates.settings.is_empty());
    assert!(!posting.enabled && posting.settings.is_empty());
}

#[test]
fn bot_files_are_found_beside_the_server_file_and_shared_by_those_that_name_them() {
    let folder = folder(&(entry("a", "") + &entry("b", "")));
    write(&folder, "bot.toml", GOOD_BOT);
    let bots = load_in(&folder, &[]).unwrap().settings.bots;
    assert!(std::sync::Arc::ptr_eq(
        &bots[0].behaviour,
        &bots[1].behaviour
    ));
}
