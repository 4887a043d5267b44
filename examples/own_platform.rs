//! A program with a platform of its own: `cargo run --example own_platform`, then Ctrl-C, then read `data/diary.txt`.
//!
//! It calls itself `console`, and so takes the place of the built-in one, where all bots without a channel post.
use std::{fs::OpenOptions, io::Write, path::PathBuf};

use actor_server::{app::Program, domain::post::Post, platforms};
use platforms::{ContentPoster, PostFailure, Receipt};

/// Writes each post into a file, one line each.
struct Diary(PathBuf);

#[async_trait::async_trait]
impl ContentPoster for Diary {
    fn platform(&self) -> &'static str {
        "console"
    }
    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        file.and_then(|mut file| writeln!(file, "{}: {}", post.bot, post.message.body))
            .map_err(|error| PostFailure::Transient(error.to_string()))?;
        Ok(Receipt { message_id: None })
    }
}

/// The program, around any server file, with a diary anywhere.
pub(crate) fn program(file: &str, diary: &str) -> Program {
    Program::new(file).platform(Diary(diary.into()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(program("examples/own_platform/server.toml", "data/diary.txt").serve()?)
}
