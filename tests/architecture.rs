//! The rooms of the crate and who may use whom: an arrow that points the wrong way fails here.
//!
//! Every file of `src` is read, so that a rule holds for a new file without anybody thinking of it. A rule that a
//! room breaks is answered by moving code, not by another exception in this file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/rules.rs"]
mod rules;

use std::{fs, path::Path};

use rules::{has_empty_name, problems};

/// The longest file.
const MOST_LINES: usize = 400;

struct File {
    path: String,
    source: String,
}

fn files(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(folder).exists() {
        return Vec::new();
    }
    walkdir::WalkDir::new(root.join(folder))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("a readable folder").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| File {
            source: fs::read_to_string(&path).expect("a readable file"),
            path: path
                .strip_prefix(root)
                .expect("below the root")
                .to_string_lossy()
                .replace('\\', "/"),
        })
        .collect()
}

#[test]
fn every_arrow_points_the_right_way() {
    let files = files("src");
    assert!(files.len() > 15, "only {} files found", files.len());
    let problems: Vec<String> = files
        .iter()
        .flat_map(|file| problems(&file.path, &file.source))
        .collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let lines = |file: &File| file.source.lines().count();
    let long = all_files().filter(|file| lines(file) > MOST_LINES);
    let long: Vec<String> = long
        .map(|file| format!("{} ({} lines)", file.path, lines(&file)))
        .collect();
    assert!(long.is_empty(), "longer than {MOST_LINES} lines: {long:?}");
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let empty = all_files().filter(|file| has_empty_name(&file.path, &file.source));
    let empty: Vec<String> = empty.map(|file| file.path).collect();
    assert!(empty.is_empty(), "name what is inside: {empty:?}");
}

fn all_files() -> impl Iterator<Item = File> {
    ["src", "tests", "benches"].into_iter().flat_map(files)
}

/// Whether the checker objects to a file in these words.
fn objects(path: &str, source: &str, words: &str) -> bool {
    problems(path, source)
        .iter()
        .any(|problem| problem.contains(words))
}

#[test]
fn each_wrong_arrow_is_found() {
    for (path, source, words) in [
        (
            "src/domain/bot.rs",
            "use crate::store::Write;",
            "`domain` may not use `crate::store::Write`",
        ),
        (
            "src/domain/bot.rs",
            "use super::super::clock::Clock;",
            "`domain` may not use `crate::clock::Clock`",
        ),
        (
            "src/actors/task.rs",
            "fn f(_: crate::config::Settings) {}",
            "`crate::config::Settings`",
        ),
        (
            "src/actors/task.rs",
            "use crate::store::sqlite::Sqlite;",
            "`crate::store::sqlite::Sqlite`",
        ),
        (
            "src/actors/task.rs",
            "use crate::platforms::{discord, Receipt};",
            "`crate::platforms::discord`",
        ),
        (
            "src/http/view.rs",
            "use crate::{domain, store};",
            "`http` may not use `crate::store`",
        ),
        (
            "src/store/mod.rs",
            "use crate::actors::Wake;",
            "`store` may not use",
        ),
        (
            "src/skills/mod.rs",
            "use crate::platforms::Receipt;",
            "`skills` may not use",
        ),
        (
            "src/config/mod.rs",
            "use crate::skills::Skill;",
            "`config` may not use",
        ),
        (
            "src/cli/run.rs",
            "use crate::store::Write;",
            "`cli` may not use",
        ),
        (
            "src/main.rs",
            "fn main() { actor_server::store::open() }",
            "`main` may not use",
        ),
        (
            "src/telemetry.rs",
            "use crate::domain::bot::BotName;",
            "`telemetry` may not use",
        ),
        ("src/domain/bot.rs", "use crate::*;", "`crate::*`"),
        ("src/domain/bot.rs", "use crate as root;", "`crate::`"),
        ("src/attic.rs", "", "`attic` is no room"),
    ] {
        assert!(objects(path, source, words), "{path}: {source}");
    }
}

#[test]
fn each_misplaced_crate_statement_and_clock_is_found() {
    for (path, source, words) in [
        (
            "src/actors/task.rs",
            "use diesel::prelude::*;",
            "name `diesel`",
        ),
        (
            "src/skills/post.rs",
            "fn f() { serenity::all() }",
            "name `serenity`",
        ),
        (
            "src/config/mod.rs",
            "use ::reqwest::Client;",
            "name `reqwest`",
        ),
        ("src/domain/run.rs", "use actix as runtime;", "name `actix`"),
        (
            "src/actors/task.rs",
            "fn f() { chrono::Utc::now(); }",
            "`Utc::now`",
        ),
        ("src/domain/run.rs", "async fn f() {}", "pure"),
        ("src/domain/run.rs", "use std::{fs, fmt};", "pure"),
        ("src/app.rs", "const Q: &str = r#\"SELECT 1\"#;", "SQL"),
    ] {
        assert!(objects(path, source, words), "{path}: {source}");
    }
    assert!(has_empty_name("src/store/utils.rs", ""));
    assert!(has_empty_name(
        "src/store/mod.rs",
        "pub(crate) mod helpers;"
    ));
}

#[test]
fn what_is_right_is_left_alone() {
    for (path, source) in [
        ("src/lib.rs", "pub use crate::store::StatePersistence;"),
        (
            "src/actors/task.rs",
            "use crate::{store::{StatePersistence, Write}, domain::bot::BotName};",
        ),
        ("src/app.rs", "use crate::store::sqlite::Sqlite;"),
        (
            "src/store/sqlite/mod.rs",
            "use super::Write; use diesel::prelude::*;",
        ),
        (
            "src/clock.rs",
            "use crate::domain::Instant; fn f() { Utc::now(); }",
        ),
        (
            "src/config/cron.rs",
            "/// SELECT\nfn f(cron: &str) {} // crate::store",
        ),
    ] {
        assert_eq!(problems(path, source), Vec::<String>::new(), "{source}");
    }
}
