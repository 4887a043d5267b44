//! The channels: what each needs, and the keys that all of them have.

use secrecy::SecretString;

use super::{
    DiscordAlertSettings, PagerDutySettings, SharedKeys, WebhookSettings, receiver_or_none,
};
use crate::{
    config::{
        item::Item, keys::secret::webhook_secret, problem::Problem, sections::each, table::Table,
        targets::channel_id, urls::origin,
    },
    domain::alert::{AlertKind, BotPattern, ChannelRules, Severity},
};

const KINDS: [(&str, AlertKind); 6] = [
    (AlertKind::Failures.as_str(), AlertKind::Failures),
    (AlertKind::Held.as_str(), AlertKind::Held),
    (AlertKind::Missed.as_str(), AlertKind::Missed),
    (AlertKind::GivenUp.as_str(), AlertKind::GivenUp),
    (AlertKind::Stalled.as_str(), AlertKind::Stalled),
    (AlertKind::BreakerOpen.as_str(), AlertKind::BreakerOpen),
];

const SEVERITIES: [(&str, Severity); 4] = [
    (Severity::Info.as_str(), Severity::Info),
    (Severity::Warning.as_str(), Severity::Warning),
    (Severity::Error.as_str(), Severity::Error),
    (Severity::Critical.as_str(), Severity::Critical),
];

/// The keys that every channel has.
fn rules(table: &Table<'_>, name: &str, shared: SharedKeys, keeps_state: bool) -> ChannelRules {
    let default = ChannelRules::of_everything(name, keeps_state);
    let shared = SharedKeys::read(table, shared);
    let on = table.get("on").and_then(|item| item.array());
    let on = on.map(|kinds| {
        kinds
            .iter()
            .filter_map(|kind| kind.choice(&KINDS))
            .collect()
    });
    let bots = table.get("bots").and_then(|item| item.array());
    let severity = table.choice("min_severity", &SEVERITIES);
    ChannelRules {
        on: on.unwrap_or(default.on),
        min_severity: severity.unwrap_or(default.min_severity),
        after_failures: table.integer("after_failures", 1..=1_000_000),
        remind: shared.remind(),
        max_per_hour: shared.max_per_hour,
        bots: each(bots, BotPattern::parse),
        recoveries: table.boolean("recoveries").unwrap_or(default.recoveries),
        name: default.name,
        keeps_state,
    }
}

/// Reads a channel with `read`; without what it needs it is none.
fn channel<T>(
    alerts: &Table<'_>,
    name: &'static str,
    shared: SharedKeys,
    all: &mut Vec<ChannelRules>,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Option<T> {
    let table = alerts.table(name)?;
    let keeps_state = name != "discord";
    let rules = rules(&table, name, shared, keeps_state);
    let found = read(&table);
    table.finish();
    if found.is_some() {
        all.push(rules);
    }
    found
}

pub(super) fn webhook(
    alerts: &Table<'_>,
    shared: SharedKeys,
    all: &mut Vec<ChannelRules>,
) -> Option<WebhookSettings> {
    channel(alerts, "webhook", shared, all, |table| {
        let url = table.need("url", "where notices are posted to");
        let url = url.and_then(|item| item.parse(receiver_or_none).flatten());
        let secret = table.need("secret", "what notices are signed with");
        let secret = secret.and_then(|item| item.parse(webhook_secret));
        let headers = table.table("headers").map(|headers| headers_of(&headers));
        Some(WebhookSettings {
            url: url?,
            secret: secret??,
            headers: headers.unwrap_or_default(),
        })
    })
}

fn headers_of(table: &Table<'_>) -> Vec<(String, SecretString)> {
    let read = |(name, item): (&str, Item<'_>)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            item.problem("is no name of a header; use letters, digits and `-`");
            return None;
        }
        let value = item.parse(header_value)?;
        Some((name.to_owned(), value))
    };
    table.entries().filter_map(read).collect()
}

fn header_value(text: &str) -> Result<SecretString, &'static str> {
    let is_visible = |c: char| c == ' ' || c.is_ascii_graphic();
    match text.chars().all(is_visible) {
        true => Ok(text.into()),
        false => Err("is no value of a header; use visible ASCII characters"),
    }
}

/// With what to say if there is no bot token.
pub(super) fn discord(
    alerts: &Table<'_>,
    shared: SharedKeys,
    all: &mut Vec<ChannelRules>,
) -> (Option<DiscordAlertSettings>, Option<Problem>) {
    let mut needs_token = None;
    let settings = channel(alerts, "discord", shared, all, |table| {
        let (webhook, by_id) = (table.get("webhook_url"), table.get("channel_id"));
        if webhook.is_some() == by_id.is_some() {
            let message = "give one of `webhook_url` and `channel_id`";
            table.problem_at("", message.into());
        }
        let webhook_url = webhook.and_then(|item| item.parse(receiver_or_none).flatten());
        needs_token = by_id.as_ref().map(|item| item.describe(NO_TOKEN));
        let channel_id = by_id.and_then(|item| item.parse(id_or_none).flatten());
        let is_any = webhook_url.is_some() || channel_id.is_some();
        is_any.then_some(DiscordAlertSettings {
            webhook_url,
            channel_id,
        })
    });
    let posts = |settings: &DiscordAlertSettings| settings.channel_id.is_some();
    let needs_token = needs_token.filter(|_| settings.as_ref().is_some_and(posts));
    (settings, needs_token)
}

const NO_TOKEN: &str = "needs a bot token, and there is none; set the environment variable `DISCORD_TOKEN`, or `token` \
                        in `[discord]`, or use `webhook_url` in its place";

fn id_or_none(text: &str) -> Result<Option<u64>, String> {
    match text {
        "" => Ok(None),
        text => channel_id(text).map(Some),
    }
}

pub(super) fn pagerduty(
    alerts: &Table<'_>,
    shared: SharedKeys,
    all: &mut Vec<ChannelRules>,
) -> Option<PagerDutySettings> {
    channel(alerts, "pagerduty", shared, all, |table| {
        let key = table.need("routing_key", "the integration key of a service");
        let key = key.and_then(|item| item.parse(routing_key).flatten());
        let url = table.get("url").and_then(|item| item.parse(origin));
        Some(PagerDutySettings {
            routing_key: key?,
            url: url.unwrap_or_else(|| "https://events.pagerduty.com".into()),
        })
    })
}

/// The documentation says 32 characters; only what can be none is refused. An empty one is none.
fn routing_key(text: &str) -> Result<Option<SecretString>, &'static str> {
    match text.chars().all(|c| c.is_ascii_alphanumeric()) {
        true if text.is_empty() => Ok(None),
        true => Ok(Some(text.into())),
        false => Err("is no integration key; copy that of an Events API v2 integration"),
    }
}
