//! What a program's end and its words mean for the run.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use serde_json::{Value, json};

use super::Command;
use crate::{
    domain::{
        json::depth,
        text::{bounded, has_nul},
    },
    skills::{RunContext, SkillError, Verdict},
};

/// `EX_TEMPFAIL` of `sysexits.h`: trying again may help.
const TRY_AGAIN: i32 = 75;

/// How deep JSON may be nested.
const DEEPEST: usize = 64;

/// Characters of the program's own words in an error.
const LONGEST: usize = 300;

/// Whether it did its work.
pub(super) fn judge(status: ExitStatus, words: &[u8]) -> Result<(), SkillError> {
    if status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(words);
    let mut lines = words.lines().map(str::trim).rev();
    let why = lines
        .find(|line| !line.is_empty())
        .map(|line| format!(": {}", bounded(line, LONGEST)));
    let why = why.unwrap_or_default();
    Err(match (status.code(), status.signal()) {
        (Some(TRY_AGAIN), _) => {
            SkillError::recoverable(format!("ended with 75, to be tried again{why}"))
        }
        (Some(code), _) => SkillError::unrecoverable(format!("ended with {code}{why}")),
        (None, Some(signal)) => {
            SkillError::unrecoverable(format!("was ended by signal {signal}{why}"))
        }
        (None, None) => SkillError::unrecoverable(format!("ended, nobody knows how{why}")),
    })
}

/// What it has to say; null for nothing.
pub(super) fn read(output: &[u8]) -> Result<Value, String> {
    if output.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let answer: Value = serde_json::from_slice(output)
        .map_err(|error| format!("wrote what is no JSON: {error}"))?;
    match depth(&answer) > DEEPEST || has_nul(&answer) {
        true => Err(format!(
            "wrote JSON that is nested deeper than {DEEPEST}, or has a NUL in it"
        )),
        false => Ok(answer),
    }
}

/// Puts it into the run's context.
pub(super) fn hand_over(answer: Value, run: &mut RunContext<'_>) -> Result<Verdict, SkillError> {
    let content = answer.get("content").filter(|content| !content.is_null());
    if let Some(content) = content
        .map(content_of)
        .transpose()
        .map_err(SkillError::unrecoverable)?
    {
        if content != run.content {
            run.item = None;
        }
        run.content = content;
    }
    let skip = answer
        .get("skip")
        .and_then(Value::as_str)
        .map(|why| bounded(why, LONGEST));
    run.results.insert(Command::NAME.into(), answer);
    Ok(match skip {
        Some(why) => {
            run.nothing_to_post = Some(why.clone());
            Verdict::NothingToDo(why)
        }
        None => Verdict::Done,
    })
}

fn content_of(value: &Value) -> Result<Value, String> {
    match value {
        Value::String(body) => Ok(json!({ "body": body })),
        Value::Object(fields) if fields.get("body").is_some_and(Value::is_string) => {
            Ok(value.clone())
        }
        _ => {
            Err("wrote a `content` that is neither a text nor an object with a text `body`".into())
        }
    }
}
