//! The composition root: builds store, platforms, skills and actors, in order, and runs them until stopped.
//!
//! Programs that embed the library start here too, with skills and platforms of their own:
//!
//! ```no_run
//! use actor_server::{app::{AppError, Program}, platforms::stub::StubPlatform};
//!
//! fn main() -> Result<(), AppError> {
//!     Program::new("config/actor_server.toml").platform(StubPlatform::new()).serve()
//! }
//! ```
//!
//! [`ActorServer::builder`] is for programs that have their settings from elsewhere, or a system of their own to run it in.

mod alerts;
mod commands;
mod configuration;
pub mod content;
mod hangups;
mod keys;
mod platforms;
pub mod preview;
mod program;
mod running;
mod starting;

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use tokio::runtime::{Builder as RuntimeBuilder, Handle, Runtime};
use uuid::Uuid;

pub use self::{
    commands::{BuiltInSkills, Migration, migrate, openapi, plan, serve},
    configuration::ConfigurationFiles,
    hangups::outlive_hangups,
    keys::{keys, token},
    program::Program,
};
use self::{configuration::FileSource, hangups::Hangups, keys::Locks};
use crate::{
    actors::{alerting::Alerting, door::Door, env::Platforms, gauges},
    clock::Clock,
    config::{Problems, Settings},
    domain::run::ReplicaId,
    http::listeners::BindError,
    platforms::ContentPoster,
    skills::{Skill, SkillSet, Tools},
    store::{Replica, StoreError},
    telemetry::{collector, metrics::Metrics},
};
pub use crate::{
    domain::plan::{Change, ChangeKind, Plan},
    http::auth::{NewToken, Role},
};

/// Why the server ended, or could not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store cannot be used, and waiting would not help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// The configuration has problems.
    #[error("{0}")]
    Configuration(Problems),
    /// A part could not be built.
    #[error("{0}")]
    Build(String),
    /// A core actor could not be kept alive.
    #[error("{0}")]
    GivenUp(String),
    /// A second signal came while the server stopped.
    #[error(
        "stopped at once by a second signal; runs at work will be closed as abandoned at the next start"
    )]
    Interrupted,
    /// The process stopped with results that it could not store.
    #[error(
        "{0} results could not be stored; their runs will be closed as abandoned at the next start"
    )]
    Unstored(usize),
}

/// A server that is ready to run.
pub struct ActorServer {
    settings: Settings,
    skills: SkillSet,
    platforms: Platforms,
    threads: BotThreads,
    metrics: Metrics,
    locks: Locks,
    alerting: Alerting,
    me: Replica,
    /// Where a reload reads.
    source: Option<FileSource>,
    hangups: Hangups,
}

/// What a server is built from.
pub struct Builder {
    settings: Settings,
    skills: SkillSet,
    platforms: Vec<Arc<dyn ContentPoster>>,
    files: Option<ConfigurationFiles>,
}

impl Builder {
    /// Adds a skill, or puts one in the place of a built-in.
    #[must_use]
    pub fn skill(mut self, skill: impl Skill) -> Self {
        self.skills = self.skills.with(skill);
        self
    }

    /// Adds a platform, or puts one in the place of a built-in of the same name.
    #[must_use]
    pub fn platform(mut self, platform: impl ContentPoster) -> Self {
        self.platforms.push(Arc::new(platform));
        self
    }

    /// The settings come from these files, and a reload reads them again.
    #[must_use]
    pub fn files(self, files: ConfigurationFiles) -> Self {
        let files = Some(files);
        Self { files, ..self }
    }

