//! A program that embeds the server with a skill and a platform of its own: `cargo run --example embed`, then Ctrl-C.
//!
//! Bots list the skill in their files like any other (`examples/embed/bot.toml`). The platform calls itself `console`,
//! and so takes the place of the built-in one, where all bots without a Discord channel post.
use actor_server::{app::ActorServer, clock::Clock, config, domain::post::Post, platforms, skills};
use platforms::{ContentPoster, PostFailure, Receipt};
use serde_json::{Map, Value, json};
use skills::{RunContext, SettingProblem, Skill, SkillError, SkillSet, Verdict};

/// Draws a number as the run's content.
struct Dice;

#[async_trait::async_trait]
impl Skill for Dice {
    fn name(&self) -> &str {
        "dice"
    }
    fn check(&self, _: &Map<String, Value>) -> Vec<SettingProblem> {
        Vec::new()
    }
    async fn run(
        &self,
        run: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        run.content = json!({ "body": (run.now.timestamp_micros() % 6 + 1).to_string() });
        Ok(Verdict::Done)
    }
}

/// Sends nothing anywhere: it logs.
struct Herald;

#[async_trait::async_trait]
impl ContentPoster for Herald {
    fn platform(&self) -> &'static str {
        "console"
    }
    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        tracing::info!(bot = %post.bot, nonce = post.nonce, "hear, hear: {}", post.message.body);
        Ok(Receipt { message_id: None })
    }
}

/// What bot files may list.
struct Known(SkillSet);

impl config::SkillCatalogue for Known {
    fn names(&self) -> Vec<String> {
        self.0.names().into_iter().map(str::to_owned).collect()
    }
    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        self.0.check(skill, settings)
    }
    fn shared(&self, skill: &str) -> Vec<String> {
        self.0.shared(skill)
    }
    fn needs_knowledge(&self, skill: &str) -> bool {
        self.0.needs_knowledge(skill)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let loaded = config::load(config::LoadInput {
        file: "examples/embed/server.toml".into(),
        database_url: None,
        discord_token: None,
        environment: &|name| std::env::var_os(name),
        skills: &Known(SkillSet::built_in().with(Dice)),
        now: Clock::process().now(),
    })?;
    let server = ActorServer::builder(loaded.settings)
        .skill(Dice)
        .platform(Herald);
    let server = server.build()?;
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(actix_rt::System::new().block_on(server.run_until_stopped(stop))?)
}
