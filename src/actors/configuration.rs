//! The configuration in force: what a reload replaces, all at once, and where a reload gets its successor from.
//!
//! Readers take a picture of one moment and never wait. Only the coordinator's reload replaces it, and only after the store
//! has taken what follows from it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix::Message;
use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::{sync::MutexGuard, time::Instant as Monotonic};

use crate::{
    domain::{
        bot::{Bot, BotName},
        state::BotState,
    },
    platforms::ContentPoster,
};

/// How long after a reload a claim of a changed bot may still be on its way to the bot's actor: far longer than any message
/// is waited for.
const ON_THE_WAY: Duration = Duration::from_secs(60);

/// Bots by name.
pub type BotMap = HashMap<BotName, Arc<Bot>>;

/// Reads the files again. Implemented where files are known.
pub trait ConfigurationSource: Send + Sync + 'static {
    /// Reads everything, and compares it with what is in force. Blocks on files; changes nothing.
    ///
    /// # Errors
    /// Every problem, one a line: `file:line:column: key: what is wrong`.
    fn read(&self) -> Result<Offer, Vec<String>>;
}

/// A configuration that was found good and is not in force yet.
pub struct Offer {
    /// The bots.
    pub bots: BotMap,
    /// `[server] max_consecutive_failures`.
    pub max_consecutive_failures: u32,
    /// Platforms that are to be replaced, or taken away, by name.
    pub platforms: Vec<(&'static str, Option<Arc<dyn ContentPoster>>)>,
    /// Keys beside the bots' that change with this offer.
    pub changed: Vec<String>,
    /// Keys that differ and are not applied while the process lives.
    pub needs_restart: Vec<String>,
    /// What is probably not meant.
    pub warnings: Vec<String>,
    /// The effective configuration as it would be, secrets as `"***"`.
    pub shown: Shown,
    /// Called once everything else is in force.
    pub accept: Box<dyn FnOnce() + Send + Sync>,
}

/// Draws a configuration when somebody asks for it: kept drawn it would weigh more than the bots themselves.
pub type Shown = Arc<dyn Fn() -> Value + Send + Sync>;

/// What is in force at one moment.
pub struct InForce {
    /// Grows with every reload that was applied.
    pub version: u64,
    /// The bots.
    pub bots: BotMap,
    /// So many failed runs in a row set the hold `failures`.
    pub max_consecutive_failures: u32,
    /// The effective configuration, secrets as `"***"`.
    pub shown: Shown,
}

/// How reloads ended since the process started (dry runs are none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReloadCounts {
    /// Applied, also if nothing had changed.
    pub applied: u64,
    /// Refused because of problems in the files.
    pub refused: u64,
    /// Not carried out: the store was away, or the process was stopping.
    pub unavailable: u64,
}

/// The configuration in force, and the one turn to replace it.
pub struct Configuration {
    in_force: ArcSwap<InForce>,
    source: Option<Arc<dyn ConfigurationSource>>,
    turn: tokio::sync::Mutex<()>,
    /// Bots whose claims may be void although memory does not know it, and since when.
    doubted: RwLock<HashMap<BotName, Monotonic>>,
    applied: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
}

impl Configuration {
    /// What the process starts with; without a source it stays so.
    #[must_use]
    pub fn new(bots: impl IntoIterator<Item = Arc<Bot>>, max_consecutive_failures: u32) -> Self {
        let bots = bots.into_iter().map(|bot| (bot.name.clone(), bot));
        Self {
            in_force: ArcSwap::from_pointee(InForce {
                version: 0,
                bots: bots.collect(),
                max_consecutive_failures,
                shown: Arc::new(|| Value::Null),
            }),
            source: None,
            turn: tokio::sync::Mutex::default(),
            doubted: RwLock::default(),
            applied: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unavailable: AtomicU64::new(0),
        }
    }

    /// With the effective configuration to show.
    #[must_use]
    pub fn showing(self, shown: Shown) -> Self {
        let now = self.in_force.load_full();
        self.in_force.store(Arc::new(InForce {
            version: now.version,
            bots: now.bots.clone(),
            max_consecutive_failures: now.max_consecutive_failures,
            shown,
        }));
        self
    }

    /// With files that can be read again.
    #[must_use]
    pub fn read_from(self, source: Arc<dyn ConfigurationSource>) -> Self {
        let source = Some(source);
        Self { source, ..self }
    }

    /// What is in force now.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// A bot of the configuration.
    #[must_use]
    pub fn bot(&self, name: &BotName) -> Option<Arc<Bot>> {
        self.in_force.load().bots.get(name).cloned()
    }

    /// How reloads ended.
    #[must_use]
    pub fn reloads(&self) -> ReloadCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReloadCounts {
            applied: read(&self.applied),
            refused: read(&self.refused),
            unavailable: read(&self.unavailable),
        }
    }

    /// Whether the store has to be asked before a claim of this bot starts. As long as the guard lives, no reload begins to
    /// doubt.
    pub(super) fn doubts(&self, bot: &BotName) -> (bool, impl Sized + '_) {
        let doubted = self.doubted();
        let since = doubted.get(bot);
        let doubts = since.is_some_and(|since| since.elapsed() < ON_THE_WAY);
        (doubts, doubted)
    }

    /// From now on the store is asked before claims of these bots start.
    pub(super) fn doubt<'a>(&self, bots: impl IntoIterator<Item = &'a BotName>) {
        let mut doubted = self.doubted.write().unwrap_or_else(PoisonError::into_inner);
        doubted.retain(|_, since| since.elapsed() < ON_THE_WAY);
        let now = Monotonic::now();
        doubted.extend(bots.into_iter().map(|bot| (bot.clone(), now)));
    }

    fn doubted(&self) -> RwLockReadGuard<'_, HashMap<BotName, Monotonic>> {
        self.doubted.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn to reload.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn source(&self) -> Option<Arc<dyn ConfigurationSource>> {
        self.source.clone()
    }

    pub(super) fn replace(&self, bots: BotMap, max_consecutive_failures: u32, shown: Shown) {
        let version = self.in_force.load().version + 1;
        self.in_force.store(Arc::new(InForce {
            version,
            bots,
            max_consecutive_failures,
            shown,
        }));
    }

    pub(super) fn count_applied(&self) {
        self.applied.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_unavailable(&self) {
        self.unavailable.fetch_add(1, Ordering::Relaxed);
    }
}

/// The effective configuration, secrets as `"***"`.
#[derive(Message)]
#[rtype(result = "Value")]
pub struct ShowConfiguration;

/// Read the configuration again, and apply it as a whole or not at all. Replies what changed.
#[derive(Message)]
#[rtype(result = "Result<Value, ReloadError>")]
pub struct ReloadConfiguration {
    /// Only say what would change.
    pub dry_run: bool,
}

/// Why nothing was changed by a reload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// Every problem of the files, as `file:line:column: key: what is wrong`.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
    /// The store is away, an actor did not answer, or the process is stopping.
    #[error("not to be had now: {0}")]
    Unavailable(String),
}

/// The configuration has changed: take up these bots with what is stored of them, and forget those that are gone. The timers
/// and claims of all others are not touched.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconfigured {
    /// Added and changed bots.
    pub taken_up: Vec<(Arc<Bot>, BotState)>,
    /// Removed bots.
    pub removed: Vec<BotName>,
}