    /// Builds the server; connects to nothing yet.
    ///
    /// # Errors
    /// A platform's settings cannot be used, or the machine gives no threads.
    pub fn build(self) -> Result<ActorServer, AppError> {
        let Self {
            settings,
            skills,
            platforms,
            files,
        } = self;
        let built_in = platforms::built_in(&settings)?;
        let own = platforms.iter().map(|own| own.platform().to_owned());
        let own = own.collect();
        let platforms = platforms.into_iter().fold(built_in, Platforms::with);
        let me = Replica {
            id: ReplicaId::new(&Uuid::new_v4().to_string()),
            address: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: Clock::process().now(),
        };
        let threads = BotThreads::start(settings.server.max_parallel_tasks)?;
        let metrics = match settings.http.metrics {
            Some(_) => Metrics::new(
                &settings.metrics.namespace,
                settings.metrics.max_actor_labels,
            ),
            None => Metrics::off(),
        };
        let locks = Locks::new(&settings.auth)?;
        let alerting = alerts::alerting(&settings)?;
        let source = files.map(|files| FileSource {
            files,
            skills: skills.clone(),
            own,
            keys: locks.prepare(),
            in_force: Arc::new(Mutex::new(settings.clone())),
        });
        Ok(ActorServer {
            settings,
            skills,
            platforms,
            threads,
            metrics,
            locks,
            alerting,
            me,
            source,
            hangups: Hangups::default(),
        })
    }
}

/// What built-in skills may use of the world.
fn tools(settings: &Settings) -> Tools {
    Tools {
        outbound: platforms::outbound(settings),
        allow_commands: settings.outbound.allow_commands.clone().into(),
    }
}

/// The threads of bot work: one for each attempt, beyond those that drive connections and timers. A thread that never
/// comes back does not keep the process from ending.
struct BotThreads(Option<Runtime>);

impl BotThreads {
    fn start(max_parallel_tasks: usize) -> Result<Self, AppError> {
        /// Threads that skills which never yield may hold before they hold up others.
        const SPARE: usize = 512;
        RuntimeBuilder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().max(2)))
            .max_blocking_threads(max_parallel_tasks.saturating_add(SPARE))
            .thread_name("bots")
            .on_thread_start(stand_back)
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|error| AppError::Build(format!("cannot start threads: {error}")))
    }

    /// `None` once they are gone.
    fn handle(&self) -> Option<Handle> {
        self.0.as_ref().map(|runtime| runtime.handle().clone())
    }
}

/// Bots' work stands back behind the actors': when there is more to do than processors, slots still start on time, and a
/// bot that spins takes nothing from them.
fn stand_back() {
    /// Nice levels run to 19; this one leaves a thread a third of the share of another.
    const NICER: i32 = 5;
    if let Err(error) = rustix::process::setpriority_process(None, NICER) {
        tracing::debug!(%error, "the threads of bots have the priority of all others");
    }
}

impl Drop for BotThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl ActorServer {
    /// A server with the built-in skills and platforms.
    #[must_use]
    pub fn builder(settings: Settings) -> Builder {
        Builder {
            skills: SkillSet::built_in_with(&tools(&settings)),
            settings,
            platforms: Vec::new(),
            files: None,
        }
    }

    /// Runs until `stop` is ready, then stops in order. Must be called inside an actix system.
    ///
    /// # Errors
    /// The server could not start, could not be kept alive, or could not store everything.
    pub async fn run_until_stopped(
        mut self,
        stop: impl Future<Output = ()>,
    ) -> Result<(), AppError> {
        tokio::pin!(stop);
        let grace = self.settings.server.shutdown_grace;
        let door = Door::default();
        self.count_from_zero();
        let collector = self.collector();
        let mut listeners = self.listen(&door)?;
        let hangups = self.hangups.clone();
        // Dropped last: whatever still runs ends with it.
        let (env, _threads) = tokio::select! {
            biased;
            () = &mut stop => {
                listeners.close().await;
                return Ok(());
            }
            started = self.start(&door) => started?,
        };
        let reloading = actix_rt::spawn(hangups.clone().serve(Arc::clone(&env)));
        let read = || gauges::keep_reading(Arc::clone(&env), collector::EVERY);
        let reading = env.metrics.is_on().then(|| actix_rt::spawn(read()));
        let stop = async {
            stop.await;
            hangups.close();
        };
        let result = running::supervise(&env, grace, stop).await;
        reloading.abort();
        reading.inspect(|reading| reading.abort());
        drop(collector);
        listeners.close_api().await;
        running::close(&env).await;
        listeners.close().await;
        result
    }
}
