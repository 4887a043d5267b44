//! What actors stand on in these tests: a store, a platform that answers as it is told, threads for bot work.

use std::{fmt::Debug, path::Path, sync::Arc, time::Duration};

use actor_server::{
    actors::{
        address_book::AddressBook,
        alerting::Alerting,
        board::Board,
        configuration::{Configuration, ConfigurationSource},
        env::{CONSOLE, Env, Platforms, Rules},
        persistence::WriteQueue,
        registering,
        runs::Runs,
        supervision::Exits,
    },
    clock::Clock,
    domain::{bot::Bot, post::Post, restart::RestartPolicy, run::ReplicaId},
    platforms::{ContentPoster, PostFailure, Receipt, stub::StubPlatform},
    skills::SkillSet,
    store::{self, Replica, StatePersistence},
};
use async_trait::async_trait;
use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
    time::Instant as Monotonic,
};
use uuid::Uuid;

use super::troubled::Troubled;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F>(what: &str, ask: impl Fn() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Monotonic::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Monotonic::now() < end, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks again until the answer is the right one.
pub(crate) async fn becomes<T: PartialEq + Debug>(right: T, ask: impl Fn() -> T) {
    let end = Monotonic::now() + PATIENCE;
    loop {
        let answer = ask();
        if answer == right {
            return;
        }
        assert!(
            Monotonic::now() < end,
            "still {answer:?}, and not {right:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a server is made of.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) bots: Vec<Bot>,
    pub(crate) skills: SkillSet,
    pub(crate) platform: StubPlatform,
    pub(crate) rules: Rules,
    pub(crate) max_consecutive_failures: u32,
    pub(crate) results_in_memory: usize,
    pub(crate) source: Option<Arc<dyn ConfigurationSource>>,
    pub(crate) alerting: Alerting,
}

impl Setting {
    pub(crate) fn of(bots: impl IntoIterator<Item = Bot>) -> Self {
        Self {
            bots: bots.into_iter().collect(),
            skills: super::bots::deeds(),
            platform: StubPlatform::new(),
            rules: RULES,
            max_consecutive_failures: 5,
            results_in_memory: 1000,
            source: None,
            alerting: Alerting::default(),
        }
    }
}

/// The defaults, but nobody waits a minute for anything.
const RULES: Rules = Rules {
    check_interval: Duration::from_millis(500),
    max_parallel_tasks: 8,
    supervision: RestartPolicy {
        max_restarts: 5,
        window: Duration::from_secs(60),
        min_backoff: Duration::from_millis(10),
        max_backoff: Duration::from_millis(100),
    },
    health_interval: Duration::from_millis(500),
    retention: Duration::from_secs(86_400),
};

/// Everything that outlives actors.
pub(crate) struct Stand {
    pub(crate) env: Arc<Env>,
    /// What is between the actors and their store, if the store is a real one.
    pub(crate) line: Option<Troubled>,
    threads: Option<Runtime>,
}

impl Stand {
    /// On a SQLite file in this folder, with all bots registered.
    pub(crate) async fn on(folder: &Path, setting: Setting) -> Self {
        Self::at(format!("sqlite://{}/bots.db", folder.display()), setting).await
    }

    /// The same on any database.
    pub(crate) async fn at(url: String, setting: Setting) -> Self {
        let (me, threads) = (replica(), threads());
        let opening = {
            let me = me.clone();
            threads.spawn(async move { store::open(&url, &me).await })
        };
        let (clock, store) = opening.await.unwrap().unwrap();
        let line = Troubled::new(store);
        let mut stand = Self::around(Arc::new(line.clone()), setting, me, clock, threads);
        stand.line = Some(line);
        registering::prepare(Arc::clone(&stand.env)).await.unwrap();
        stand
    }

    /// On any store; nothing is registered.
    pub(crate) fn over(store: impl StatePersistence, setting: Setting) -> Self {
        let (me, clock) = (replica(), Clock::process());
        Self::around(Arc::new(store), setting, me, clock, threads())
    }

    fn around(
        store: Arc<dyn StatePersistence>,
        setting: Setting,
        me: Replica,
        clock: Clock,
        threads: Runtime,
    ) -> Self {
        let bots = setting.bots.into_iter().map(Arc::new);
        let mut configuration = Configuration::new(bots, setting.max_consecutive_failures);
        if let Some(source) = setting.source {
            configuration = configuration.read_from(source);
        }
        let metrics = actor_server::telemetry::metrics::Metrics::default();
        let board = Board::default();
        let env = Env {
            breakers: actor_server::actors::breakers::Breakers::new(Default::default()),
            vitals: actor_server::actors::vitals::Vitals::default(),
            news: actor_server::actors::news::News::default(),
            me,
            clock,
            store,
            queue: WriteQueue::new(setting.results_in_memory),
            audit: Default::default(),
            alarms: Default::default(),
            alerting: setting.alerting,
            book: AddressBook::new(metrics.actors.clone()),
            metrics,
            runs: Runs::on(board.clone()),
            board,
            turns: Default::default(),
            readers: Default::default(),
            lanes: Default::default(),
            leftovers: Default::default(),
            places: Arc::new(Semaphore::new(setting.rules.max_parallel_tasks)),
            skills: setting.skills,
            platforms: Platforms::default().with(Arc::new(AsConsole(setting.platform))),
            runtime: threads.handle().clone(),
            exits: Exits::default(),
            rules: setting.rules,
            configuration,
        };
        Self {
            env: Arc::new(env),
            line: None,
            threads: Some(threads),
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

fn threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn replica() -> Replica {
    Replica {
        id: ReplicaId::new(&Uuid::new_v4().to_string()),
        address: String::new(),
        version: "0.1.0".into(),
        started_at: Clock::process().now(),
    }
}

/// The stub in the place of the console, where bots without a channel post.
pub(crate) struct AsConsole(pub(crate) StubPlatform);

#[async_trait]
impl ContentPoster for AsConsole {
    fn platform(&self) -> &'static str {
        CONSOLE
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        self.0.post(post).await
    }
}
