//! What each room may use and name, and a judge that holds one file against it.

use super::paths::{self, Named, Word};

/// Who may use whom. A room may always use itself; a room that is not listed does not exist.
const ARROWS: [(&str, &[&str]); 14] = [
    ("main", &["cli", "app", "config", "telemetry"]),
    ("cli", &["app", "client", "config", "telemetry", "clock"]),
    // The client speaks to any server over the wire, so it knows nothing of ours.
    ("client", &[]),
    (
        "app",
        &[
            "http",
            "actors",
            "store",
            "platforms",
            "skills",
            "config",
            "domain",
            "telemetry",
            "clock",
            "outbound",
        ],
    ),
    ("http", &["actors", "domain", "telemetry", "clock"]),
    (
        "actors",
        &[
            "store",
            "platforms",
            "skills",
            "domain",
            "telemetry",
            "clock",
        ],
    ),
    ("store", &["domain", "telemetry", "clock"]),
    ("platforms", &["domain", "outbound", "telemetry", "clock"]),
    ("skills", &["domain", "outbound", "telemetry", "clock"]),
    ("config", &["domain", "telemetry", "clock"]),
    ("clock", &["domain"]),
    ("outbound", &["domain", "telemetry"]),
    ("telemetry", &[]),
    ("domain", &[]),
];

/// What only the composition root may name: actors know the traits, never who stands behind them.
const BEHIND_TRAITS: [&str; 7] = [
    "store::sqlite",
    "store::postgres",
    "platforms::discord",
    "platforms::console",
    "platforms::webhook",
    "skills::content_formatter",
    "skills::content_posting",
];

/// Crates that have one home.
const HOMES: [(&[&str], &[&str]); 12] = [
    (
        &[
            "diesel",
            "diesel_async",
            "diesel_migrations",
            "libsqlite3_sys",
        ],
        &["store"],
    ),
    // The configuration only asks it whether a URL can be read.
    (&["tokio_postgres"], &["store", "config"]),
    (&["serenity"], &["platforms"]),
    (
        &["reqwest"],
        &["outbound", "platforms", "skills", "client", "telemetry"],
    ),
    (
        &[
            "opentelemetry",
            "opentelemetry_sdk",
            "opentelemetry_otlp",
            "opentelemetry_http",
        ],
        &["telemetry"],
    ),
    (
        &[
            "actix_web",
            "utoipa",
            "utoipa_actix_web",
            "utoipa_swagger_ui",
            "actix_cors",
            "governor",
        ],
        &["http"],
    ),
    (&["prometheus"], &["telemetry"]),
    (&["jsonwebtoken"], &["http"]),
    // Checked where events come in, made where alerts go out.
    (&["standardwebhooks"], &["http", "platforms"]),
    (&["actix", "actix_rt"], &["actors", "app", "main"]),
    (&["clap", "clap_complete"], &["cli", "main"]),
    (&["cron"], &["domain"]),
];

/// What would make the domain wait, look outside or depend on chance.
const IMPURE: [&str; 10] = [
    "async",
    "await",
    "tokio",
    "futures",
    "tracing",
    "fs",
    "env",
    "thread",
    "SystemTime",
    "Uuid",
];

/// Starts of statements that only the store may write.
const SQL: [&str; 8] = [
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "ALTER TABLE ",
    "PRAGMA ",
    "BEGIN ",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = [
    "util", "utils", "helper", "helpers", "manager", "managers", "common", "misc",
];

/// `src/domain/schedule/mod.rs` is `["domain", "schedule"]`; `src/main.rs` and `src/lib.rs` are `[]`.
fn place(path: &str) -> Vec<&str> {
    let inner = path
        .trim_start_matches("src/")
        .trim_end_matches(".rs")
        .trim_end_matches("/mod");
    inner
        .split('/')
        .filter(|part| !["main", "lib"].contains(part))
        .collect()
}

/// The room of a file; `None` for `lib.rs`, which only opens the doors.
fn room(path: &str) -> Option<&str> {
    match path {
        "src/lib.rs" => None,
        "src/main.rs" => Some("main"),
        _ => place(path).first().copied(),
    }
}

/// Everything that is wrong with one file of `src`.
pub(crate) fn problems(path: &str, source: &str) -> Vec<String> {
    let Some(room) = room(path) else {
        return Vec::new();
    };
    let named = paths::read(source, &place(path));
    [
        arrows(room, &named),
        homes(room, &named),
        moments(room, &named),
        purity(room, &named),
        sql(room, &named),
    ]
    .concat()
    .into_iter()
    .map(|problem| format!("{path}: {problem}"))
    .collect()
}

fn arrows(room: &str, named: &Named) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("`{room}` is no room; say in ARROWS who it may use")];
    };
    let wrong = |path: &&Vec<String>| {
        let target = path.first().map_or("", String::as_str);
        let hidden = room == "actors"
            && BEHIND_TRAITS.contains(
                &path
                    .iter()
                    .take(2)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("::")
                    .as_str(),
            );
        hidden || (target != room && !allowed.contains(&target))
    };
    named
        .own
        .iter()
        .filter(wrong)
        .map(|path| format!("`{room}` may not use `crate::{}`", path.join("::")))
        .collect()
}

fn homes(room: &str, named: &Named) -> Vec<String> {
    let foreign = |word: &&Word| {
        let home = HOMES
            .iter()
            .find(|(crates, _)| crates.contains(&word.text.as_str()));
        word.before.is_empty()
            && word.leads
            && home.is_some_and(|(_, rooms)| !rooms.contains(&room))
    };
    let words = named.words.iter().filter(foreign);
    words
        .map(|word| format!("`{room}` may not name `{}`", word.text))
        .collect()
}

fn moments(room: &str, named: &Named) -> Vec<String> {
    let reads = |word: &&Word| {
        word.text == "now" && ["Utc", "Local", "SystemTime"].contains(&word.before.as_str())
    };
    let read = named.words.iter().filter(reads).filter(|_| room != "clock");
    read.map(|word| format!("`{}::now` is read in `clock` only", word.before))
        .collect()
}

fn purity(room: &str, named: &Named) -> Vec<String> {
    let impure = |word: &&Word| IMPURE.contains(&word.text.as_str());
    let words = named
        .words
        .iter()
        .filter(impure)
        .filter(|_| room == "domain");
    words
        .map(|word| format!("`domain` is pure; it may not name `{}`", word.text))
        .collect()
}

fn sql(room: &str, named: &Named) -> Vec<String> {
    let text = |literal: &&String| {
        let text = literal.trim_start_matches(['b', 'r', '#', '"', ' ', '\n']);
        SQL.iter().any(|start| text.starts_with(start))
    };
    let literals = named
        .literals
        .iter()
        .filter(text)
        .filter(|_| room != "store");
    literals
        .map(|literal| format!("`{room}` may not write SQL: {literal}"))
        .collect()
}

/// Whether a file, or a module that it declares, has a name that says nothing.
pub(crate) fn has_empty_name(path: &str, source: &str) -> bool {
    let modules = paths::read(source, &[]).modules;
    let folders = path
        .trim_end_matches(".rs")
        .split('/')
        .map(ToString::to_string);
    folders
        .chain(modules)
        .any(|name| EMPTY_NAMES.contains(&name.as_str()))
}
