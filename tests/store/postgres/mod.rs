//! PostgreSQL under the suite: each case gets a database of its own on the cluster of `scripts/with-postgres`.

mod sharing;

use std::{sync::Arc, time::Duration};

use actor_server::{
    clock::Clock,
    domain::{
        outcome::Status,
        run::{ExecutionId, ReplicaId},
    },
    store::{Start, StatePersistence, Write, Written, postgres::PostgresStore},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::{sync::OnceCell, task::JoinHandle, time::sleep};

use crate::{
    cluster::TestDatabase,
    fixture::{Fixture, replica},
    process::{ending, outcome, slot, starting},
};

/// Long enough for what a case does between two heartbeats, short enough to wait for.
const LEASE: Duration = Duration::from_secs(1);

/// A store on an empty database.
pub(crate) struct PostgresFixture {
    store: Arc<PostgresStore>,
    /// Beats on, once a case has needed it.
    heart: OnceCell<JoinHandle<()>>,
    database: TestDatabase,
}

impl Drop for PostgresFixture {
    fn drop(&mut self) {
        if let Some(heart) = self.heart.get() {
            heart.abort();
        }
    }
}

impl PostgresFixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create();
        let me = replica("undertaker");
        let store = PostgresStore::open_with_lease(&database.url(), &me, Clock::process(), LEASE)
            .await
            .unwrap();
        store.sign_off(&me.id).await.unwrap();
        Self {
            store: Arc::new(store),
            heart: OnceCell::new(),
            database,
        }
    }
}

impl PostgresFixture {
    async fn beat_for_a_lease(&self) -> JoinHandle<()> {
        let store = Arc::clone(&self.store);
        let heart = tokio::spawn(async move {
            while store.beat(&replica("undertaker")).await.is_ok() {
                sleep(LEASE / 10).await;
            }
        });
        sleep(LEASE + LEASE / 5).await;
        heart
    }
}

#[async_trait]
impl Fixture for PostgresFixture {
    fn store(&self) -> Arc<dyn StatePersistence> {
        self.store.clone()
    }

    async fn kill(&self, process: &ReplicaId) {
        self.database.sql(&format!(
            "UPDATE actor_server_replicas SET last_seen = last_seen - interval '1 hour' WHERE id = '{process}'"
        ));
    }

    async fn backdate(&self, row: ExecutionId, seconds: i64) {
        self.database.sql(&format!(
            "UPDATE actor_server_executions SET created_at = clock_timestamp() - interval '{seconds} seconds' WHERE id = {row}"
        ));
    }

    /// Only a process whose own heartbeat has been regular for a lease may find others dead; all processes of a case
    /// share one store, and so one heartbeat.
    async fn age(&self, _process: &ReplicaId) {
        self.heart.get_or_init(|| self.beat_for_a_lease()).await;
    }
}

/// A process stamps a start before it asks; another may end its run in between.
#[actix_rt::test]
async fn a_start_is_not_before_the_end_of_the_run_that_it_came_after() {
    let fixture = PostgresFixture::new().await;
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let run = a.claim(&bot, 0).await;
    a.write(Write::Start(starting(run, &bot, slot(0)))).await;
    let next = b.claim(&bot, 1).await;
    a.write(ending(run, &bot, 0, outcome(Status::Succeeded)))
        .await;
    let (asked, end) = (
        slot(0) + TimeDelta::milliseconds(499),
        slot(0) + TimeDelta::milliseconds(500),
    );
    let start = Write::Start(Start {
        exclusive: true,
        ..starting(next, &bot, asked)
    });
    for _ in 0..2 {
        match b.write(start.clone()).await {
            Written::Started { at, .. } => assert_eq!(at, end),
            other => panic!("{other:?}"),
        }
    }
    let (row, state) = (b.row(&bot, next).await, b.state(&bot).await);
    assert_eq!((row.started_at, state.last_run), (Some(end), Some(end)));
    assert_eq!(state.runs, 2);
}
