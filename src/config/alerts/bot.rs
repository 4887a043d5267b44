//! `[actors.alerts]`, and the same table in `[defaults]`: what a bot says about its own alerts.

use super::CHANNELS;
use crate::{
    config::{nearest::listed, table::Table, urls::receiver},
    domain::alert::{BotAlerts, PingUrl},
};

/// The keys that one table sets.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct AlertKeys {
    after_failures: Option<u32>,
    mute: Option<bool>,
    channels: Option<Vec<String>>,
    /// An empty one is none, also where `[defaults]` has one.
    ping_url: Option<Option<PingUrl>>,
}

impl AlertKeys {
    pub(in crate::config) fn read(table: &Table<'_>) -> Self {
        let ping_url = table.get("ping_url");
        Self {
            after_failures: table.integer("after_failures", 1..=1_000_000),
            mute: table.boolean("mute"),
            channels: table.get("channels").and_then(|item| {
                let names = item.array()?;
                let choices = CHANNELS.map(|name| (name, name));
                let known = names.iter().filter_map(|name| name.choice(&choices));
                Some(known.map(str::to_owned).collect())
            }),
            ping_url: ping_url.and_then(|item| item.parse(ping_target)),
        }
    }

    pub(in crate::config) fn over(&self, defaults: &Self) -> BotAlerts {
        let ping_url = self.ping_url.clone().or_else(|| defaults.ping_url.clone());
        BotAlerts {
            after_failures: self.after_failures.or(defaults.after_failures),
            mute: self.mute.or(defaults.mute).unwrap_or(false),
            channels: self.channels.clone().or_else(|| defaults.channels.clone()),
            ping_url: ping_url.flatten(),
        }
    }

    /// Reports channels that are named and not configured; `table` is the one that this was read from a part of.
    pub(in crate::config) fn check(&self, table: &Table<'_>, configured: &[String]) {
        for name in self.channels.iter().flatten() {
            if !configured.contains(name) {
                let message = match configured {
                    [] => format!("`{name}` is not configured; describe it in `[alerts.{name}]`"),
                    some => format!(
                        "`{name}` is not configured; describe it in `[alerts.{name}]`, or use {}",
                        listed(some.iter().map(String::as_str))
                    ),
                };
                table.problem_at("alerts.channels", message);
            }
        }
    }
}

fn ping_target(text: &str) -> Result<Option<PingUrl>, String> {
    match text {
        "" => Ok(None),
        text => Ok(Some(PingUrl::new(&receiver(text)?))),
    }
}
