//! A program with a platform of its own: `cargo run --example own_platform`, then Ctrl-C, then read `data/diary.txt`.
//!
//! Bots name it and a destination, `platform = "diary"` and `destination = "FILE"` (`examples/own_platform/server.toml`).
use std::{fs::OpenOptions, io::Write};

use actor_server::{app::Program, domain::post::Post, platforms};
use platforms::{ContentPoster, PostFailure, Receipt};

/// Writes each post into the file that is its destination, one line each.
struct Diary;

#[async_trait::async_trait]
impl ContentPoster for Diary {
    fn platform(&self) -> &'static str {
        "diary"
    }
    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let mut file = OpenOptions::new();
        let file = file.create(true).append(true).open(&post.destination);
        file.and_then(|mut file| writeln!(file, "{}: {}", post.bot, post.message.body))
            .map_err(|error| PostFailure::Transient(error.to_string()))?;
        Ok(Receipt { message_id: None })
    }
}

/// The program, around any server file.
pub(crate) fn program(file: &str) -> Program {
    Program::new(file).platform(Diary)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(program("examples/own_platform/server.toml").serve()?)
}
