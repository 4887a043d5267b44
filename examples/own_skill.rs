//! A program with a skill of its own: `cargo run --example own_skill`, then Ctrl-C.
//!
//! Bots list it in their files like any other (`examples/own_skill/bot.toml`).
use actor_server::{app::Program, skills};
use serde_json::{Map, Value, json};
use skills::{RunContext, Skill, SkillError, Verdict};

/// Draws a number as the run's content.
struct Dice;

#[async_trait::async_trait]
impl Skill for Dice {
    fn name(&self) -> &str {
        "dice"
    }
    async fn run(
        &self,
        run: &mut RunContext<'_>,
        _settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        run.content = json!({ "body": (run.now.timestamp_micros() % 6 + 1).to_string() });
        Ok(Verdict::Done)
    }
}

/// The program, around any server file.
pub(crate) fn program(file: &str) -> Program {
    Program::new(file).skill(Dice)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(program("examples/own_skill/server.toml").serve()?)
}
