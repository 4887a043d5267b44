//! Bot files: what a bot does. Bots that name one file share what was read of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    item::Item,
    load::SkillCatalogue,
    nearest::{listed, nearest},
    problem::{FilePlace, Place, Problem, Report},
    shared::Shared,
    source::{Source, Unreadable},
    table::{Reading, Table},
    variables::Variables,
};
use crate::domain::{
    bot::{Behaviour, ExecutionRules, SkillSpec},
    need::Outside,
};

/// What came of one file.
#[derive(Clone)]
pub(super) struct BotFile {
    pub(super) behaviour: Arc<Behaviour>,
    /// Its problems; shown once, but every bot that names the file has them.
    pub(super) problems: Arc<[Problem]>,
    /// Why it could not even be opened; said where it was named.
    pub(super) unreadable: Option<Arc<str>>,
}

/// The bot files that have been read.
pub(super) struct BotFiles<'a> {
    directory: PathBuf,
    variables: &'a Variables<'a>,
    skills: &'a dyn SkillCatalogue,
    outside: &'a Outside,
    known: Vec<String>,
    read: HashMap<PathBuf, BotFile>,
}

impl<'a> BotFiles<'a> {
    /// Files are relative to the directory of `server_file`.
    pub(super) fn new(
        server_file: &Path,
        variables: &'a Variables<'a>,
        skills: &'a dyn SkillCatalogue,
        outside: &'a Outside,
    ) -> Self {
        Self {
            directory: server_file.parent().map(Into::into).unwrap_or_default(),
            variables,
            skills,
            outside,
            known: skills.names(),
            read: HashMap::new(),
        }
    }

    /// The file of that name; its warnings go to `report`, once.
    pub(super) fn get(&mut self, name: &str, report: &Report) -> BotFile {
        let path = self.directory.join(name);
        if let Some(file) = self.read.get(&path) {
            return file.clone();
        }
        let file = self.open(&path, report);
        self.read.insert(path, file.clone());
        file
    }

    fn open(&self, path: &Path, report: &Report) -> BotFile {
        let order = self.read.len() + 2;
        let found = Report::default();
        let (behaviour, unreadable) = match Source::read(path, order) {
            Ok(source) => (self.read_source(&source, path, &found), None),
            Err(error) => (None, unreadable(error, path, order, &found)),
        };
        let (problems, warnings) = found.into_parts();
        warnings
            .into_iter()
            .for_each(|warning| report.warn(warning));
        BotFile {
            behaviour: behaviour.unwrap_or_default().into(),
            problems: problems.into(),
            unreadable,
        }
    }

    fn read_source(&self, source: &Source, path: &Path, report: &Report) -> Option<Behaviour> {
        let parsed = source.parse();
        let broken_lines = parsed.broken_lines(source);
        let reading = Reading {
            source,
            variables: self.variables,
            report,
            broken_lines: &broken_lines,
        };
        let root = Table::document(reading, &parsed)?;
        let behaviour = self.behaviour(&root, path);
        root.finish();
        behaviour
    }

    fn behaviour(&self, root: &Table<'_>, path: &Path) -> Option<Behaviour> {
        let settings = root.table("skills");
        // Without the list of skills, their settings cannot be judged.
        let actor = root
            .need("actor", "a table `[actor]` with at least `skills`")?
            .table()?;
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let shared = Shared::read(&actor);
        let knowledge = Knowledge::read(&actor);
        let skills = self.skills(&actor, settings.as_ref(), &shared, knowledge.given);
        let behaviour = Behaviour {
            title: actor.string("name").or(stem).unwrap_or_default(),
            description: actor.string("description").unwrap_or_default(),
            knowledge: knowledge.tables,
            skills,
            config: shared.finish(),
            execution: actor.section("execution", execution),
        };
        actor.finish();
        Some(behaviour)
    }

