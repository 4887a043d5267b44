//! The composition root: builds store, platforms, skills and actors, in order, and runs them until stopped.
//!
//! Programs that embed the library start here too, with skills and platforms of their own:
//!
//! ```no_run
//! # fn settings() -> actor_server::config::Settings { unimplemented!() }
//! # async fn example() -> Result<(), actor_server::app::AppError> {
//! use actor_server::{app::ActorServer, platforms::stub::StubPlatform};
//!
//! let server = ActorServer::builder(settings()).platform(StubPlatform::new()).build()?;
//! server.run_until_stopped(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await
//! # }
//! ```

use std::{future::Future, sync::Arc, time::Duration};

use actix::Addr;
use secrecy::ExposeSecret;
use tokio::{
    runtime::{Builder as RuntimeBuilder, Runtime},
    sync::{Semaphore, watch},
};
use uuid::Uuid;

use crate::{
    actors::{
        coordinator::CoordinatorActor,
        env::{Env, Platforms, Rules},
        messages::Stop,
        persistence::WriteQueue,
        registering,
        roster::Roster,
        runs::Runs,
        supervision::{Child, Exits, spawn},
    },
    clock::Clock,
    config::Settings,
    domain::{
        restart::{RestartBudget, Verdict},
        run::ReplicaId,
    },
    platforms::{ContentPoster, console::Console},
    skills::{Skill, SkillSet},
    store::{Replica, StatePersistence, StoreError},
};

/// Why the server ended, or could not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store cannot be used, and waiting would not help.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    runtime: Runtime,
    me: Replica,
}

/// What a server is built from.
pub struct Builder {
    settings: Settings,
    skills: SkillSet,
    platforms: Vec<Arc<dyn ContentPoster>>,
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

    /// Builds the server; connects to nothing yet.
    ///
    /// # Errors
    /// A platform's settings cannot be used, or the machine gives no threads.
    pub fn build(self) -> Result<ActorServer, AppError> {
        let mut platforms = built_in_platforms(&self.settings)?;
        for platform in self.platforms {
            platforms = platforms.with(platform);
        }
        let me = Replica {
            id: ReplicaId::new(&Uuid::new_v4().to_string()),
            address: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: Clock::process().now(),
        };
        let runtime = runtime(self.settings.server.max_parallel_tasks)?;
        Ok(ActorServer {
            settings: self.settings,
            skills: self.skills,
            platforms,
            runtime,
            me,
        })
    }
}

fn built_in_platforms(settings: &Settings) -> Result<Platforms, AppError> {
    let platforms = Platforms::default().with(Arc::new(Console::stdout()));
    #[cfg(feature = "discord")]
    if let Some(token) = &settings.discord.token {
        use crate::platforms::discord::{Discord, DiscordOptions};
        let options = DiscordOptions::new(settings.discord.api_url.clone(), token.clone());
        return Ok(platforms.with(Arc::new(Discord::new(options).map_err(AppError::Build)?)));
    }
    Ok(platforms)
}

/// Bot work has threads of its own: one for each attempt, beyond those that drive connections and timers.
fn runtime(max_parallel_tasks: usize) -> Result<Runtime, AppError> {
    /// Threads that skills which never yield may hold before they hold up others.
    const SPARE: usize = 512;
    RuntimeBuilder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().max(2)))
        .max_blocking_threads(max_parallel_tasks + SPARE)
        .thread_name("bots")
        .enable_all()
        .build()
        .map_err(|error| AppError::Build(format!("cannot start threads: {error}")))
}

impl ActorServer {
    /// A server with the built-in skills and platforms.
    #[must_use]
    pub fn builder(settings: Settings) -> Builder {
        Builder {
            settings,
            skills: SkillSet::built_in(),
            platforms: Vec::new(),
        }
    }

