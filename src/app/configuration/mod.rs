//! Where the configuration comes from, at the start and at each reload: the same files, flags and environment.
//!
//! A reload compares whole settings, not files. What only a start can change stays as it is and is named.

mod alerts;
mod shown;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use serde_json::Value;

use super::{AppError, commands::Catalogue, discord};
use crate::{
    actors::{
        configuration::{BotMap, ConfigurationSource, Offer, Shown},
        env::DISCORD,
    },
    clock::Clock,
    config::{AuthSettings, LoadInput, Loaded, Problems, Settings, load},
    platforms::ContentPoster,
    skills::SkillSet,
};

use self::shown::shown;

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub struct ConfigurationFiles {
    /// The server file.
    pub file: PathBuf,
    /// `--database-url`.
    pub database_url: Option<SecretString>,
    /// `--discord-token`.
    pub discord_token: Option<SecretString>,
}

impl ConfigurationFiles {
    /// Reads everything. Blocks on files.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn load(&self, skills: &SkillSet) -> Result<Loaded, Problems> {
        load(LoadInput {
            file: self.file.clone(),
            database_url: self.database_url.clone(),
            discord_token: self.discord_token.clone(),
            environment: &|name| std::env::var_os(name),
            skills: &Catalogue(skills),
            now: Clock::process().now(),
        })
    }
}

/// Puts into force what was made of `[auth]`.
pub(super) type AcceptKeys = Box<dyn FnOnce() + Send + Sync>;

/// Makes of `[auth]` what checks tokens: the keys may have changed in their files although `[auth]` has not. Whatever is
/// wrong with them is a problem of the configuration.
pub(super) type PrepareKeys =
    Arc<dyn Fn(&AuthSettings) -> Result<AcceptKeys, Vec<String>> + Send + Sync>;

/// The files of a server at work.
pub(super) struct FileSource {
    pub(super) files: ConfigurationFiles,
    pub(super) skills: SkillSet,
    /// Whether `[discord]` says how posts are sent: not if the program that embeds this one brought a platform of its own.
    pub(super) has_discord: bool,
    pub(super) keys: PrepareKeys,
    pub(super) in_force: Arc<Mutex<Settings>>,
}

impl ConfigurationSource for FileSource {
    fn read(&self) -> Result<Offer, Vec<String>> {
        let Loaded { settings, warnings } = self.files.load(&self.skills).map_err(lines)?;
        let before = self.settings();
        let (changed, needs_restart) = shown::differences(&before, &settings);
        let platforms = self.platforms(&changed, &settings)?;
        let accept_keys = (self.keys)(&settings.auth)?;
        let after = live(before, settings);
        let (offered, in_force) = (after.clone(), Arc::clone(&self.in_force));
        Ok(Offer {
            bots: bots(&after),
            max_consecutive_failures: after.server.max_consecutive_failures,
            platforms,
            changed,
            needs_restart,
            warnings: warnings.iter().map(ToString::to_string).collect(),
            shown: drawn_from(after),
            accept: Box::new(move || {
                *in_force.lock().unwrap_or_else(PoisonError::into_inner) = offered;
                accept_keys();
            }),
        })
    }
}

/// Draws these settings whenever somebody asks.
pub(super) fn drawn_from(settings: Settings) -> Shown {
    Arc::new(move || shown(&settings))
}

fn lines(problems: Problems) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// A platform that is to be replaced, or taken away.
type Replaced = (&'static str, Option<Arc<dyn ContentPoster>>);

impl FileSource {
    fn settings(&self) -> Settings {
        let settings = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        settings.clone()
    }

    /// One client has heard of a token's rate limits: it is made anew only for another token or address.
    fn platforms(
        &self,
        changed: &[String],
        settings: &Settings,
    ) -> Result<Vec<Replaced>, Vec<String>> {
        let concerned = changed.iter().any(|key| key.starts_with("discord."));
        if !concerned || !self.has_discord {
            return Ok(Vec::new());
        }
        let problem = |error: AppError| vec![format!("discord: {error}")];
        Ok(vec![(DISCORD, discord(settings).map_err(problem)?)])
    }
}

/// What a process at work takes over of newer settings.
fn live(before: Settings, newer: Settings) -> Settings {
    let mut after = before;
    after.server.max_consecutive_failures = newer.server.max_consecutive_failures;
    after.server.on_invalid_bot = newer.server.on_invalid_bot;
    (after.auth, after.discord, after.bots) = (newer.auth, newer.discord, newer.bots);
    after
}

/// Keys of [`live`].
fn is_live(key: &str) -> bool {
    let one = ["server.max_consecutive_failures", "server.on_invalid_bot"];
    key.starts_with("auth.") || key.starts_with("discord.") || one.contains(&key)
}

fn bots(settings: &Settings) -> BotMap {
    let named = settings.bots.iter();
    named
        .map(|bot| (bot.name.clone(), Arc::clone(bot)))
        .collect()
}

/// What stands in the place of a secret.
const MASK: &str = "***";

fn masked() -> Value {
    Value::from(MASK)
}
