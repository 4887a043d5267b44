//! Which skills there are, by name.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{
    Skill, command::Command, content_formatter::ContentFormatter, content_posting::ContentPosting,
    content_scheduling::ContentScheduling, content_selection::ContentSelection,
    duplicate_check::DuplicateCheck, feed_reader::FeedReader, http_request::HttpRequest,
    rate_limiting::RateLimiting, settings::nearest,
};
use crate::{domain::bot::Behaviour, outbound::Outbound};

/// What built-in skills may use of the world, `[outbound]`.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// The way out.
    pub outbound: Outbound,
    /// Programs that `command` may start, by absolute path.
    pub allow_commands: Arc<[PathBuf]>,
}

/// The skills that bots may name; clones share the skills.
#[derive(Clone, Default)]
pub struct SkillSet(BTreeMap<String, Arc<dyn Skill>>);

impl SkillSet {
    /// No skills at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The skills that come with the server, as far as reading their settings goes: they reach nobody, and start nothing.
    #[must_use]
    pub fn built_in() -> Self {
        Self::built_in_with(&Tools::default())
    }

    /// The skills that come with the server.
    #[must_use]
    pub fn built_in_with(tools: &Tools) -> Self {
        Self::empty()
            .with(ContentSelection)
            .with(DuplicateCheck)
            .with(RateLimiting)
            .with(ContentScheduling)
            .with(ContentFormatter)
            .with(ContentPosting)
            .with(FeedReader::new(tools.outbound.clone()))
            .with(HttpRequest::new(tools.outbound.clone()))
            .with(Command::new(Arc::clone(&tools.allow_commands)))
    }

    /// Adds a skill, in place of an earlier one of that name.
    #[must_use]
    pub fn with(self, skill: impl Skill) -> Self {
        self.with_arc(Arc::new(skill))
    }

    /// The same for a skill that others share.
    #[must_use]
    pub fn with_arc(mut self, skill: Arc<dyn Skill>) -> Self {
        self.0.insert(skill.name().to_owned(), skill);
        self
    }

    /// The skill of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Skill>> {
        self.0.get(name)
    }

    /// All names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// What is wrong with `[skills.NAME]`, as key and message; an unknown skill is one problem with an empty key.
    ///
    /// `settings` are the keys of that table over those of `[actor.config]` that the skill takes, without `enabled`.
    #[must_use]
    pub fn check(&self, name: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        match self.get(name) {
            Some(skill) => skill
                .check(settings)
                .into_iter()
                .map(|problem| (problem.key, problem.message))
                .collect(),
            None => vec![(String::new(), self.unknown(name))],
        }
    }

    /// The settings that a skill also takes from `[actor.config]`.
    #[must_use]
    pub fn shared(&self, name: &str) -> Vec<String> {
        let skill = self.get(name);
        let keys = skill.map(|skill| skill.shared()).unwrap_or_default();
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// Whether a skill can only work with knowledge tables.
    #[must_use]
    pub fn needs_knowledge(&self, name: &str) -> bool {
        self.get(name).is_some_and(|skill| skill.needs_knowledge())
    }

    /// How far back the skills of a bot look into what it has posted.
    #[must_use]
    pub fn look_back(&self, behaviour: &Behaviour) -> TimeDelta {
        let enabled = behaviour.skills.iter().filter(|spec| spec.enabled);
        let far = enabled.filter_map(|spec| Some(self.get(&spec.name)?.looks_back(&spec.settings)));
        far.max().unwrap_or_default()
    }

    /// Says that there is no such skill, and which one was probably meant.
    #[must_use]
    pub fn unknown(&self, name: &str) -> String {
        let names = self.names();
        let hint = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.join(", ")),
        };
        let name = crate::domain::text::bounded(name, 64);
        format!("there is no skill `{name}`; {hint}")
    }
}

impl fmt::Debug for SkillSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
