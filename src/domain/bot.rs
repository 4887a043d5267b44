//! A bot as the configuration describes it: who it is, when it runs, and what it does.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{policy::Policy, schedule::ScheduleSpec};

/// The name of a bot, which is also its `task_id`: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BotName(Arc<str>);

impl BotName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.chars().all(allowed) {
            return Err(format!(
                "`{}` is no bot name; use 1 to 64 of A-Z a-z 0-9 _ -",
                text.escape_debug()
            ));
        }
        Ok(Self(text.into()))
    }

    /// The name as stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One `[[actors]]` entry with its bot file, read and found good (or quarantined).
#[derive(Clone, Debug, PartialEq)]
pub struct Bot {
    /// Unique within a server.
    pub name: BotName,
    /// A disabled bot's slots are recorded as `skipped`/`disabled`.
    pub enabled: bool,
    /// Why the bot may not run until its file is mended; set under `on_invalid_bot = "quarantine"` only.
    pub quarantine: Option<String>,
    /// Where its posts go.
    pub target: Target,
    /// When it runs. `None` only for a quarantined bot whose schedule could not be read.
    pub schedule: Option<ScheduleSpec>,
    /// How lateness, overlap, failures and the like are dealt with.
    pub policy: Policy,
    /// What it does; bots that name one file share it.
    pub behaviour: Arc<Behaviour>,
}

/// Where a bot's posts go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// To standard output.
    #[default]
    Console,
    /// To this channel of Discord, by the bot API: `channel_id`.
    Channel(u64),
    /// To a webhook that `[outbound.webhooks]` describes: `webhook`.
    Webhook {
        /// What it speaks.
        kind: WebhookKind,
        /// Its name there; its URL is a secret.
        name: String,
    },
    /// To a platform that the program which embeds this one has brought: `platform` and `destination`.
    Own {
        /// The platform's word.
        platform: String,
        /// Whatever the platform makes of it.
        destination: String,
    },
}

/// `type` in `[outbound.webhooks.NAME]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookKind {
    /// A webhook of a Discord channel.
    Discord,
    /// Anybody who takes JSON, signed after Standard Webhooks.
    Signed,
}

impl Target {
    /// The word in the `platform` column.
    #[must_use]
    pub fn platform(&self) -> &str {
        match self {
            Self::Console => "console",
            Self::Channel(_) => "discord",
            Self::Webhook { kind, .. } => kind.platform(),
            Self::Own { platform, .. } => platform,
        }
    }

    /// What the `destination` column holds.
    #[must_use]
    pub fn destination(&self) -> String {
        match self {
            Self::Console => "stdout".into(),
            Self::Channel(id) => id.to_string(),
            Self::Webhook { name, .. } => name.clone(),
            Self::Own { destination, .. } => destination.clone(),
        }
    }

    /// The channel of Discord, if it is one.
    #[must_use]
    pub const fn channel_id(&self) -> Option<u64> {
        match self {
            Self::Channel(id) => Some(*id),
            _ => None,
        }
    }

    /// The name of the webhook, if it is one.
    #[must_use]
    pub fn webhook(&self) -> Option<&str> {
        match self {
            Self::Webhook { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Platform and destination, if they are a program's own.
    #[must_use]
    pub fn own(&self) -> Option<(&str, &str)> {
        match self {
            Self::Own {
                platform,
                destination,
            } => Some((platform, destination)),
            _ => None,
        }
    }
}

impl WebhookKind {
    /// The word in the `platform` column.
    #[must_use]
    pub const fn platform(self) -> &'static str {
        match self {
            Self::Discord => "discord_webhook",
            Self::Signed => "webhook",
        }
    }

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Signed => "signed",
        }
    }
}

/// What a bot file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// `actor.name`, for people.
    pub title: String,
    /// `actor.description`, for people.
    pub description: String,
    /// `actor.knowledge`: the tables that content is chosen from.
    pub knowledge: Vec<String>,
    /// `actor.skills` with the settings of each, in the order they run.
    pub skills: Vec<SkillSpec>,
    /// `[actor.config]`: settings that several skills share.
    pub config: Map<String, Value>,
    /// `[actor.execution]`.
    pub execution: ExecutionRules,
}

/// One step of a bot's pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillSpec {
    /// Such as `content_formatter`.
    pub name: String,
    /// `[skills.NAME] enabled`; a disabled skill is recorded as skipped.
    pub enabled: bool,
    /// The rest of `[skills.NAME]`, over `[actor.config]`.
    pub settings: Map<String, Value>,
}

/// `[actor.execution]`: how failures inside one attempt are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionRules {
    /// An unrecoverable error ends the attempt, and no further attempt follows (default true).
    pub stop_on_unrecoverable: bool,
    /// Retries of one skill inside one attempt, for recoverable errors; never of `content_posting` (default 3).
    pub max_retries: u32,
    /// After a skill's last recoverable error the skills behind it still run (default true).
    pub continue_on_error: bool,
}

impl Default for ExecutionRules {
    fn default() -> Self {
        Self {
            stop_on_unrecoverable: true,
            max_retries: 3,
            continue_on_error: true,
        }
    }
}
