//! From a server file to [`Settings`]: all of it, or every problem.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    actors::Actors,
    alerts, auth,
    bot_file::BotFiles,
    connections::{self, Outside},
    policy::PolicyKeys,
    problem::{FilePlace, Place, Problem, Problems, Report},
    sections,
    settings::{HttpSettings, Settings},
    source::{Source, Unreadable},
    table::{Reading, Table},
    targets::Targets,
    urls::listen,
    variables::{Lookup, Variables},
    webhooks,
};
use crate::domain::{Instant, need::Need};

/// `[history] retention_days`, unless it is set.
const RETENTION: Duration = Duration::from_secs(30 * 86_400);
/// `[health] interval_seconds`, unless it is set.
const HEALTH_INTERVAL: Duration = Duration::from_secs(10);

/// Knows the skills that there are.
pub trait SkillCatalogue {
    /// Their names.
    fn names(&self) -> Vec<String>;

    /// What is wrong with the settings of a skill: the key (dotted, below `[skills.NAME]`), and what would be right.
    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)>;

    /// The settings that a skill also takes from `[actor.config]`.
    fn shared(&self, _skill: &str) -> Vec<String> {
        Vec::new()
    }

    /// Whether a skill can only work with `actor.knowledge`.
    fn needs_knowledge(&self, _skill: &str) -> bool {
        false
    }

    /// Platforms beside the built-in ones that bots may name with `platform`.
    fn platforms(&self) -> Vec<String> {
        Vec::new()
    }

    /// What these settings need of `[outbound]`, with the key that says so.
    fn needs(&self, _skill: &str, _settings: &Map<String, Value>) -> Vec<(String, Need)> {
        Vec::new()
    }
}

/// What reading starts from.
pub struct LoadInput<'a> {
    /// The server file.
    pub file: PathBuf,
    /// `--database-url`.
    pub database_url: Option<SecretString>,
    /// `--discord-token`.
    pub discord_token: Option<SecretString>,
    /// The environment; `&|name| std::env::var_os(name)` outside tests.
    pub environment: Lookup<'a>,
    /// The skills that bots may list.
    pub skills: &'a dyn SkillCatalogue,
    /// The present, for schedules that have no slot left.
    pub now: Instant,
}

/// A configuration that may be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub settings: Settings,
    /// What is probably not meant, in the order of the files; among it the problems of bots in quarantine.
    pub warnings: Vec<Problem>,
}

/// Reads the server file, the bot files and the environment. Blocks on files.
///
/// # Errors
/// Every problem there is, in the order of the files.
pub fn load(input: LoadInput<'_>) -> Result<Loaded, Problems> {
    let report = Report::default();
    let variables = Variables::new(input.environment);
    let settings = read(&input, &variables, &report);
    let (problems, mut warnings) = report.into_parts();
    match settings {
        Some(settings) if problems.is_empty() => {
            warnings.sort();
            warnings.dedup();
            Ok(Loaded { settings, warnings })
        }
        _ => Err(Problems::new(problems)),
    }
}

/// Where probes are answered, read as [`load`] reads it, whatever is wrong with the rest of the file.
///
/// # Errors
/// `ACTOR_SERVER_HEALTH_ADDR` is no address.
pub fn health_address(file: &Path, environment: Lookup<'_>) -> Result<SocketAddr, String> {
    let (name, report) = ("ACTOR_SERVER_HEALTH_ADDR", Report::default());
    let variables = Variables::new(environment);
    if let Some(text) = variables.get(name)? {
        return listen(&text).map_err(|message| format!("{name}: {message}"));
    }
    let Ok(source) = Source::read(file, 1) else {
        return Ok(HttpSettings::default().health);
    };
    let parsed = source.parse();
    let reading = Reading {
        source: &source,
        variables: &variables,
        report: &report,
        broken_lines: &parsed.broken_lines(&source),
    };
    let root = Table::document(reading, &parsed);
    let http = root.map(|root| root.section("http", connections::http));
    Ok(http.unwrap_or_default().health)
}

