//! The effective configuration as a document: the sections and keys of the files, whatever they came from, secrets as `"***"`.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    alerts::{alerts, of_bot},
    is_live, masked,
};
use crate::{
    config::{AuthSettings, KeyMaterial, KeySettings, OnInvalidBot, PostWebhook, Settings},
    domain::{
        bot::{Bot, SkillSpec},
        policy::{Misfire, OnResume, Overlap, Policy},
        schedule::ScheduleSpec,
    },
};

/// The document that people see.
pub(in crate::app) fn shown(settings: &Settings) -> Value {
    let mut all = sections(settings, &|_| masked());
    let bots: Vec<Value> = settings.bots.iter().map(|bot| actor(bot)).collect();
    all.insert("actors".into(), bots.into());
    Value::Object(all)
}

/// The keys beside the bots' in which two settings differ: those that are applied, and those that need a restart.
pub(super) fn differences(before: &Settings, after: &Settings) -> (Vec<String>, Vec<String>) {
    let (before, after) = (compared(before), compared(after));
    let keys = before.keys().chain(after.keys());
    let mut different: Vec<String> = keys
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect();
    different.sort_unstable();
    different.dedup();
    different.into_iter().partition(|key| is_live(key))
}

/// Every key with its value; of secrets only a digest, which is kept nowhere.
fn compared(settings: &Settings) -> BTreeMap<String, Value> {
    let digest = |secret: &str| json!(Sha256::digest(secret.as_bytes()).to_vec());
    let mut flat = BTreeMap::new();
    flatten("", &Value::Object(sections(settings, &digest)), &mut flat);
    flat
}

fn flatten(path: &str, value: &Value, flat: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                flatten(&path, value, flat);
            }
        }
        value => drop(flat.insert(path.to_owned(), value.clone())),
    }
}

/// What becomes of a secret.
pub(super) type Secret<'a> = &'a dyn Fn(&str) -> Value;

pub(super) fn secret_or_none(secret: Option<&SecretString>, show: Secret<'_>) -> Value {
    secret.map_or(Value::Null, |secret| show(secret.expose_secret()))
}

