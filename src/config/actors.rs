//! `[[actors]]`: who the bots are, and when they run.

use std::{collections::HashMap, sync::Arc};

use super::{
    bot_file::BotFiles,
    policy::PolicyKeys,
    problem::{Problem, Report},
    schedule::{Bounds, schedule},
    settings::OnInvalidBot,
    table::{Reading, Table},
    targets::Targets,
};
use crate::domain::{
    Instant,
    bot::{Behaviour, Bot, BotName},
};

/// Reads one entry after the other, and remembers what they have to agree on.
pub(super) struct Actors<'a> {
    defaults: PolicyKeys,
    files: BotFiles<'a>,
    on_invalid: OnInvalidBot,
    now: Instant,
    /// The channels for alerts that there are.
    alert_channels: Vec<String>,
    /// Takes the problems that are not one bot's own.
    report: &'a Report,
    /// The line of each name so far.
    names: HashMap<BotName, usize>,
    /// Where bots may post to.
    targets: Targets,
}

impl<'a> Actors<'a> {
    pub(super) fn new(
        defaults: PolicyKeys,
        files: BotFiles<'a>,
        on_invalid: OnInvalidBot,
        now: Instant,
        alert_channels: Vec<String>,
        targets: Targets,
        report: &'a Report,
    ) -> Self {
        Self {
            defaults,
            files,
            on_invalid,
            now,
            alert_channels,
            report,
            names: HashMap::new(),
            targets,
        }
    }

    /// Reads every entry; one without a usable name results in no bot.
    pub(super) fn read(&mut self, entries: &[Table<'_>]) -> Vec<Arc<Bot>> {
        let bots = entries.iter().filter_map(|entry| self.entry(entry));
        bots.map(Arc::new).collect()
    }

    /// What to say if there is no Discord token: at the first bot that needs one.
    pub(super) fn needs_token(self) -> Option<Problem> {
        self.targets.needs_token()
    }

    fn entry(&mut self, entry: &Table<'_>) -> Option<Bot> {
        let name = self.name(entry);
        let found = Report::default();
        let own = Reading {
            report: &found,
            ..entry.reading()
        };
        let bot = self.bot(&entry.reported_by(own), name);
        match (self.on_invalid, bot) {
            (OnInvalidBot::Quarantine, Some(bot)) => Some(self.quarantined(bot, found)),
            (_, bot) => {
                self.report.take(found);
                bot
            }
        }
    }

    fn bot(&mut self, entry: &Table<'_>, name: Option<BotName>) -> Option<Bot> {
        entry.get("name");
        let policy_keys = PolicyKeys::read(entry);
        policy_keys.check(entry, &self.defaults, &self.alert_channels);
        let policy = policy_keys.over(&self.defaults);
        let bounds = Bounds {
            starts_at: policy.starts_at,
            ends_at: policy.ends_at,
            dst: policy_keys.dst_over(&self.defaults),
            now: self.now,
        };
        let enabled = entry.boolean("enabled").unwrap_or(true);
        let target = self.targets.read(entry);
        let schedule = schedule(entry, &bounds);
        let behaviour = self.behaviour(entry);
        entry.finish();
        name.map(|name| Bot {
            name,
            enabled,
            quarantine: None,
            target,
            schedule,
            policy,
            behaviour,
        })
    }

    /// Holds a bot that has problems, and says so as warnings.
    fn quarantined(&self, mut bot: Bot, found: Report) -> Bot {
        let (problems, warnings) = found.into_parts();
        warnings
            .into_iter()
            .for_each(|warning| self.report.warn(warning));
        if problems.is_empty() {
            return bot;
        }
        let reasons: Vec<String> = problems.iter().map(Problem::to_string).collect();
        bot.quarantine = Some(reasons.join("\n"));
        problems
            .into_iter()
            .for_each(|problem| self.report.warn(problem));
        bot
    }

    fn behaviour(&mut self, entry: &Table<'_>) -> Arc<Behaviour> {
        let what = "the path of a bot file, relative to this file";
        let Some(item) = entry.need("config_file", what) else {
            return Arc::default();
        };
        let Some(name) = item.parse(file_name) else {
            return Arc::default();
        };
        let file = self.files.get(&name, self.report);
        if let Some(message) = &file.unreadable {
            item.problem(format!("{message}; paths are relative to the server file"));
        }
        let report = entry.reading().report;
        file.problems
            .iter()
            .for_each(|problem| report.problem(problem.clone()));
        file.behaviour
    }

    /// A name that no other bot has; a problem with it is not one bot's own, because nothing can be held under it.
    fn name(&mut self, entry: &Table<'_>) -> Option<BotName> {
        let item = entry.need("name", "a unique name")?;
        let name = item.parse(BotName::parse)?;
        if let Some(first) = self.names.get(&name) {
            item.problem(format!(
                "`{name}` is the name of the bot in line {first} already; give each bot its own"
            ));
            return None;
        }
        self.names.insert(name.clone(), item.line());
        Some(name)
    }
}

fn file_name(text: &str) -> Result<String, &'static str> {
    match text.is_empty() {
        false => Ok(text.into()),
        true => Err("is empty; give the path of a bot file, relative to this file"),
    }
}
