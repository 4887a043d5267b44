//! Which skills there are, by name.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Skill, command::Command, content_formatter::ContentFormatter, content_posting::ContentPosting,
    feed_reader::FeedReader, http_request::HttpRequest, settings::nearest,
};
use crate::outbound::Outbound;

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
            .with(ContentFormatter)
            .with(ContentPosting)
            .with(FeedReader::new(tools.outbound.clone()))
            .with(HttpRequest::new(tools.outbound.clone()))
            .with(Command::new(Arc::clone(&tools.allow_commands)))
    }

    /// Adds a skill, in place of an earlier one of that name.
    #[must_use]
    pub fn with(mut self, skill: impl Skill) -> Self {
        self.0.insert(skill.name().to_owned(), Arc::new(skill));
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
    /// `settings` are the keys of that table alone, without `enabled` and without `[actor.config]`, whose keys other
    /// skills may want.
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
