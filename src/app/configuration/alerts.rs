//! `[alerts]` in the effective configuration: whatever would let a stranger speak in the server's name is a secret.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{
    masked,
    shown::{Secret, secret_or_none},
};
use crate::{
    config::AlertSettings,
    domain::alert::{BotAlerts, ChannelRules},
};

/// `[alerts]`; a channel that is not configured is not there.
pub(super) fn alerts(alerts: &AlertSettings, secret: Secret<'_>) -> Value {
    let mut all = json!({
        "after_failures": alerts.rules.after_failures,
        "remind_minutes": alerts.shared.remind_minutes,
        "max_per_hour": alerts.shared.max_per_hour,
        "runbook_url": alerts.rules.runbook_url,
        "stalled_after_seconds": alerts.rules.stalled_after.num_seconds(),
    });
    for channel in &alerts.rules.channels {
        let mut table = rules(channel);
        table.extend(own(alerts, &channel.name, secret));
        put(&mut all, &channel.name, table.into());
    }
    if let Some(pings) = &alerts.healthchecks {
        let url = secret(pings.url.expose_secret());
        let table = json!({ "url": url, "create": pings.create });
        put(&mut all, "healthchecks", table);
    }
    all
}

fn put(all: &mut Value, key: &str, value: Value) {
    if let Value::Object(all) = all {
        all.insert(key.to_owned(), value);
    }
}

/// The keys that every channel has.
fn rules(channel: &ChannelRules) -> Map<String, Value> {
    let on: Vec<&str> = channel.on.iter().map(|kind| kind.as_str()).collect();
    let bots: Vec<String> = channel.bots.iter().map(ToString::to_string).collect();
    let all = json!({
        "on": on,
        "min_severity": channel.min_severity.as_str(),
        "after_failures": channel.after_failures,
        "remind_minutes": channel.remind.map_or(0, |remind| remind.num_minutes()),
        "max_per_hour": channel.max_per_hour,
        "bots": bots,
        "recoveries": channel.recoveries,
    });
    object(all)
}

/// The keys of one channel.
fn own(alerts: &AlertSettings, name: &str, secret: Secret<'_>) -> Map<String, Value> {
    let all = match name {
        "webhook" => alerts.webhook.as_ref().map(|webhook| {
            let headers = webhook.headers.iter();
            let headers = headers.map(|(name, value)| (name.clone(), shown(value, secret)));
            json!({
                "url": shown(&webhook.url, secret),
                "secret": shown(&webhook.secret, secret),
                "headers": headers.collect::<Map<_, _>>(),
            })
        }),
        "discord" => alerts.discord.as_ref().map(|discord| {
            json!({
                "webhook_url": secret_or_none(discord.webhook_url.as_ref(), secret),
                "channel_id": discord.channel_id.map(|id| id.to_string()),
            })
        }),
        _ => alerts.pagerduty.as_ref().map(|pagerduty| {
            json!({
                "routing_key": shown(&pagerduty.routing_key, secret),
                "url": pagerduty.url,
            })
        }),
    };
    object(all.unwrap_or_default())
}

fn shown(value: &SecretString, secret: Secret<'_>) -> Value {
    secret(value.expose_secret())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// `[actors.alerts]`.
pub(super) fn of_bot(alerts: &BotAlerts) -> Value {
    json!({
        "after_failures": alerts.after_failures,
        "mute": alerts.mute,
        "channels": alerts.channels,
        "ping_url": alerts.ping_url.as_ref().map(|_| masked()),
    })
}
