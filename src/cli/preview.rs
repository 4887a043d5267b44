//! `preview`: what a bot would post now, and what each of its skills says.

use std::{
    fmt::Write,
    fs::File,
    io::{self, Read},
    process::ExitCode,
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Options, WRONG, answer,
    columns::columns,
    complain, configuration,
    text::{self, line},
};
use crate::app::preview::{self, Preview, PreviewWish, SkillVerdict, WouldPost};

/// Which bot, and with what.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// The bot
    bot: String,
    /// Post this instead of what the bot would choose: a text, a JSON object as its template sees it, or @FILE with either
    #[arg(long, value_name = "TEXT|@FILE", value_parser = content)]
    content: Option<Value>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs the bot's skills and shows what came of it: exit code 1 if one failed.
pub(super) fn preview(options: &Options, wish: Wish) -> ExitCode {
    let loaded = match configuration::read(options) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let asked = PreviewWish {
        bot: wish.bot,
        content: wish.content.unwrap_or_default(),
    };
    match preview::preview(&loaded.settings, None, &asked) {
        Ok(preview) => {
            let shown = match wish.json {
                true => text::json(&format!("{:#}", document(&preview))) + "\n",
                false => in_words(&preview),
            };
            answer(shown.as_bytes());
            match preview.status.is_failure() {
                true => ExitCode::FAILURE,
                false => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(if error.is_usage() { WRONG } else { 1 })
        }
    }
}

/// The longest file of content, in bytes; a request of the API may be as long.
const LONGEST: u64 = 64 << 10;

/// A text is an item's body; an object is an item.
fn content(given: &str) -> Result<Value, String> {
    let text = match given.strip_prefix('@') {
        Some(file) => read(file).map_err(|error| format!("{file}: {error}"))?,
        None => given.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(item)) => Ok(Value::Object(item)),
        _ => Ok(json!({ "body": text.trim_end_matches('\n') })),
    }
}

fn read(file: &str) -> io::Result<String> {
    let mut text = String::new();
    let many = File::open(file)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    match many as u64 > LONGEST {
        true => Err(io::Error::other("it is longer than 64 KiB")),
        false => Ok(text),
    }
}

fn document(preview: &Preview) -> Value {
    let skill = |said: &SkillVerdict| {
        json!({
            "skill": said.skill,
            "verdict": said.verdict,
            "detail": said.detail,
            "duration_ms": said.duration_ms,
        })
    };
    let post = |post: &WouldPost| {
        json!({
            "platform": post.platform,
            "destination": post.destination,
            "body": post.body,
            "options": post.options,
            "item": post.item,
        })
    };
    json!({
        "bot": preview.bot.as_str(),
        "at": preview.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "held": preview.held,
        "status": preview.status.as_str(),
        "error": preview.error,
        "skills": preview.skills.iter().map(skill).collect::<Vec<_>>(),
        "posts": preview.posts.iter().map(post).collect::<Vec<_>>(),
    })
}

fn in_words(preview: &Preview) -> String {
    let mut out = format!(
        "{}, as if run by hand now; nothing is posted or stored\n",
        preview.bot
    );
    if let Some(why) = &preview.held {
        let _ = writeln!(out, "(the server does not run it now: {})", line(why));
    }
    let head = ["SKILL", "VERDICT", "TOOK", "WHY"].map(str::to_owned);
    let rows = preview.skills.iter().map(|said| {
        [
            line(&said.skill),
            said.verdict.to_owned(),
            format!("{} ms", said.duration_ms),
            line(said.detail.as_deref().unwrap_or("-")),
        ]
    });
    out += "\n";
    out += &columns(std::iter::once(head).chain(rows));
    out += "\n";
    for would in &preview.posts {
        post(&mut out, would);
    }
    match (&preview.error, preview.posts.is_empty()) {
        (Some(error), _) => out += &format!("the run would have failed: {}\n", line(error)),
        (None, true) => out += "it would post nothing\n",
        (None, false) => {}
    }
    out
}

fn post(out: &mut String, would: &WouldPost) {
    let item = would
        .item
        .map(|id| format!(" (item {id})"))
        .unwrap_or_default();
    let (platform, destination) = (line(&would.platform), line(&would.destination));
    let _ = writeln!(out, "would post to {platform} {destination}{item}:");
    for part in would.body.lines() {
        let _ = writeln!(out, "  | {}", line(part));
    }
    let mentions = would.options.get("allowed_mentions");
    if mentions.is_none() {
        let _ = writeln!(out, "  allowed_mentions: none");
    }
    for (name, value) in would.options.as_object().into_iter().flatten() {
        let _ = writeln!(out, "  {}: {}", line(name), line(&value.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_a_text_an_object_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("item.json");
        let at = format!("@{}", file.display());
        assert!(content(&at).unwrap_err().contains("item.json"));
        std::fs::write(&file, "{\"body\": \"hi\"}\n").unwrap();
        for (given, expected) in [
            ("hi", json!({ "body": "hi" })),
            ("[1]", json!({ "body": "[1]" })),
            (
                "{\"body\":\"x\",\"tags\":[]}",
                json!({ "body": "x", "tags": [] }),
            ),
            (&at, json!({ "body": "hi" })),
        ] {
            assert_eq!(content(given), Ok(expected));
        }
        std::fs::write(&file, "x".repeat(70_000)).unwrap();
        assert!(content(&at).unwrap_err().contains("64 KiB"));
    }
}
