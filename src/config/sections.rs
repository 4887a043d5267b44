//! The tables of the server file that are about the server as a whole.

use std::{path::PathBuf, time::Duration};

use super::{
    item::Item,
    settings::{MetricsSettings, OnInvalidBot, OutboundSettings, ServerSettings},
    table::Table,
};
use crate::domain::{breaker::BreakerRules, reach::AllowedHost, restart::RestartPolicy};

/// The longest time that makes sense anywhere: ten years.
pub(super) const TEN_YEARS: i64 = 315_360_000;

/// `[server]`, without the database.
pub(super) fn server(table: &Table<'_>) -> ServerSettings {
    let default = ServerSettings::default();
    ServerSettings {
        check_interval: table
            .seconds("check_interval_seconds", 1..=86_400)
            .unwrap_or(default.check_interval),
        max_consecutive_failures: table
            .integer("max_consecutive_failures", 1..=1_000_000)
            .unwrap_or(default.max_consecutive_failures),
        max_parallel_tasks: table
            .integer("max_parallel_tasks", 1..=10_000)
            .unwrap_or(default.max_parallel_tasks),
        shutdown_grace: table
            .seconds("shutdown_grace_seconds", 0..=86_400)
            .unwrap_or(default.shutdown_grace),
        results_in_memory: table
            .integer("results_in_memory", 1..=10_000_000)
            .unwrap_or(default.results_in_memory),
        on_invalid_bot: table
            .choice("on_invalid_bot", &ON_INVALID_BOT)
            .unwrap_or_default(),
        database_url: default.database_url,
    }
}

const ON_INVALID_BOT: [(&str, OnInvalidBot); 2] = [
    ("refuse", OnInvalidBot::Refuse),
    ("quarantine", OnInvalidBot::Quarantine),
];

/// `[breaker]`.
pub(super) fn breaker(table: &Table<'_>) -> BreakerRules {
    let default = BreakerRules::default();
    BreakerRules {
        failure_threshold: table
            .integer("failure_threshold", 1..=1_000_000)
            .unwrap_or(default.failure_threshold),
        timeout: table
            .seconds("timeout_seconds", 1..=86_400)
            .unwrap_or(default.timeout),
        success_threshold: table
            .integer("success_threshold", 1..=1_000_000)
            .unwrap_or(default.success_threshold),
    }
}

/// `[supervision]`.
pub(super) fn supervision(table: &Table<'_>) -> RestartPolicy {
    let default = RestartPolicy::default();
    let policy = RestartPolicy {
        max_restarts: table
            .integer("max_restarts", 0..=1_000_000)
            .unwrap_or(default.max_restarts),
        window: table
            .seconds("window_seconds", 1..=86_400)
            .unwrap_or(default.window),
        min_backoff: table
            .millis("min_backoff_ms", 1..=86_400_000)
            .unwrap_or(default.min_backoff),
        max_backoff: table
            .millis("max_backoff_ms", 1..=86_400_000)
            .unwrap_or(default.max_backoff),
    };
    check_backoff(table, &policy);
    policy
}

fn check_backoff(table: &Table<'_>, policy: &RestartPolicy) {
    let (least, most) = (
        policy.min_backoff.as_millis(),
        policy.max_backoff.as_millis(),
    );
    if least > most {
        let message = format!("{least} is more than `max_backoff_ms` ({most}); use {most} or less");
        table.problem_at("min_backoff_ms", message);
    }
}

/// `[history]`: how long rows are kept.
pub(super) fn retention(table: &Table<'_>) -> Option<Duration> {
    let days: Option<u64> = table.integer("retention_days", 1..=36_500);
    days.map(|days| Duration::from_secs(days * 86_400))
}

/// `[health]`: how often everything is asked how it is.
pub(super) fn health_interval(table: &Table<'_>) -> Option<Duration> {
    table.seconds("interval_seconds", 1..=3_600)
}

/// `[metrics]`.
pub(super) fn metrics(table: &Table<'_>) -> MetricsSettings {
    let default = MetricsSettings::default();
    let namespace = table
        .get("namespace")
        .and_then(|item| item.parse(namespace));
    MetricsSettings {
        namespace: namespace.unwrap_or(default.namespace),
        max_actor_labels: table
            .integer("max_actor_labels", 0..=10_000)
            .unwrap_or(default.max_actor_labels),
    }
}

fn namespace(text: &str) -> Result<String, String> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit()) {
        return Ok(text.into());
    }
    Err(format!(
        "`{text}` cannot begin the name of a metric; use letters, digits and `_`, not beginning with a digit"
    ))
}

/// `[outbound]`.
pub(super) fn outbound(table: &Table<'_>) -> OutboundSettings {
    let commands = table.get("allow_commands").and_then(|item| item.array());
    let hosts = table.get("allow_hosts").and_then(|item| item.array());
    OutboundSettings {
        allow_hosts: each(hosts, host),
        only_allowed_hosts: table.boolean("only_allowed_hosts").unwrap_or_default(),
        allow_commands: each(commands, command),
    }
}

/// What each item is read as, without those that have a problem.
pub(super) fn each<T>(
    items: Option<Vec<Item<'_>>>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let items = items.unwrap_or_default();
    items.iter().filter_map(|item| item.parse(&read)).collect()
}

fn host(text: &str) -> Result<String, String> {
    AllowedHost::parse(text).map(|_| text.to_lowercase())
}

fn command(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.is_absolute() {
        true => Ok(path),
        false => Err(format!("`{text}` is no absolute path; begin with `/`")),
    }
}
