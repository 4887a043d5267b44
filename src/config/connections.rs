//! Settings that flags and the environment may override: where to listen, the database, Discord.

use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};

use super::{
    problem::{Place, Problem, Report},
    settings::{DiscordSettings, HttpSettings},
    table::Table,
    urls::{check_database, listen, origin},
    variables::{Variables, in_environment},
};

/// Secrets from flags, else from the environment; the file is asked for those on which both are silent.
pub(super) struct Outside {
    pub(super) database_url: Option<SecretString>,
    pub(super) discord_token: Option<SecretString>,
}

impl Outside {
    /// Takes the flags, and asks the environment for those that are not given.
    pub(super) fn new(
        database_url: Option<SecretString>,
        discord_token: Option<SecretString>,
        variables: &Variables<'_>,
        report: &Report,
    ) -> Self {
        Self {
            database_url: database(database_url, variables, report),
            discord_token: token(discord_token, variables, report),
        }
    }
}

fn database(
    flag: Option<SecretString>,
    variables: &Variables<'_>,
    report: &Report,
) -> Option<SecretString> {
    let flag = flag.map(|url| (url, FLAG_DATABASE));
    let (url, (place, key)) = flag.or_else(|| {
        let url = variables.secret("DATABASE_URL", report)?;
        Some((url, (Place::Environment, "DATABASE_URL")))
    })?;
    if let Err(message) = check_database(url.expose_secret()) {
        let key = key.into();
        report.problem(Problem {
            place,
            key,
            message,
        });
    }
    Some(url)
}

const FLAG_DATABASE: (Place, &str) = (Place::CommandLine, "--database-url");

fn token(
    flag: Option<SecretString>,
    variables: &Variables<'_>,
    report: &Report,
) -> Option<SecretString> {
    let refused = |place, key: &str, message| {
        let key = key.into();
        report.problem(Problem {
            place,
            key,
            message,
        });
        None
    };
    match flag.map_or(Ok(None), |token| bare_token(token.expose_secret())) {
        Ok(Some(token)) => return Some(token),
        Ok(None) => {}
        Err(message) => return refused(Place::CommandLine, "--discord-token", message),
    }
    let name = "DISCORD_TOKEN";
    let token = variables.secret(name, report)?;
    bare_token(token.expose_secret())
        .unwrap_or_else(|message| refused(Place::Environment, name, message))
}

/// A token without its `Bot ` prefix; an empty one is none.
fn bare_token(text: &str) -> Result<Option<SecretString>, String> {
    let text = text.trim();
    let text = text.strip_prefix("Bot ").map_or(text, str::trim_start);
    if text.is_empty() {
        return Ok(None);
    }
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(Some(text.into())),
        false => Err(
            "is no token; copy it anew from the bot page of the Discord developer portal".into(),
        ),
    }
}

/// `[server] database_url`; not looked at when something outside the file overrides it.
pub(super) fn database_url(table: &Table<'_>, outside: &Outside) -> Option<SecretString> {
    let item = table.get("database_url")?;
    match outside.database_url {
        Some(_) => None,
        None => item.parse(|url| check_database(url).map(|()| url.into())),
    }
}

/// `[discord]`; the token is not looked at when something outside the file overrides it.
pub(super) fn discord(table: &Table<'_>, outside: &Outside) -> DiscordSettings {
    let default = DiscordSettings::default();
    let api_url = table.get("api_url").and_then(|item| item.parse(origin));
    let token = table
        .get("token")
        .filter(|_| outside.discord_token.is_none());
    DiscordSettings {
        api_url: api_url.unwrap_or(default.api_url),
        token: token.and_then(|item| item.parse(bare_token).flatten()),
    }
}

/// `[http]`, without what the environment says.
pub(super) fn http(table: &Table<'_>) -> HttpSettings {
    let default = HttpSettings::default();
    let address = |key| table.get(key).and_then(|item| item.parse(listen));
    let origins = table.get("cors_origins").and_then(|item| item.array());
    HttpSettings {
        api: address("api").or(default.api),
        health: address("health").unwrap_or(default.health),
        metrics: address("metrics").or(default.metrics),
        rate_limit_per_second: table
            .integer("rate_limit_per_second", 0..=1_000_000)
            .unwrap_or(default.rate_limit_per_second),
        cors_origins: super::sections::each(origins, cors_origin),
    }
}

fn cors_origin(text: &str) -> Result<String, String> {
    match text {
        "*" => Ok(text.into()),
        _ => origin(text),
    }
}

/// Lays the environment's addresses and switches over `[http]`.
pub(super) fn http_from_environment(
    http: &mut HttpSettings,
    variables: &Variables<'_>,
    report: &Report,
) {
    let address = |name| address(name, variables, report);
    http.api = address("ACTOR_SERVER_API_ADDR").or(http.api);
    http.health = address("ACTOR_SERVER_HEALTH_ADDR").unwrap_or(http.health);
    http.metrics = address("ACTOR_SERVER_METRICS_ADDR").or(http.metrics);
    if !variables.switch("ENABLE_API", report) {
        http.api = None;
    }
    if !variables.switch("ENABLE_METRICS", report) {
        http.metrics = None;
    }
}

fn address(name: &str, variables: &Variables<'_>, report: &Report) -> Option<SocketAddr> {
    let read = variables
        .get(name)
        .and_then(|text| text.as_deref().map(listen).transpose());
    read.unwrap_or_else(|message| {
        report.problem(in_environment(name, message));
        None
    })
}
