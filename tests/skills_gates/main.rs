//! Choosing content, and the gates before a post: each skill over a shelf in memory, and a week of slots through all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "../support/library.rs"]
mod library;
#[path = "../support/run.rs"]
mod run;

mod duplicates;
mod rates;
mod selection;
mod settings;
mod shut;
mod week;
mod windows;

use actor_server::{
    domain::Instant,
    skills::{RunContext, SkillError, SkillSet, Verdict},
};
use library::Library;
use serde_json::Value;

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The run of `run.rs` over a library, with the knowledge table `ideas`.
pub(crate) fn run_over<'a>(
    bot: &'a actor_server::domain::bot::BotName,
    tables: &'a [String],
    library: &'a Library,
) -> RunContext<'a> {
    RunContext {
        knowledge: tables,
        shelf: library,
        ..run::run(bot, library, Value::Null)
    }
}

/// Runs one of the built-in skills.
pub(crate) async fn play(
    skill: &str,
    settings: Value,
    context: &mut RunContext<'_>,
) -> Result<Verdict, SkillError> {
    let skills = SkillSet::built_in();
    let settings = run::settings(settings);
    assert_eq!(skills.check(skill, &settings), [], "settings of {skill}");
    skills.get(skill).unwrap().run(context, &settings).await
}

pub(crate) fn ideas() -> Vec<String> {
    vec!["ideas".into()]
}

/// Why a gate said no.
pub(crate) fn stopped(verdict: Result<Verdict, SkillError>) -> String {
    match verdict.unwrap() {
        Verdict::Stop(reason) => reason,
        other => panic!("it did not stop: {other:?}"),
    }
}

/// Why a skill had nothing to do.
pub(crate) fn idle(verdict: Result<Verdict, SkillError>) -> String {
    match verdict.unwrap() {
        Verdict::NothingToDo(reason) => reason,
        other => panic!("it had something to do: {other:?}"),
    }
}
