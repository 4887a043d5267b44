//! Runs `content_formatter` on some content, without a pipeline.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test's tool: each test uses a part of it"
)]

use actor_server::{
    domain::post::Message,
    skills::{Skill, SkillError, Verdict, content_formatter::ContentFormatter},
};
use serde_json::{Value, json};

use super::run::{Desk, bot, run as run_of, settings};

/// Formats `content` by `given`.
pub fn format(given: Value, content: Value) -> Result<(Verdict, Option<Message>), SkillError> {
    format_event(given, content, Value::Null)
}

pub fn format_event(
    given: Value,
    content: Value,
    event: Value,
) -> Result<(Verdict, Option<Message>), SkillError> {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run_of(&bot, &desk, content);
    run.event = event;
    let given = settings(given);
    let verdict = futures::executor::block_on(ContentFormatter.run(&mut run, &given))?;
    Ok((verdict, run.message))
}

/// The text of the message.
pub fn text(given: Value, content: Value) -> String {
    let (verdict, message) = format(given, content).unwrap();
    assert_eq!(verdict, Verdict::Done);
    message.unwrap().body
}

pub fn by(template: &str, content: Value) -> String {
    text(json!({ "template": template }), content)
}

pub fn error(given: Value, content: Value) -> String {
    let error = format(given, content).unwrap_err();
    assert!(
        !error.recoverable,
        "a template does not mend by itself: {error}"
    );
    error.message
}

pub fn problems(given: Value) -> Vec<String> {
    let problems = ContentFormatter.check(&settings(given));
    problems
        .into_iter()
        .map(|p| format!("{}: {}", p.key, p.message))
        .collect()
}
