//! From settings to everything that the actors need: the store, however long it is away, and the bots in it.

use std::{future::Future, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{runtime::Handle, sync::Semaphore};

use super::{ActorServer, AppError, BotThreads};
use crate::{
    actors::{
        address_book::AddressBook,
        board::Board,
        env::{Env, Rules},
        leftovers::Leftovers,
        news::News,
        persistence::WriteQueue,
        reading::Readers,
        registering,
        runs::Runs,
        supervision::Exits,
        turns::Turns,
        vitals::Vitals,
    },
    clock::Clock,
    config::Settings,
    store::{self, StatePersistence, StoreError},
};

/// The first and the longest wait for a store that is away.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What opening the store gives.
type Opened = (Clock, Arc<dyn StatePersistence>);

impl ActorServer {
    /// Opens the store and registers the bots.
    pub(super) async fn start(self) -> Result<(Arc<Env>, BotThreads), AppError> {
        let gone = || AppError::Build("the threads are gone".into());
        let runtime = self.threads.handle().ok_or_else(gone)?;
        let (url, me) = (&self.settings.server.database_url, &self.me);
        let opened = patiently(&runtime, "the database cannot be opened", || {
            let (url, me) = (url.clone(), me.clone());
            async move { store::open(url.expose_secret(), &me).await }
        })
        .await?;
        let (env, threads) = self.environment(opened, &runtime);
        let register = || registering::prepare(Arc::clone(&env));
        patiently(&runtime, "the bots cannot be registered", register).await?;
        let (bots, version) = (env.bots.len(), &env.me.version);
        tracing::info!(bots, version, replica = %env.me.id, "ready");
        Ok((env, threads))
    }

    fn environment(self, (clock, store): Opened, runtime: &Handle) -> (Arc<Env>, BotThreads) {
        let settings = self.settings;
        let board = Board::default();
        let env = Env {
            me: self.me,
            clock,
            store,
            queue: WriteQueue::new(settings.server.results_in_memory),
            book: AddressBook::default(),
            runs: Runs::on(board.clone()),
            board,
            turns: Turns::default(),
            readers: Readers::default(),
            leftovers: Leftovers::default(),
            places: Arc::new(Semaphore::new(settings.server.max_parallel_tasks)),
            skills: self.skills,
            platforms: self.platforms,
            runtime: runtime.clone(),
            exits: Exits::default(),
            vitals: Vitals::default(),
            news: News::default(),
            rules: rules(&settings),
            bots: settings
                .bots
                .into_iter()
                .map(|bot| (bot.name.clone(), bot))
                .collect(),
        };
        (Arc::new(env), self.threads)
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
