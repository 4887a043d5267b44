//! Where a bot's posts go: a Discord channel, a webhook, a program's own platform, or else the console.

use super::{
    item::Item, nearest::suggestion, problem::Problem, settings::PostWebhook, table::Table,
};
use crate::domain::bot::{Target, WebhookKind};

/// The longest `destination`, in characters.
const LONGEST: usize = 200;

/// What there is to post to, and who posts to Discord.
#[derive(Default)]
pub(super) struct Targets {
    webhooks: Vec<(String, WebhookKind)>,
    /// Beside the built-in ones.
    platforms: Vec<String>,
    /// The places where a channel is named.
    channels: Vec<Problem>,
}

impl Targets {
    pub(super) fn new(webhooks: &[PostWebhook], platforms: Vec<String>) -> Self {
        let webhooks = webhooks.iter().map(|hook| (hook.name.clone(), hook.kind));
        Self {
            webhooks: webhooks.collect(),
            platforms,
            channels: Vec::new(),
        }
    }

    /// The keys of an entry that say where its posts go, of which it may have one.
    pub(super) fn read(&mut self, entry: &Table<'_>) -> Target {
        let (channel, webhook) = (entry.get("channel_id"), entry.get("webhook"));
        let (platform, destination) = (entry.get("platform"), entry.get("destination"));
        if let (None, Some(item)) = (&platform, &destination) {
            item.problem("belongs to a `platform`; name that, too, or leave this out");
        }
        let named = [&channel, &webhook, &platform].into_iter().flatten();
        if let [_, second, ..] = named.collect::<Vec<_>>().as_slice() {
            second.problem(
                "a bot posts to one place; give one of `channel_id`, `webhook` and `platform`",
            );
        }
        let target = match (channel, webhook, platform) {
            (Some(channel), ..) => self.channel(&channel),
            (_, Some(webhook), _) => self.webhook(&webhook),
            (_, _, Some(platform)) => self.own(entry, &platform, destination.as_ref()),
            (None, None, None) => None,
        };
        target.unwrap_or_default()
    }

    fn channel(&mut self, item: &Item<'_>) -> Option<Target> {
        if cfg!(not(feature = "discord")) {
            item.problem("this program was built without Discord; leave the channel out");
        }
        if item.is_integer() {
            item.problem("expected a string, found an integer; write the id in quotes");
            return None;
        }
        let id = item.parse(channel_id)?;
        self.channels.push(item.describe(""));
        Some(Target::Channel(id))
    }

    fn webhook(&self, item: &Item<'_>) -> Option<Target> {
        let known = self.webhooks.iter();
        let (name, kind) =
            item.parse(|name| {
                let found = known.clone().find(|(known, _)| known == name);
                found.cloned().ok_or_else(|| match self.webhooks.is_empty() {
                true => format!(
                    "there is no webhook `{name}`; describe it in `[outbound.webhooks.{name}]`"
                ),
                false => {
                    let near = suggestion(name, known.clone().map(|(known, _)| known.as_str()));
                    format!("there is no webhook `{name}` in `[outbound.webhooks]`; {near}")
                }
            })
            })?;
        Some(Target::Webhook { kind, name })
    }

    fn own(
        &self,
        entry: &Table<'_>,
        platform: &Item<'_>,
        destination: Option<&Item<'_>>,
    ) -> Option<Target> {
        let platform = platform.parse(|name| self.platform(name));
        if destination.is_none() {
            let what = "is missing; say where on the platform, such as \"general\"";
            entry.problem_at("destination", what.into());
        }
        let destination = destination.and_then(|item| item.parse(destination_text));
        Some(Target::Own {
            platform: platform?,
            destination: destination?,
        })
    }

    fn platform(&self, name: &str) -> Result<String, String> {
        let instead = match name {
            "discord" => Some("`channel_id`"),
            "discord_webhook" | "webhook" => Some("`webhook`"),
            "console" => Some("no target at all"),
            _ => None,
        };
        match instead {
            _ if self.platforms.iter().any(|known| known == name) => Ok(name.into()),
            Some(instead) => Err(format!("`{name}` is built in; give {instead} in its place")),
            None if self.platforms.is_empty() => Err(format!(
                "there is no platform `{name}`, and this program has brought none of its own; use `channel_id` or `webhook`"
            )),
            None => {
                let near = suggestion(name, self.platforms.iter().map(String::as_str));
                Err(format!("there is no platform `{name}`; {near}"))
            }
        }
    }

    /// What to say if there is no Discord token: at the first bot that needs one.
    pub(super) fn needs_token(mut self) -> Option<Problem> {
        let bots = self.channels.len();
        let first = (bots > 0).then(|| self.channels.swap_remove(0))?;
        Some(Problem {
            message: format!(
                "{bots} {} to Discord, but there is no token; set the environment variable `DISCORD_TOKEN`, or \
                 `DISCORD_TOKEN_FILE`, or `token` in `[discord]`",
                if bots == 1 { "bot posts" } else { "bots post" }
            ),
            ..first
        })
    }
}

fn destination_text(text: &str) -> Result<String, String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST;
    match fits && !text.contains(char::is_control) {
        true => Ok(text.into()),
        false => Err(format!(
            "is no destination; use 1 to {LONGEST} characters, none of them a control character"
        )),
    }
}

/// A Discord id: a decimal number of 64 bits, in quotes because TOML's integers have fewer.
pub(super) fn channel_id(text: &str) -> Result<u64, String> {
    let digits = text.chars().all(|c| c.is_ascii_digit());
    let id = text.parse().ok().filter(|id| digits && *id > 0);
    id.ok_or_else(|| {
        format!(
            "`{text}` is no channel id; use its decimal number in quotes, such as \"1234567890\""
        )
    })
}