fn read(input: &LoadInput<'_>, variables: &Variables<'_>, report: &Report) -> Option<Settings> {
    let (url, token) = (input.database_url.clone(), input.discord_token.clone());
    let outside = Outside::new(url, token, variables, report);
    let source = Source::read(&input.file, 1);
    let source = source
        .map_err(|error| report.problem(unreadable(&input.file, error)))
        .ok()?;
    let parsed = source.parse();
    let reading = Reading {
        source: &source,
        variables,
        report,
        broken_lines: &parsed.broken_lines(&source),
    };
    let root = Table::document(reading, &parsed)?;
    let settings = settings(input, &root, outside);
    root.finish();
    Some(settings)
}

fn unreadable(file: &Path, error: Unreadable) -> Problem {
    let (line, column) = error.at.unwrap_or((1, 1));
    let message = match error.at {
        Some(_) => error.message,
        None => format!(
            "{}; name the server file with `--config FILE`",
            error.message
        ),
    };
    Problem {
        place: Place::File(FilePlace {
            order: 1,
            file: file.display().to_string().into(),
            line,
            column,
        }),
        key: "file".into(),
        message,
    }
}

/// Long because there are many sections; reads each, in the order of the documentation.
fn settings(input: &LoadInput<'_>, root: &Table<'_>, outside: Outside) -> Settings {
    let Reading {
        variables, report, ..
    } = root.reading();
    let (alerts, needs_token) = root.section("alerts", alerts::alerts);
    let (outbound, webhooks) = root.section("outbound", |table| {
        (sections::outbound(table), webhooks::webhooks(table))
    });
    let mut settings = Settings {
        file: input.file.clone(),
        server: root.section("server", |table| {
            let mut server = sections::server(table);
            if let Some(url) = connections::database_url(table, &outside) {
                server.database_url = url;
            }
            server
        }),
        http: root.section("http", connections::http),
        auth: root.section("auth", auth::auth),
        discord: root.section("discord", |table| connections::discord(table, &outside)),
        breaker: root.section("breaker", sections::breaker),
        supervision: root.section("supervision", sections::supervision),
        retention: root
            .section("history", sections::retention)
            .unwrap_or(RETENTION),
        metrics: root.section("metrics", sections::metrics),
        health_interval: root
            .section("health", sections::health_interval)
            .unwrap_or(HEALTH_INTERVAL),
        alerts,
        outbound,
        webhooks,
        bots: Vec::new(),
    };
    lay_over(&mut settings, outside);
    connections::http_from_environment(&mut settings.http, variables, report);
    auth::add_environment(&mut settings.auth, variables, report);
    let needs_token = needs_token.filter(|_| settings.discord.token.is_none());
    needs_token
        .into_iter()
        .for_each(|problem| report.problem(problem));
    bots(input, root, &mut settings);
    settings
}

fn lay_over(settings: &mut Settings, outside: Outside) {
    if let Some(url) = outside.database_url {
        settings.server.database_url = url;
    }
    if let Some(token) = outside.discord_token {
        settings.discord.token = Some(token);
    }
}

fn bots(input: &LoadInput<'_>, root: &Table<'_>, settings: &mut Settings) {
    let Reading {
        variables, report, ..
    } = root.reading();
    let channels = settings.alerts.rules.channels.iter();
    let channels: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
    let defaults = root.section("defaults", |table| defaults(table, &channels));
    let listed = root.get("actors");
    let entries = listed
        .as_ref()
        .map(|item| item.tables())
        .unwrap_or_default();
    if entries.is_empty() {
        let message = "there are no bots; describe each in an `[[actors]]` table";
        root.warn("actors", message.into());
    }
    let outside = settings.outbound.outside();
    let files = BotFiles::new(&input.file, variables, input.skills, &outside);
    let on_invalid = settings.server.on_invalid_bot;
    let targets = Targets::new(&settings.webhooks, input.skills.platforms());
    let mut actors = Actors::new(
        defaults, files, on_invalid, input.now, channels, targets, report,
    );
    settings.bots = actors.read(&entries);
    let needs_token = actors
        .needs_token()
        .filter(|_| settings.discord.token.is_none());
    needs_token
        .into_iter()
        .for_each(|problem| report.problem(problem));
}

fn defaults(table: &Table<'_>, alert_channels: &[String]) -> PolicyKeys {
    let keys = PolicyKeys::read(table);
    keys.check(table, &PolicyKeys::default(), alert_channels);
    keys
}
