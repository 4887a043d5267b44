//! Posts to standard output: what a bot without a channel says.
//!
//! A post is written in one piece, so that posts never run into each other, and every line of it carries the bot's
//! name: `bot: first line`, then `bot| next line`. A control character is shown as its escape, so that a text can
//! neither steer the terminal nor pretend to be another bot's line.

use std::{
    io::{self, Write},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{ContentPoster, PostFailure, Receipt};
use crate::domain::post::Post;

/// Writes posts to `W`, which only this platform should write to.
pub struct Console<W> {
    /// Waited for before a thread is taken: a reader that stalls holds up one thread, however many posts wait.
    writer: Arc<Mutex<W>>,
}

/// The destination of every post to the console.
pub const DESTINATION: &str = "stdout";

impl Console<io::Stdout> {
    /// The process's standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }
}

impl<W: Write + Send + 'static> Console<W> {
    /// A console that writes to `writer`.
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self {
            writer: Arc::new(Mutex::new(writer)),
        }
    }
}

#[async_trait]
impl<W: Write + Send + 'static> ContentPoster for Console<W> {
    fn platform(&self) -> &'static str {
        "console"
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let text = render(post);
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let written = spawn_blocking(move || {
            writer.write_all(text.as_bytes())?;
            writer.flush()
        });
        match written.await {
            Ok(Ok(())) => Ok(Receipt { message_id: None }),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(failed(&"the writer panicked")),
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> PostFailure {
    PostFailure::Transient(format!("cannot write to the console: {error}"))
}

/// The lines of a post, behind its text its embeds as JSON and where its files are.
fn render(post: &Post) -> String {
    let embeds = post.message.options.get("embeds").map(|embeds| {
        // One line, whatever the embeds say: JSON escapes line ends.
        format!("embeds: {embeds}")
    });
    let files = post.message.options.get("attachments");
    let files = files
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten();
    let files = files.filter_map(|file| file.get("url")?.as_str());
    let files: Vec<String> = files.map(|url| format!("attachment: {url}")).collect();
    let body = post.message.body.lines();
    let mut text = String::new();
    for line in body
        .chain(embeds.as_deref())
        .chain(files.iter().map(String::as_str))
    {
        let mark = if text.is_empty() { ':' } else { '|' };
        text.push_str(&format!("{}{mark} {}\n", post.bot, visible(line)));
    }
    if text.is_empty() {
        text = format!("{}:\n", post.bot);
    }
    text
}

fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_control() && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
