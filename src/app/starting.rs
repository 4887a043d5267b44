//! From settings to everything that the actors need: the store, however long it is away, and the bots in it.

use std::{future::Future, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{runtime::Handle, sync::Semaphore};

use super::{ActorServer, AppError, BotThreads};
use crate::{
    actors::{
        env::{Env, Rules},
        leftovers::Leftovers,
        persistence::WriteQueue,
        registering,
        runs::Runs,
        supervision::Exits,
    },
    config::Settings,
    store::{self, StoreError},
};

/// The first and the longest wait for a store that is away.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl ActorServer {
    /// Opens the store and registers the bots.
    pub(super) async fn start(self) -> Result<(Arc<Env>, BotThreads), AppError> {
        let Self {
            settings,
            skills,
            platforms,
            threads,
            me,
        } = self;
        let runtime = threads
            .handle()
            .ok_or_else(|| AppError::Build("the threads are gone".into()))?;
        let url = &settings.server.database_url;
        let (clock, store) = patiently(&runtime, "the database cannot be opened", || {
            let (url, me) = (url.clone(), me.clone());
            async move { store::open(url.expose_secret(), &me).await }
        })
        .await?;
        let env = Arc::new(Env {
            me,
            clock,
            store,
            queue: WriteQueue::new(settings.server.results_in_memory),
            book: Default::default(),
            runs: Runs::default(),
            leftovers: Leftovers::default(),
            places: Arc::new(Semaphore::new(settings.server.max_parallel_tasks)),
            skills,
            platforms,
            runtime: runtime.clone(),
            exits: Exits::default(),
            rules: rules(&settings),
            bots: settings
                .bots
                .into_iter()
                .map(|bot| (bot.name.clone(), bot))
                .collect(),
        });
        patiently(&runtime, "the bots cannot be registered", || {
            registering::prepare(Arc::clone(&env))
        })
        .await?;
        tracing::info!(bots = env.bots.len(), version = env.me.version, replica = %env.me.id, "ready");
        Ok((env, threads))
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        check_interval: settings.server.check_interval,
        max_consecutive_failures: settings.server.max_consecutive_failures,
        max_parallel_tasks: settings.server.max_parallel_tasks,
        supervision: settings.supervision,
        health_interval: settings.health_interval,
        retention: settings.retention,
    }
}

/// Does `work` until it is done, or fails for a reason that will not pass.
async fn patiently<T, F>(
    runtime: &Handle,
    trouble: &str,
    work: impl Fn() -> F,
) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let (mut wait, longest) = WAITS;
    loop {
        let done = runtime.spawn(work()).await;
        match done.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string()))) {
            Err(error) if error.is_transient() => {
                tracing::error!(%error, wait_ms = wait.as_millis(), "{trouble}; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(longest);
            }
            done => return done,
        }
    }
}
