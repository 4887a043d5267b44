//! `[alerts]`: who is told of trouble, and when. A channel whose secret or address is empty is not configured, so that one
//! file serves machines with and without it.

mod bot;
mod channels;

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;

pub(super) use self::bot::AlertKeys;
use super::{problem::Problem, sections::TEN_YEARS, table::Table, urls::receiver};
use crate::domain::alert::AlertRules;

/// The channels, in the order of the documentation.
pub(super) const CHANNELS: [&str; 3] = ["webhook", "discord", "pagerduty"];

/// `[alerts]`.
#[derive(Clone, Debug, Default)]
pub struct AlertSettings {
    /// What decides; a channel is in it if it is configured.
    pub rules: AlertRules,
    /// What channels that say nothing else share.
    pub shared: SharedKeys,
    /// `[alerts.webhook]`.
    pub webhook: Option<WebhookSettings>,
    /// `[alerts.discord]`.
    pub discord: Option<DiscordAlertSettings>,
    /// `[alerts.pagerduty]`.
    pub pagerduty: Option<PagerDutySettings>,
    /// `[alerts.healthchecks]`.
    pub healthchecks: Option<HealthchecksSettings>,
}

/// Keys of `[alerts]` that each channel may set for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedKeys {
    /// What lasts is told again after so many minutes; 0 is never (240).
    pub remind_minutes: u32,
    /// So many notices within an hour; 0 is no limit (30).
    pub max_per_hour: u32,
}

impl Default for SharedKeys {
    fn default() -> Self {
        Self {
            remind_minutes: 240,
            max_per_hour: 30,
        }
    }
}

impl SharedKeys {
    fn read(table: &Table<'_>, otherwise: Self) -> Self {
        /// A year.
        const LONGEST: i64 = 525_600;
        Self {
            remind_minutes: table
                .integer("remind_minutes", 0..=LONGEST)
                .unwrap_or(otherwise.remind_minutes),
            max_per_hour: table
                .integer("max_per_hour", 0..=100_000)
                .unwrap_or(otherwise.max_per_hour),
        }
    }

    fn remind(self) -> Option<TimeDelta> {
        let minutes = i64::from(self.remind_minutes);
        (minutes > 0).then(|| TimeDelta::minutes(minutes))
    }
}

/// `[alerts.webhook]`: any receiver, signed after Standard Webhooks.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Where notices are posted to; may have a token in its path or query.
    pub url: SecretString,
    /// What they are signed with: `whsec_` and base64, or a text of 32 bytes or more.
    pub secret: SecretString,
    /// Further headers, by name.
    pub headers: Vec<(String, SecretString)>,
}

/// `[alerts.discord]`: one of the two.
#[derive(Clone, Debug)]
pub struct DiscordAlertSettings {
    /// A webhook of a channel; whoever knows it can post there.
    pub webhook_url: Option<SecretString>,
    /// A channel that the bot of `[discord]` may post to.
    pub channel_id: Option<u64>,
}

/// `[alerts.pagerduty]`.
#[derive(Clone, Debug)]
pub struct PagerDutySettings {
    /// The integration key of a service (Events API v2).
    pub routing_key: SecretString,
    /// An origin (`https://events.pagerduty.com`).
    pub url: String,
}

/// `[alerts.healthchecks]`: where starts and ends of runs are reported to.
#[derive(Clone, Debug)]
pub struct HealthchecksSettings {
    /// What the bots' names are appended to, such as `https://hc-ping.com/PING_KEY`.
    pub url: SecretString,
    /// Whether checks that do not exist are made with their first ping (true).
    pub create: bool,
}

/// What was read, and a problem that only counts if there is no Discord token.
pub(super) type Read = (AlertSettings, Option<Problem>);

/// `[alerts]`.
pub(super) fn alerts(table: &Table<'_>) -> Read {
    let default = AlertRules::default();
    let shared = SharedKeys::read(table, SharedKeys::default());
    let after_failures = table.integer("after_failures", 1..=1_000_000);
    let stalled_after = table.seconds("stalled_after_seconds", 1..=TEN_YEARS);
    let mut settings = AlertSettings {
        rules: AlertRules {
            after_failures: after_failures.unwrap_or(default.after_failures),
            stalled_after: stalled_after.map_or(default.stalled_after, delta),
            runbook_url: table.get("runbook_url").and_then(|item| item.parse(page)),
            channels: Vec::new(),
        },
        shared,
        healthchecks: table.section("healthchecks", healthchecks),
        ..AlertSettings::default()
    };
    let mut rules = Vec::new();
    settings.webhook = channels::webhook(table, shared, &mut rules);
    let (discord, needs_token) = channels::discord(table, shared, &mut rules);
    settings.discord = discord;
    settings.pagerduty = channels::pagerduty(table, shared, &mut rules);
    settings.rules.channels = rules;
    (settings, needs_token)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// Pages are linked, not asked: an address in full, or nothing.
fn page(text: &str) -> Result<String, String> {
    receiver(text)
        .map(|url| url.trim_end_matches('/').to_owned())
        .map_err(Into::into)
}

fn healthchecks(table: &Table<'_>) -> Option<HealthchecksSettings> {
    let create = table.boolean("create").unwrap_or(true);
    let url = table.need("url", "the address that names of bots are appended to")?;
    let url = url.parse(receiver_or_none).flatten()?;
    Some(HealthchecksSettings { url, create })
}

/// An address that may bear a secret; an empty one is none.
fn receiver_or_none(text: &str) -> Result<Option<SecretString>, String> {
    match text {
        "" => Ok(None),
        text => Ok(Some(receiver(text)?.into())),
    }
}
