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

use super::{
    AppError,
    commands::Catalogue,
    platforms::{self, Replaced},
};
use crate::{
    actors::{
        configuration::{BotMap, ConfigurationSource, Offer, Shown},
        env::DISCORD,
    },
    clock::Clock,
    config::{AuthSettings, LoadInput, Loaded, Problems, Settings, load},
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
        self.load_for(skills, &[])
    }

    /// The same for a program that brings platforms of its own, which bots may name with `platform`.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn load_for(&self, skills: &SkillSet, platforms: &[String]) -> Result<Loaded, Problems> {
        load(LoadInput {
            file: self.file.clone(),
            database_url: self.database_url.clone(),
            discord_token: self.discord_token.clone(),
            environment: &|name| std::env::var_os(name),
            skills: &Catalogue { skills, platforms },
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
    /// The platforms that the program which embeds this one has brought, some of them perhaps in the place of built-in ones.
    pub(super) own: Vec<String>,
    pub(super) keys: PrepareKeys,
    pub(super) in_force: Arc<Mutex<Settings>>,
}

impl ConfigurationSource for FileSource {
    fn read(&self) -> Result<Offer, Vec<String>> {
        let loaded = self.files.load_for(&self.skills, &self.own);
        let Loaded { settings, warnings } = loaded.map_err(lines)?;
        let before = self.settings();
        let (changed, needs_restart) = shown::differences(&before, &settings);
        let accept_keys = (self.keys)(&settings.auth)?;
        let after = live(before, settings);
        let platforms = self.platforms(&changed, &after)?;
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
        let concerns = |section: &str| changed.iter().any(|key| key.starts_with(section));
        let mut replaced = Vec::new();
        if concerns("discord.") {
            let problem = |error: AppError| vec![format!("discord: {error}")];
            replaced.push((DISCORD, platforms::discord(settings).map_err(problem)?));
        }
        if concerns(WEBHOOKS) {
            let problem = |error: AppError| vec![format!("outbound.webhooks: {error}")];
            replaced.extend(platforms::webhooks(settings).map_err(problem)?);
        }
        replaced.retain(|(name, _)| !self.own.iter().any(|own| own == name));
        Ok(replaced)
    }
}

/// What a process at work takes over of newer settings.
fn live(before: Settings, newer: Settings) -> Settings {
    let mut after = before;
    after.server.max_consecutive_failures = newer.server.max_consecutive_failures;
    after.server.on_invalid_bot = newer.server.on_invalid_bot;
    (after.auth, after.discord, after.bots) = (newer.auth, newer.discord, newer.bots);
    after.webhooks = newer.webhooks;
    after
}

/// The keys of webhooks; no webhook at all is one.
const WEBHOOKS: &str = "outbound.webhooks";

/// Keys of [`live`].
fn is_live(key: &str) -> bool {
    let one = ["server.max_consecutive_failures", "server.on_invalid_bot"];
    key.starts_with("auth.")
        || key.starts_with("discord.")
        || key.starts_with(WEBHOOKS)
        || one.contains(&key)
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
