//! Who is told what, as the configuration says it.

use std::{fmt, sync::Arc};

use chrono::TimeDelta;

use super::{AlertKind, Incident, Severity};
use crate::domain::bot::BotName;

/// `[alerts]`, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRules {
    /// So many failed runs in a row raise `failures` (`after_failures`, 3).
    pub after_failures: u32,
    /// A slot that is past for so long without anything being done about it raises `stalled` (`stalled_after_seconds`,
    /// 300).
    pub stalled_after: TimeDelta,
    /// What the names of the pages on each kind are appended to (`runbook_url`, none).
    pub runbook_url: Option<String>,
    /// The channels, in the order of the documentation.
    pub channels: Vec<ChannelRules>,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            after_failures: 3,
            stalled_after: TimeDelta::seconds(300),
            runbook_url: None,
            channels: Vec::new(),
        }
    }
}

/// `[alerts.CHANNEL]`, as far as it decides; what the channel does not say is that of `[alerts]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRules {
    /// `webhook`, `discord` or `pagerduty`.
    pub name: String,
    /// What it is told of (`on`, all).
    pub on: Vec<AlertKind>,
    /// Nothing milder is told (`min_severity`, all).
    pub min_severity: Severity,
    /// Of failing runs it is told from so many in a row on (`after_failures`).
    pub after_failures: Option<u32>,
    /// What lasts is told again after this time; `None` is never (`remind_minutes`, 240).
    pub remind: Option<TimeDelta>,
    /// So many notices within an hour at most; 0 is no limit (`max_per_hour`, 30).
    pub max_per_hour: u32,
    /// Only of these bots (`bots`); of all, and of what is about no bot, if there are none.
    pub bots: Vec<BotPattern>,
    /// Whether it is told when something is over (`recoveries`, true).
    pub recoveries: bool,
    /// Whether what was raised there stays open until its end is told, as at a machine, and not among people.
    pub keeps_state: bool,
}

/// `[actors.alerts]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BotAlerts {
    /// So many failed runs in a row raise `failures`, whatever the channels say.
    pub after_failures: Option<u32>,
    /// Nobody is told of this bot.
    pub mute: bool,
    /// Only these channels are told; `None` is all.
    pub channels: Option<Vec<String>>,
    /// Where its starts and ends are reported to.
    pub ping_url: Option<PingUrl>,
}

/// An address of a dead man's switch: whoever knows it can report in the bot's name, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PingUrl(Arc<str>);

impl PingUrl {
    /// Takes an address that was found good.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(url.into())
    }

    /// The address.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A bot's name, or the beginning of names: `daily_poster`, `team_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotPattern {
    beginning: String,
    whole: bool,
}

impl BotPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let beginning = text.strip_suffix('*');
        let whole = beginning.is_none();
        let beginning = beginning.unwrap_or(text);
        if whole || !beginning.is_empty() {
            BotName::parse(beginning).map_err(|_| {
                format!(
                    "`{}` is no bot; use a name, or the beginning of names and `*`, such as `team_*`",
                    text.escape_debug()
                )
            })?;
        }
        let beginning = beginning.to_owned();
        Ok(Self { beginning, whole })
    }

    /// Whether this bot is meant.
    #[must_use]
    pub fn matches(&self, bot: &BotName) -> bool {
        match self.whole {
            true => bot.as_str() == self.beginning,
            false => bot.as_str().starts_with(&self.beginning),
        }
    }
}

impl fmt::Display for BotPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.whole { "" } else { "*" };
        write!(f, "{}{star}", self.beginning)
    }
}

impl AlertRules {
    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&ChannelRules> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// From so many failed runs in a row on there is an incident: the fewest that any channel wants to hear of.
    #[must_use]
    pub fn failures_from(&self, bot: &BotAlerts) -> u32 {
        let each = self.channels.iter();
        let fewest = each
            .map(|channel| self.failures_for(channel, bot))
            .min()
            .unwrap_or(self.after_failures);
        bot.after_failures.unwrap_or(fewest)
    }

    /// The same for one channel: the bot's word counts before the channel's, and that before the general one.
    fn failures_for(&self, channel: &ChannelRules, bot: &BotAlerts) -> u32 {
        let own = bot.after_failures.or(channel.after_failures);
        own.unwrap_or(self.after_failures)
    }

    /// Whether this channel is told of this incident now.
    #[must_use]
    pub fn tells(&self, channel: &ChannelRules, incident: &Incident, bot: &BotAlerts) -> bool {
        let enough = incident.kind != AlertKind::Failures
            || incident.count >= u64::from(self.failures_for(channel, bot));
        enough && channel.is_for(incident, bot)
    }

    /// The page that says what to do.
    #[must_use]
    pub fn runbook(&self, kind: AlertKind) -> Option<String> {
        let base = self.runbook_url.as_deref()?;
        let slash = if base.ends_with('/') { "" } else { "/" };
        Some(format!("{base}{slash}{}.md", kind.as_str()))
    }
}

impl ChannelRules {
    /// A channel that is told of everything.
    #[must_use]
    pub fn of_everything(name: &str, keeps_state: bool) -> Self {
        Self {
            name: name.to_owned(),
            on: AlertKind::RAISED.to_vec(),
            min_severity: Severity::Info,
            after_failures: None,
            remind: Some(TimeDelta::minutes(240)),
            max_per_hour: 30,
            bots: Vec::new(),
            recoveries: true,
            keeps_state,
        }
    }

    fn is_for(&self, incident: &Incident, bot: &BotAlerts) -> bool {
        let listed = bot.channels.as_ref();
        let is_listed = listed.is_none_or(|names| names.contains(&self.name));
        self.on.contains(&incident.kind)
            && incident.severity >= self.min_severity
            && self.is_about(incident.bot.as_ref())
            && !bot.mute
            && is_listed
    }

    fn is_about(&self, bot: Option<&BotName>) -> bool {
        let listed = |bot| self.bots.iter().any(|pattern| pattern.matches(bot));
        self.bots.is_empty() || bot.is_some_and(listed)
    }
}
