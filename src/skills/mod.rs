//! The steps of a bot's pipeline: one trait, and the built-in skills.

mod attached;
pub mod command;
pub mod content_formatter;
pub mod content_posting;
pub mod content_scheduling;
pub mod content_selection;
pub mod duplicate_check;
pub mod feed_reader;
pub mod http_request;
mod outside;
mod patience;
pub mod pipeline;
pub mod progress;
pub mod rate_limiting;
pub mod registry;
mod settings;
mod slots;

pub use self::{
    pipeline::run_attempt,
    progress::Progress,
    registry::{SkillSet, Tools},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Map, Value};

use crate::domain::{
    Instant,
    bot::BotName,
    content::{FeedLook, FeedState, ItemUse, PostTally, PostedText, Selection, StoredItem},
    hold::HoldKind,
    need::Need,
    post::Message,
    run::{ExecutionId, Trigger},
    schedule::ScheduleSpec,
};

/// One step of a pipeline. An implementation holds no state of a run.
#[async_trait]
pub trait Skill: Send + Sync + 'static {
    /// The name in bot files.
    fn name(&self) -> &str;

    /// What is wrong with these settings, and what would be right; empty when they are good.
    /// Called when the configuration is read, never during a run. A skill that does not say takes whatever it is given.
    fn check(&self, _settings: &Map<String, Value>) -> Vec<SettingProblem> {
        Vec::new()
    }

    /// The settings that it also takes from `[actor.config]`, which several skills may share; what stands in its own table
    /// wins. Both [`Self::check`] and [`Self::run`] get the two as one.
    fn shared(&self) -> &[&str] {
        &[]
    }

    /// Whether it can only work with knowledge tables, `actor.knowledge`.
    fn needs_knowledge(&self) -> bool {
        false
    }

    /// Whether nothing may be posted in this run once it has failed, even if the skills behind it still run: a gate that
    /// cannot decide stays shut.
    fn guards_posting(&self) -> bool {
        false
    }

    /// What these settings need of `[outbound]`, with the key that says so. Asked when the configuration is read, so that a
    /// bot whose needs are not met is refused there and not in each run.
    fn needs(&self, _settings: &Map<String, Value>) -> Vec<(String, Need)> {
        Vec::new()
    }

    /// How far back it looks into what the bot has posted: posts are kept at least so long.
    fn looks_back(&self, _settings: &Map<String, Value>) -> TimeDelta {
        TimeDelta::zero()
    }

    /// Does the step's work on the run's context.
    ///
    /// # Errors
    /// Why it failed, and whether trying again may help.
    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError>;
}

/// A setting that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The key below `[skills.NAME]`.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// How a step ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did its work.
    Done,
    /// There was nothing to do, and why.
    NothingToDo(String),
    /// A gate says no: the run ends as `skipped`, with this skill's name as its reason.
    Stop(String),
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SkillError {
    /// What went wrong.
    pub message: String,
    /// Whether trying again may help.
    pub recoverable: bool,
    /// A hold that the platform's answer calls for.
    pub hold: Option<HoldKind>,
}

impl SkillError {
    /// Trying again may help.
    #[must_use]
    pub fn recoverable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            recoverable: true,
            hold: None,
        }
    }

    /// Trying again cannot help.
    #[must_use]
    pub fn unrecoverable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            recoverable: false,
            hold: None,
        }
    }
}

/// What the steps of one attempt share.
pub struct RunContext<'a> {
    /// The bot.
    pub bot: &'a BotName,
    /// Its title, for people.
    pub title: &'a str,
    /// The run.
    pub execution: ExecutionId,
    /// What started it.
    pub trigger: Trigger,
    /// The slot; `None` for manual triggers and events.
    pub slot: Option<Instant>,
    /// The start of this attempt.
    pub now: Instant,
    /// From 1.
    pub attempt: u32,
    /// The payload of the event or trigger that started the run; null otherwise.
    pub event: Value,
    /// The bot's schedule.
    pub schedule: Option<&'a ScheduleSpec>,
    /// `actor.knowledge`: the tables that content is chosen from.
    pub knowledge: &'a [String],
    /// The content that was chosen: an object with at least `body`; null until a skill sets it.
    pub content: Value,
    /// The knowledge item behind `content`, if it is one.
    pub item: Option<ItemUse>,
    /// Further items that may take the place of `content`, the best first.
    pub candidates: Vec<StoredItem>,
    /// Why there is nothing to post in this run; skills behind it that make or send a message have nothing to do then.
    pub nothing_to_post: Option<String>,
    /// What skills have brought for those behind them, by the name of the skill: templates read it as `results`.
    pub results: Map<String, Value>,
    /// Knowledge, and what the bot has posted.
    pub shelf: &'a dyn Shelf,
    /// The message to post, made by a formatter.
    pub message: Option<Message>,
    /// Where posts go.
    pub outlet: &'a dyn Outlet,
    /// How many messages this attempt has posted.
    pub posted: i32,
}

impl RunContext<'_> {
    /// What a skill answers that chooses, checks, makes or sends a message, when there is nothing to post.
    #[must_use]
    pub fn idle(&self) -> Option<Verdict> {
        let why = self.nothing_to_post.as_ref()?;
        Some(Verdict::NothingToDo(format!("nothing to post: {why}")))
    }
}

/// Stores, sends and marks posts on behalf of a skill; implemented where store and platform are known.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// Posts the message `position` (from 0) of this run exactly once, however often it is called; `item` is what it is made of.
    ///
    /// # Errors
    /// The platform refused it, its attempts are spent, or another run has posted the item.
    async fn post(
        &self,
        position: i32,
        message: Message,
        item: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError>;
}

/// Knowledge, and what the bot has posted; implemented where the store is known. Every error is recoverable while the
/// database is away.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// What the bot may choose from; bot, execution and time are this run's, whatever the wish says.
    async fn candidates(&self, wish: Selection) -> Result<Vec<StoredItem>, SkillError>;

    /// What the bot has posted since then, newest first, without this run's own posts.
    async fn posted_texts(&self, since: Instant, limit: u32)
    -> Result<Vec<PostedText>, SkillError>;

    /// How much the bot has posted, without this run's own posts.
    async fn post_tally(&self, since: Instant) -> Result<PostTally, SkillError>;

    /// What is remembered of a feed.
    async fn feed(&self, table: &str, url: &str) -> Result<Option<FeedState>, SkillError>;

    /// Takes in what a look at a feed has brought. Answers how many items are new.
    async fn take_feed(&self, look: FeedLook) -> Result<u64, SkillError>;
}
