//! A bot's skills for real, up to the post: feeds are read, commands run and requests are made. Nothing is posted, and nothing
//! is stored: no run, no post, no item, and no item counts as used.
//!
//! It is a run by hand that the server knows nothing of, in a process of its own: holds, overlap and breakers stop it not.

mod attempt;
mod outlet;
mod shelf;

use std::{fmt, sync::Arc};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub use self::outlet::WouldPost;
use self::{attempt::Attempt, outlet::PreviewOutlet, shelf::PreviewShelf};
use super::{AppError, tools};
use crate::{
    actors::shelf::StoreShelf,
    clock::Clock,
    config::{Settings, nearest},
    domain::{
        Instant,
        bot::{Bot, BotName},
        input::RunInput,
        outcome::{AttemptOutcome, SkillStatus, Status},
        run::ExecutionId,
    },
    skills::{Progress, SkillSet},
    store::{self, Missing, StatePersistence, StoreError},
};

/// Stands for a run that is none: no row has it.
const NO_RUN: ExecutionId = ExecutionId(0);

/// What is to be previewed.
#[derive(Clone, Debug)]
pub struct PreviewWish {
    /// The bot.
    pub bot: String,
    /// What to post instead of what the bot would choose: an object with a `body`, or a text; null to let it choose.
    pub content: Value,
}

/// What a run would have been.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The bot.
    pub bot: BotName,
    /// When.
    pub at: Instant,
    /// Why the server does not run the bot now, if it does not.
    pub held: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
    /// What each skill said, in order.
    pub skills: Vec<SkillVerdict>,
    /// What would be posted.
    pub posts: Vec<WouldPost>,
}

/// What a skill said.
#[derive(Clone, Debug)]
pub struct SkillVerdict {
    /// Its name.
    pub skill: String,
    /// `succeeded`, `skipped`, `failed`, or `stopped` of a gate that said no.
    pub verdict: &'static str,
    /// Why.
    pub detail: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Why there is no preview.
#[derive(Debug)]
pub enum PreviewError {
    /// There is no such bot, or it cannot run as it is configured.
    Bot(String),
    /// The rest.
    App(AppError),
}

impl PreviewError {
    /// Whether the command or the configuration has to change.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Bot(_) => true,
            Self::App(error) => error.is_configuration(),
        }
    }
}

impl fmt::Display for PreviewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot(what) => f.write_str(what),
            Self::App(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PreviewError {}

impl From<StoreError> for PreviewError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Runs a bot's skills up to the post; blocks, at most for the bot's timeout and a little more. `skills` in the place of the
/// built-in ones.
///
/// # Errors
/// See [`PreviewError`]; a skill that fails is none.
pub fn preview(
    settings: &Settings,
    skills: Option<SkillSet>,
    wish: &PreviewWish,
) -> Result<Preview, PreviewError> {
    let bot = find(settings, &wish.bot)?;
    let skills = skills.unwrap_or_else(|| SkillSet::built_in_with(&tools(settings)));
    let threads = |error| AppError::Build(format!("cannot start threads: {error}"));
    let runtime = Runtime::new().map_err(|error| PreviewError::App(threads(error)))?;
    let url = settings.server.database_url.expose_secret();
    let previewed = runtime.block_on(async {
        let store = store::open_beside(url, Missing::Leave).await?;
        let preview = run(&bot, skills, store.as_ref(), &wish.content).await?;
        if let Some(store) = store {
            store.close().await;
        }
        Ok(preview)
    });
    // A skill that does not come back keeps nobody here.
    runtime.shutdown_background();
    previewed
}

fn find(settings: &Settings, name: &str) -> Result<Arc<Bot>, PreviewError> {
    let mut bots = settings.bots.iter();
    let Some(bot) = bots.find(|bot| bot.name.as_str() == name) else {
        let names = settings.bots.iter().map(|bot| bot.name.as_str());
        let hint = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`check` lists all".into(),
        };
        let name = name.escape_debug();
        return Err(PreviewError::Bot(format!(
            "there is no bot `{name}`; {hint}"
        )));
    };
    match &bot.quarantine {
        Some(problems) => Err(PreviewError::Bot(format!(
            "the bot `{name}` is in quarantine, so that what it would do is not known:\n{problems}"
        ))),
        None => Ok(Arc::clone(bot)),
    }
}

async fn run(
    bot: &Arc<Bot>,
    skills: SkillSet,
    store: Option<&Arc<dyn StatePersistence>>,
    content: &Value,
) -> Result<Preview, PreviewError> {
    let at = Clock::process().now();
    let held = match store {
        Some(store) => held(store.as_ref(), bot, at).await?,
        None => None,
    };
    let outlet = Arc::new(PreviewOutlet::of(bot));
    let shelf = PreviewShelf::over(
        store.map(|store| {
            (
                Arc::clone(store),
                StoreShelf::new(Arc::clone(store), bot.name.clone(), NO_RUN, at),
            )
        }),
        at,
    );
    let attempt = Attempt {
        bot: Arc::clone(bot),
        skills,
        content: RunInput::new(json!({ "content": content })),
        outlet: Arc::clone(&outlet),
        shelf,
        at,
        progress: Progress::default(),
    };
    let outcome = attempt.within_its_time().await;
    Ok(shown(bot, at, held, outcome, outlet.posts()))
}

async fn held(
    store: &dyn StatePersistence,
    bot: &Bot,
    now: Instant,
) -> Result<Option<String>, StoreError> {
    if !bot.enabled {
        return Ok(Some("it is disabled".into()));
    }
    let hold = store.state(&bot.name).await?.and_then(|state| state.hold);
    let hold = hold.filter(|hold| !hold.is_over(now));
    Ok(hold.map(|hold| format!("{}: {}", hold.kind.as_str(), hold.reason)))
}

fn shown(
    bot: &Bot,
    at: Instant,
    held: Option<String>,
    outcome: AttemptOutcome,
    posts: Vec<WouldPost>,
) -> Preview {
    let gate = outcome.gate.as_deref();
    let skills = outcome.skills.iter().map(|ended| SkillVerdict {
        skill: ended.skill.clone(),
        verdict: match ended.status {
            SkillStatus::Succeeded if gate == Some(ended.skill.as_str()) => "stopped",
            status => status.as_str(),
        },
        detail: ended.detail.clone(),
        duration_ms: ended.duration_ms,
    });
    Preview {
        bot: bot.name.clone(),
        at,
        held,
        status: outcome.status,
        error: outcome.error.clone(),
        skills: skills.collect(),
        posts,
    }
}