    /// `actor.skills`, each with its table.
    fn skills(
        &self,
        actor: &Table<'_>,
        settings: Option<&Table<'_>>,
        shared: &Shared<'_>,
        has_knowledge: bool,
    ) -> Vec<SkillSpec> {
        let items = listed_skills(actor);
        let mut seen = HashSet::new();
        let named: Vec<(String, &Item<'_>)> = items
            .iter()
            .filter_map(|item| Some((self.skill_name(item, &mut seen)?, item)))
            .collect();
        let mut tables: BTreeMap<&str, Item<'_>> =
            settings.iter().flat_map(|table| table.entries()).collect();
        let specs = named
            .into_iter()
            .map(|(name, listed)| {
                let spec = self.skill(tables.remove(&*name), name, listed, shared);
                self.check_knowledge(&spec, listed, has_knowledge);
                spec
            })
            .collect();
        tables
            .into_iter()
            .for_each(|(name, item)| self.unused(name, &item));
        specs
    }

    fn skill_name(&self, item: &Item<'_>, seen: &mut HashSet<String>) -> Option<String> {
        let name = item.parse(|name| self.known_skill(name))?;
        if !seen.insert(name.clone()) {
            item.problem(format!("`{name}` is listed twice; list it once"));
            return None;
        }
        Some(name)
    }

    fn known_skill(&self, name: &str) -> Result<String, String> {
        let known = || self.known.iter().map(String::as_str);
        if known().any(|known| known == name) {
            return Ok(name.into());
        }
        let all = listed(known());
        Err(match nearest(name, known()) {
            Some(near) => {
                format!("`{name}` is not a known skill; did you mean `{near}`? (known: {all})")
            }
            None => format!("`{name}` is not a known skill; use {all}"),
        })
    }

    fn check_knowledge(&self, skill: &SkillSpec, listed: &Item<'_>, has_knowledge: bool) {
        if skill.enabled && !has_knowledge && self.skills.needs_knowledge(&skill.name) {
            listed.absent(
                "has nothing to work on; name the knowledge tables in `actor.knowledge`, such as [\"approved_posts\"]",
            );
        }
    }

    fn skill(
        &self,
        table: Option<Item<'_>>,
        name: String,
        listed: &Item<'_>,
        shared: &Shared<'_>,
    ) -> SkillSpec {
        let table = table.and_then(|item| item.table());
        let enabled = table.as_ref().and_then(|table| table.boolean("enabled"));
        let mut settings = table.as_ref().map(Table::json).unwrap_or_default();
        settings.remove("enabled");
        let settings = shared.under(settings, &self.skills.shared(&name));
        for (key, message) in self.skills.check(&name, &settings) {
            let own = table.as_ref().is_some_and(|table| table.has(&key));
            if own || !shared.blame(&key, &message) {
                blame(&name, table.as_ref(), listed, &key, message);
            }
        }
        for (key, need) in self.skills.needs(&name, &settings) {
            if let Err(message) = self.outside.check(&need) {
                blame(&name, table.as_ref(), listed, &key, message);
            }
        }
        SkillSpec {
            name,
            enabled: enabled.unwrap_or(true),
            settings,
        }
    }

    fn unused(&self, name: &str, item: &Item<'_>) {
        match self.known_skill(name) {
            Ok(_) => {
                item.warn("is not used; list the skill in `actor.skills`, or leave this table out")
            }
            Err(message) => item.problem(message),
        }
    }
}

/// The items of `actor.skills`, of which there must be one.
fn listed_skills<'r>(actor: &Table<'r>) -> Vec<Item<'r>> {
    let what = "the skills to run, in order, such as [\"content_formatter\", \"content_posting\"]";
    let Some(list) = actor.need("skills", what) else {
        return Vec::new();
    };
    let items = list.array();
    if items.as_ref().is_some_and(Vec::is_empty) {
        list.problem(format!("is empty; give {what}"));
    }
    items.unwrap_or_default()
}

/// Reports what a skill says of its settings: at the key, at its table, or where the skill is listed.
fn blame(name: &str, table: Option<&Table<'_>>, listed: &Item<'_>, key: &str, message: String) {
    let Some(table) = table else {
        let at = [&*format!("`[skills.{name}]`"), key].join(" ");
        listed.absent(format!("{}: {message}", at.trim_end()));
        return;
    };
    if table.has(key) || !table.reading().is_partial() {
        table.problem_at(key, message);
    }
}

/// Where text is broken is said in the file; that there is none, where the file was named.
fn unreadable(error: Unreadable, path: &Path, order: usize, report: &Report) -> Option<Arc<str>> {
    let Some((line, column)) = error.at else {
        return Some(error.message.into());
    };
    let file = path.display().to_string().into();
    report.problem(Problem {
        place: Place::File(FilePlace {
            order,
            file,
            line,
            column,
        }),
        key: "file".into(),
        message: error.message,
    });
    None
}

/// `actor.knowledge`.
struct Knowledge {
    tables: Vec<String>,
    /// Whether any are named, well or badly.
    given: bool,
}

impl Knowledge {
    fn read(actor: &Table<'_>) -> Self {
        let item = actor.get("knowledge");
        let names = item.as_ref().and_then(Item::array);
        let none = names.as_ref().map_or(item.is_none(), Vec::is_empty);
        Self {
            given: !none,
            tables: super::sections::each(names, table_name),
        }
    }
}

fn table_name(name: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        false => Ok(name.into()),
        true => Err(format!(
            "`{name}` is no name of a table; use 1 to 64 of A-Z a-z 0-9 _ -"
        )),
    }
}

fn execution(table: &Table<'_>) -> ExecutionRules {
    let default = ExecutionRules::default();
    ExecutionRules {
        stop_on_unrecoverable: table
            .boolean("stop_on_unrecoverable")
            .unwrap_or(default.stop_on_unrecoverable),
        max_retries: table
            .integer("max_retries", 0..=100)
            .unwrap_or(default.max_retries),
        continue_on_error: table
            .boolean("continue_on_error")
            .unwrap_or(default.continue_on_error),
    }
}