/// Long because there are many sections; each is as the files have it.
fn sections(settings: &Settings, secret: Secret<'_>) -> Map<String, Value> {
    let (server, http) = (&settings.server, &settings.http);
    let all = json!({
        "server": {
            "check_interval_seconds": seconds(server.check_interval),
            "max_consecutive_failures": server.max_consecutive_failures,
            "max_parallel_tasks": server.max_parallel_tasks,
            "shutdown_grace_seconds": seconds(server.shutdown_grace),
            "results_in_memory": server.results_in_memory,
            "on_invalid_bot": match server.on_invalid_bot {
                OnInvalidBot::Refuse => "refuse",
                OnInvalidBot::Quarantine => "quarantine",
            },
            "database_url": secret(server.database_url.expose_secret()),
        },
        "http": {
            "api": http.api,
            "health": http.health,
            "metrics": http.metrics,
            "rate_limit_per_second": http.rate_limit_per_second,
            "cors_origins": http.cors_origins,
        },
        "auth": auth(&settings.auth, secret),
        "discord": {
            "api_url": origin(&settings.discord.api_url, secret),
            "token": secret_or_none(settings.discord.token.as_ref(), secret),
        },
        "breaker": {
            "failure_threshold": settings.breaker.failure_threshold,
            "timeout_seconds": seconds(settings.breaker.timeout),
            "success_threshold": settings.breaker.success_threshold,
        },
        "supervision": {
            "max_restarts": settings.supervision.max_restarts,
            "window_seconds": seconds(settings.supervision.window),
            "min_backoff_ms": milliseconds(settings.supervision.min_backoff),
            "max_backoff_ms": milliseconds(settings.supervision.max_backoff),
        },
        "history": { "retention_days": seconds(settings.retention) / 86_400 },
        "metrics": {
            "namespace": settings.metrics.namespace,
            "max_actor_labels": settings.metrics.max_actor_labels,
        },
        "health": { "interval_seconds": seconds(settings.health_interval) },
        "alerts": alerts(&settings.alerts, secret),
        "outbound": {
            "allow_hosts": settings.outbound.allow_hosts,
            "only_allowed_hosts": settings.outbound.only_allowed_hosts,
            "allow_commands": settings.outbound.allow_commands,
            "webhooks": settings.webhooks.iter().map(|hook| webhook(hook, secret)).collect::<Map<_, _>>(),
        },
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Whoever knows a webhook's URL can post to it.
fn webhook(hook: &PostWebhook, secret: Secret<'_>) -> (String, Value) {
    let shown = json!({
        "type": hook.kind.as_str(),
        "url": secret(hook.url.expose_secret()),
        "secret": secret_or_none(hook.secret.as_ref(), secret),
    });
    (hook.name.clone(), shown)
}

fn auth(auth: &AuthSettings, secret: Secret<'_>) -> Value {
    let keys: Vec<Value> = auth.keys.iter().map(|one| key(one, secret)).collect();
    json!({
        "public_reads": auth.public_reads,
        "algorithm_keys": keys,
        "issuer": auth.issuer.as_deref().unwrap_or_default(),
        "audience": auth.audience.as_deref().unwrap_or_default(),
        "max_lifetime_seconds": seconds(auth.max_lifetime),
        "leeway_seconds": seconds(auth.leeway),
        "events_secret": secret_or_none(auth.events_secret.as_ref(), secret),
    })
}

fn key(key: &KeySettings, secret: Secret<'_>) -> Value {
    let (kind, value) = match &key.material {
        KeyMaterial::Secret(material) => ("secret", secret(material.expose_secret())),
        KeyMaterial::PemFile(path) => ("pem_file", json!(path)),
        KeyMaterial::JwksFile(path) => ("jwks_file", json!(path)),
    };
    let algorithm = format!("{:?}", key.algorithm);
    json!({ "kid": key.kid, "algorithm": algorithm, kind: value })
}

/// An address is no secret, unless somebody has written one into it.
fn origin(url: &str, secret: Secret<'_>) -> Value {
    match bears_secret(url) {
        true => secret(url),
        false => json!(url),
    }
}

/// One `[[actors]]` entry with what its file says.
fn actor(bot: &Bot) -> Value {
    let behaviour = &bot.behaviour;
    let skills: Vec<&str> = behaviour
        .skills
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let mut all = policy(&bot.policy);
    let rest = json!({
        "name": bot.name.as_str(),
        "enabled": bot.enabled,
        "quarantine": bot.quarantine,
        "channel_id": bot.target.channel_id().map(|channel| channel.to_string()),
        "webhook": bot.target.webhook(),
        "platform": bot.target.own().map(|(platform, _)| platform),
        "destination": bot.target.own().map(|(_, destination)| destination),
        "schedule": bot.schedule.as_ref().map(schedule),
        "actor": {
            "name": behaviour.title,
            "description": behaviour.description,
            "knowledge": behaviour.knowledge,
            "skills": skills,
            "config": settings_of_skills(&behaviour.config),
            "execution": {
                "stop_on_unrecoverable": behaviour.execution.stop_on_unrecoverable,
                "max_retries": behaviour.execution.max_retries,
                "continue_on_error": behaviour.execution.continue_on_error,
            },
        },
        "skills": behaviour.skills.iter().map(skill).collect::<Map<_, _>>(),
    });
    if let Value::Object(rest) = rest {
        all.extend(rest);
    }
    Value::Object(all)
}

fn schedule(spec: &ScheduleSpec) -> Value {
    serde_json::to_value(&spec.kind).unwrap_or_default()
}

fn skill(skill: &SkillSpec) -> (String, Value) {
    let mut all = settings_of_skills(&skill.settings);
    if let Value::Object(all) = &mut all {
        all.insert("enabled".into(), json!(skill.enabled));
    }
    (skill.name.clone(), all)
}

fn policy(policy: &Policy) -> Map<String, Value> {
    let retry = &policy.retry;
    let all = json!({
        "timeout_seconds": seconds(policy.timeout),
        "overlap": match policy.overlap {
            Overlap::Skip => "skip",
            Overlap::BufferOne => "buffer_one",
            Overlap::CancelOther => "cancel_other",
            Overlap::AllowAll => "allow_all",
        },
        "misfire": match policy.misfire {
            Misfire::FireOnceNow => "fire_once_now",
            Misfire::DoNothing => "do_nothing",
            Misfire::FireAll => "fire_all",
        },
        "misfire_threshold_seconds": seconds(policy.misfire_threshold),
        "catchup_window_seconds": seconds(policy.catchup_window),
        "jitter_seconds": seconds(policy.jitter),
        "recover_in_flight": policy.recover_in_flight,
        "on_resume": match policy.on_resume {
            OnResume::SkipPaused => "skip_paused",
            OnResume::RunLatest => "run_latest",
        },
        "retry": {
            "max_attempts": retry.max_attempts,
            "initial_backoff_seconds": retry.initial_backoff.as_secs_f64(),
            "max_backoff_seconds": retry.max_backoff.as_secs_f64(),
            "multiplier": retry.multiplier,
            "jitter": retry.jitter,
        },
        "starts_at": policy.starts_at,
        "ends_at": policy.ends_at,
        "max_runs": policy.max_runs,
        "on_event": { "types": policy.on_event },
        "alerts": of_bot(&policy.alerts),
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Settings of skills are anybody's: what is called like a secret, or is an address with one in it, is masked.
fn settings_of_skills(settings: &Map<String, Value>) -> Value {
    let masked = settings
        .iter()
        .map(|(key, value)| (key.clone(), setting(key, value)));
    Value::Object(masked.collect())
}

fn setting(key: &str, value: &Value) -> Value {
    match value {
        _ if is_called_secret(key) => masked(),
        Value::Object(table) => settings_of_skills(table),
        Value::Array(list) => list.iter().map(|one| setting("", one)).collect(),
        Value::String(text) if bears_secret(text) => masked(),
        value => value.clone(),
    }
}

/// What is masked by its name, whatever it is; headers, because most of them are for authentication.
const SECRETS: [&str; 9] = [
    "secret",
    "token",
    "password",
    "passwd",
    "api_key",
    "apikey",
    "credential",
    "authorization",
    "headers",
];

/// What is handed to programs and other servers as it is, and so is where their secrets stand.
const HANDED_OVER: [&str; 3] = ["env", "args", "body"];

fn is_called_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    HANDED_OVER.contains(&key.as_str()) || SECRETS.iter().any(|word| key.contains(word))
}

/// An address with a user, a query or a webhook's path in it.
fn bears_secret(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    place.contains('@') || rest.contains('?') || rest.to_lowercase().contains("webhook")
}

fn seconds(duration: std::time::Duration) -> u64 {
    duration.as_secs()
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
