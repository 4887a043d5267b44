//! A program of one's own around the server: a server file, and skills and platforms that the bots in it may name.

use std::{path::PathBuf, sync::Arc};

use super::{ActorServer, AppError, ConfigurationFiles, commands::until_signalled, tools};
use crate::{
    config::Settings,
    platforms::ContentPoster,
    skills::{Skill, SkillSet},
};

/// What the program adds to the server; nothing is read before [`Program::build`].
#[derive(Clone)]
pub struct Program {
    files: ConfigurationFiles,
    skills: Vec<Arc<dyn Skill>>,
    platforms: Vec<Arc<dyn ContentPoster>>,
}

impl Program {
    /// With this server file; the environment counts as it does for `actor-server`.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            files: ConfigurationFiles {
                file: file.into(),
                database_url: None,
                discord_token: None,
            },
            skills: Vec::new(),
            platforms: Vec::new(),
        }
    }

    /// Adds a skill that bot files may list, or puts one in the place of a built-in.
    #[must_use]
    pub fn skill(mut self, skill: impl Skill) -> Self {
        self.skills.push(Arc::new(skill));
        self
    }

    /// Adds a platform that bots may post to, or puts one in the place of a built-in of the same name.
    #[must_use]
    pub fn platform(mut self, platform: impl ContentPoster) -> Self {
        self.platforms.push(Arc::new(platform));
        self
    }

    /// Reads the files, with all that the program adds to what bots may name.
    ///
    /// # Errors
    /// [`AppError::Configuration`], with every problem.
    pub fn settings(&self) -> Result<Settings, AppError> {
        let skills = self.with_own(SkillSet::built_in());
        let platforms = self.platforms.iter();
        let platforms: Vec<String> = platforms.map(|own| own.platform().to_owned()).collect();
        let loaded = self.files.load_for(&skills, &platforms);
        let loaded = loaded.map_err(AppError::Configuration)?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(loaded.settings)
    }

    /// The skills that bots may name, for [`preview`](super::preview::preview).
    #[must_use]
    pub fn skills(&self, settings: &Settings) -> SkillSet {
        self.with_own(SkillSet::built_in_with(&tools(settings)))
    }

    fn with_own(&self, skills: SkillSet) -> SkillSet {
        self.skills.iter().cloned().fold(skills, SkillSet::with_arc)
    }

    /// Reads the files and builds the server; connects to nothing yet.
    ///
    /// # Errors
    /// See [`AppError`].
    pub fn build(self) -> Result<ActorServer, AppError> {
        let settings = self.settings()?;
        let mut builder = ActorServer::builder(settings.clone()).files(self.files.clone());
        builder.skills = self.skills(&settings);
        builder.platforms = self.platforms;
        builder.build()
    }

    /// Serves until SIGTERM or SIGINT; a second signal stops at once. SIGHUP reads the files again. Must not be called inside
    /// an async runtime: it has its own.
    ///
    /// # Errors
    /// See [`AppError`].
    pub fn serve(self) -> Result<(), AppError> {
        until_signalled(self.build()?)
    }
}