    /// Runs until `stop` is ready, then stops in order. Must be called inside an actix system.
    ///
    /// # Errors
    /// The server could not start, could not be kept alive, or could not store everything.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        tokio::pin!(stop);
        let Self {
            settings,
            skills,
            platforms,
            runtime,
            me,
        } = self;
        let result = tokio::select! {
            biased;
            () = &mut stop => Ok(None),
            env = start(&settings, skills, platforms, &runtime, me) => env.map(Some),
        };
        let result = match result {
            Ok(Some(env)) => {
                let grace = settings.server.shutdown_grace;
                let result = supervise(&env, grace, stop).await;
                close(&env).await;
                result
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        runtime.shutdown_background();
        result
    }
}

/// Opens the store, however long that takes, and prepares everything that the actors need.
async fn start(
    settings: &Settings,
    skills: SkillSet,
    platforms: Platforms,
    runtime: &Runtime,
    me: Replica,
) -> Result<Arc<Env>, AppError> {
    let mut wait = Duration::from_millis(100);
    let (clock, store) = loop {
        match open(settings, runtime, me.clone()).await {
            Ok(opened) => break opened,
            Err(error) if error.is_transient() => {
                tracing::error!(%error, wait_ms = wait.as_millis(), "the database cannot be opened; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
            Err(error) => return Err(error.into()),
        }
    };
    let env = Arc::new(Env {
        me,
        clock,
        store,
        queue: WriteQueue::new(settings.server.results_in_memory),
        book: Default::default(),
        runs: Runs::default(),
        places: Arc::new(Semaphore::new(settings.server.max_parallel_tasks)),
        skills,
        platforms,
        runtime: runtime.handle().clone(),
        exits: Exits::default(),
        rules: rules(settings),
        bots: settings.bots.clone(),
    });
    prepare(&env).await?;
    tracing::info!(bots = env.bots.len(), version = env.me.version, replica = %env.me.id, "ready");
    Ok(env)
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        check_interval: settings.server.check_interval,
        max_consecutive_failures: settings.server.max_consecutive_failures,
        max_parallel_tasks: settings.server.max_parallel_tasks,
        supervision: settings.supervision,
        health_interval: settings.health_interval,
    }
}

async fn open(
    settings: &Settings,
    runtime: &Runtime,
    me: Replica,
) -> Result<(Clock, Arc<dyn StatePersistence>), StoreError> {
    let url = settings.server.database_url.clone();
    let opened = runtime.spawn(async move { crate::store::open(url.expose_secret(), &me).await });
    opened
        .await
        .unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
}

async fn prepare(env: &Arc<Env>) -> Result<(), AppError> {
    let mut wait = Duration::from_millis(100);
    loop {
        let inner = Arc::clone(env);
        let prepared = env
            .runtime
            .spawn(async move { registering::prepare(&inner).await })
            .await;
        match prepared.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string()))) {
            Ok(()) => return Ok(()),
            Err(error) if error.is_transient() => {
                tracing::error!(%error, wait_ms = wait.as_millis(), "the bots cannot be registered; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Keeps the coordinator alive, as it keeps its children, until the stop.
async fn supervise(
    env: &Arc<Env>,
    grace: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), AppError> {
    tokio::pin!(stop);
    let (roster, exits, born) = (
        Roster::new(env.rules.supervision),
        Exits::default(),
        tokio::time::Instant::now(),
    );
    let (fatal, mut given_up) = watch::channel(None);
    let (fatal, mut budget, mut incarnation) = (Arc::new(fatal), RestartBudget::default(), 0);
    loop {
        incarnation += 1;
        let (parts, arbiter) = (
            (Arc::clone(env), roster.clone(), Arc::clone(&fatal)),
            actix_rt::Arbiter::current(),
        );
        let coordinator = spawn(&arbiter, Child::Coordinator, incarnation, &exits, || {
            CoordinatorActor::new(parts.0, parts.1, parts.2)
        });
        tokio::select! {
            () = &mut stop => return stop_in_order(env, &coordinator, grace).await,
            Ok(reason) = given_up.wait_for(Option::is_some) => {
                let reason = reason.clone().unwrap_or_default();
                let _ = tokio::time::timeout(grace, env.queue.drained()).await;
                return Err(AppError::GivenUp(reason));
            }
            notice = exits.next() => match budget.died(born.elapsed(), &env.rules.supervision) {
                Verdict::Restart(wait) => {
                    tracing::error!(child = "coordinator", reason = %notice.exit, wait_ms = wait.as_millis(), "an actor died; it is restarted");
                    tokio::time::sleep(wait).await;
                }
                Verdict::GiveUp => return Err(AppError::GivenUp(format!("the coordinator actor cannot be kept alive: {}", notice.exit))),
            },
        }
    }
}

async fn stop_in_order(
    env: &Arc<Env>,
    coordinator: &Addr<CoordinatorActor>,
    grace: Duration,
) -> Result<(), AppError> {
    tracing::info!(runs = env.runs.len(), grace_s = grace.as_secs(), "stopping");
    let unstored = match coordinator.send(Stop { grace }).await {
        Ok(stopped) => stopped.unstored,
        Err(error) => {
            return Err(AppError::GivenUp(format!(
                "the coordinator died while stopping: {error}"
            )));
        }
    };
    if unstored > 0 {
        Err(AppError::Unstored(unstored))
    } else {
        Ok(())
    }
}

async fn close(env: &Arc<Env>) {
    let inner = Arc::clone(env);
    let closing = env.runtime.spawn(async move {
        if let Err(error) = inner.store.sign_off(&inner.me.id).await {
            tracing::warn!(%error, "this process could not be signed off");
        }
        inner.store.close().await;
    });
    let _ = tokio::time::timeout(Duration::from_secs(5), closing).await;
    tracing::info!("stopped");
}
