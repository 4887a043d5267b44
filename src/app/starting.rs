//! From settings to everything that the actors need: the store, however long it is away, and the bots in it.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{runtime::Handle, sync::Semaphore};

use super::{ActorServer, AppError, BotThreads, configuration};
use crate::{
    actors::{
        address_book::AddressBook,
        alarms::Alarms,
        audit::AuditQueue,
        board::Board,
        breakers::Breakers,
        configuration::Configuration,
        door::Door,
        env::{Env, Rules},
        gauges,
        lanes::Lanes,
        leftovers::Leftovers,
        news::News,
        persistence::WriteQueue,
        reading::Readers,
        registering,
        runs::Runs,
        supervision::Exits,
        turns::Turns,
    },
    clock::Clock,
    config::Settings,
    http::{
        Shared,
        listeners::{Addresses, Bound, Listeners},
        press::Press,
    },
    store::{self, DatabaseUrl, StatePersistence, StoreError},
    telemetry::{
        collector::{self, Collector, Sources},
        metrics::downstreams::{DATABASE, DownstreamMetrics},
    },
};

/// The first and the longest wait for a store that is away.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What opening the store gives.
type Opened = (Clock, Arc<dyn StatePersistence>);

impl ActorServer {
    /// Listens, before anything else is there: probes are answered from the first moment on.
    pub(super) fn listen(&mut self, door: &Door) -> Result<Listeners, AppError> {
        let http = &self.settings.http;
        let bound = Bound::bind(Addresses {
            api: http.api,
            health: http.health,
            metrics: http.metrics,
            rate_limit_per_second: http.rate_limit_per_second,
            cors_origins: http.cors_origins.clone(),
        })?;
        self.me.address = bound.api().map(|api| api.to_string()).unwrap_or_default();
        let shared = Shared {
            door: door.clone(),
            guard: self.locks.guard.clone(),
            signatures: self.locks.signatures.clone(),
            metrics: self.metrics.clone(),
            press: Press::default(),
            clock: Clock::process(),
        };
        let serving = bound.serve(&shared);
        serving.map_err(|error| AppError::Build(format!("cannot serve HTTP: {error}")))
    }

    /// Whoever scrapes before the store is there sees every bot, and that the database is away.
    pub(super) fn count_from_zero(&self) {
        gauges::begin(
            &self.metrics,
            self.settings.bots.iter().map(|bot| &bot.name),
        );
    }

    /// Reads what this process uses of the machine, if anybody may ask; the disk is that of the database file.
    pub(super) fn collector(&self) -> Option<Collector> {
        let url = self.settings.server.database_url.expose_secret();
        let path = match DatabaseUrl::parse(url) {
            Ok(DatabaseUrl::Sqlite(path)) => path,
            _ => PathBuf::from("."),
        };
        let sources = || Sources::of_this_process(&path);
        let system = &self.metrics.system;
        self.metrics
            .is_on()
            .then(|| Collector::start(system.clone(), sources(), collector::EVERY))
    }

    /// Opens the store and registers the bots.
    pub(super) async fn start(self, door: &Door) -> Result<(Arc<Env>, BotThreads), AppError> {
        let gone = || AppError::Build("the threads are gone".into());
        let runtime = self.threads.handle().ok_or_else(gone)?;
        let (url, me) = (&self.settings.server.database_url, &self.me);
        let downstreams = self.metrics.downstreams.clone();
        let open = || {
            let (url, me) = (url.clone(), me.clone());
            async move { store::open(url.expose_secret(), &me).await }
        };
        let trouble = "the database cannot be opened";
        let opened = patiently(&runtime, &downstreams, trouble, open).await?;
        door.vitals().set_database(true);
        let (env, threads) = self.environment(opened, &runtime, door);
        let register = || registering::prepare(Arc::clone(&env));
        let trouble = "the bots cannot be registered";
        patiently(&runtime, &downstreams, trouble, register).await?;
        let (bots, version) = (env.in_force().bots.len(), &env.me.version);
        door.open(Arc::clone(&env));
        tracing::info!(bots, version, replica = %env.me.id, "ready");
        Ok((env, threads))
    }

    fn environment(
        self,
        (clock, store): Opened,
        runtime: &Handle,
        door: &Door,
    ) -> (Arc<Env>, BotThreads) {
        let settings = self.settings;
        let shown = configuration::drawn_from(settings.clone());
        let most = settings.server.max_consecutive_failures;
        let mut configuration = Configuration::new(settings.bots.clone(), most).showing(shown);
        if let Some(source) = self.source {
            configuration = configuration.read_from(Arc::new(source));
        }
        let board = Board::default();
        let alarms = Alarms::default();
        alarms.switch(self.alerting.is_on());
        let env = Env {
            me: self.me,
            clock,
            store,
            queue: WriteQueue::new(settings.server.results_in_memory),
            audit: AuditQueue::default(),
            book: AddressBook::new(self.metrics.actors.clone()),
            runs: Runs::on(board.clone()),
            board,
            turns: Turns::default(),
            readers: Readers::default(),
            lanes: Lanes::default(),
            leftovers: Leftovers::default(),
            breakers: Breakers::over(self.platforms.clone(), settings.breaker),
            places: Arc::new(Semaphore::new(settings.server.max_parallel_tasks)),
            skills: self.skills,
            platforms: self.platforms,
            runtime: runtime.clone(),
            exits: Exits::default(),
            vitals: door.vitals().clone(),
            alarms,
            alerting: self.alerting,
            metrics: self.metrics,
            news: News::default(),
            rules: rules(&settings),
            configuration,
        };
        (Arc::new(env), self.threads)
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        check_interval: settings.server.check_interval,
        max_parallel_tasks: settings.server.max_parallel_tasks,
        supervision: settings.supervision,
        health_interval: settings.health_interval,
        retention: settings.retention,
    }
}

/// Does `work` until it is done, or fails for a reason that will not pass. Metrics say meanwhile that the database is away.
async fn patiently<T, F>(
    runtime: &Handle,
    downstreams: &DownstreamMetrics,
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
                downstreams.hear_of(DATABASE, false);
                tracing::error!(%error, wait_ms = wait.as_millis(), "{trouble}; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(longest);
            }
            done => {
                downstreams.hear_of(DATABASE, done.is_ok());
                return done;
            }
        }
    }
}
