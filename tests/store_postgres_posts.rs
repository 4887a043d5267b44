//! Posts that are left when a run is over: which of several processes on one PostgreSQL sends them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/postgres.rs"]
mod postgres;

use std::time::Duration;

use actor_server::{
    clock::Clock,
    domain::run::ExecutionId,
    store::{Replica, StatePersistence, Write, Written, postgres::PostgresStore},
};
use ledger::{at, claim, claimed, finish, post, register, replica, start};
use postgres::TestDatabase;

/// A lease that ends only when a test says so.
const LEASE: Duration = Duration::from_secs(600);

async fn open(url: &str, id: &str) -> PostgresStore {
    PostgresStore::open_with_lease(url, &replica(id), Clock::database(), LEASE)
        .await
        .unwrap()
}

async fn write(store: &PostgresStore, me: &str, write: Write) -> Written {
    let mut written = store.write(&replica(me).id, &[write]).await.unwrap();
    written.remove(0)
}

async fn claim_first(store: &PostgresStore, me: &str) -> ExecutionId {
    write(store, me, register("a")).await;
    claimed(&write(store, me, claim("a", 0)).await)
}

/// How many posts are left to this process, which is alive.
async fn unsent(store: &PostgresStore, me: &Replica) -> usize {
    store.beat(me).await.unwrap();
    store.unsent_posts().await.unwrap().len()
}

#[tokio::test]
async fn posts_that_are_left_belong_to_one_process_at_a_time() {
    let database = TestDatabase::create();
    let started = |id, minute| Replica {
        started_at: at(minute),
        ..replica(id)
    };
    let processes = [
        started("young", 3),
        started("ran", 2),
        started("also-old", 1),
        started("zold", 1),
    ];
    let mut stores = Vec::new();
    for me in &processes {
        stores.push(open(&database.url(), me.id.as_str()).await);
    }
    // Registered at the opening with another start.
    database.sql("DELETE FROM actor_server_replicas");
    let left = async || {
        for (store, me) in stores.iter().zip(&processes) {
            store.beat(me).await.unwrap();
        }
        let mut left = Vec::new();
        for (store, me) in stores.iter().zip(&processes) {
            left.push(unsent(store, me).await);
        }
        left
    };
    let ran = &stores[1];
    let run = claim_first(ran, "ran").await;
    write(ran, "ran", start("a", run)).await;
    write(ran, "ran", post("a", run, "hello")).await;
    assert_eq!(left().await, [0, 0, 0, 0], "the run sends it");
    write(ran, "ran", finish("a", run)).await;
    assert_eq!(left().await, [0, 1, 0, 0], "its process is alive");
    database.sql("UPDATE actor_server_executions SET replica = 'nobody'");
    assert_eq!(left().await, [0, 0, 1, 0], "the oldest, by id");
    database.sql("DELETE FROM actor_server_executions");
    assert_eq!(left().await, [0, 0, 1, 0], "the same without the row");
}

#[tokio::test]
async fn posts_go_over_to_another_process_when_the_lease_of_their_own_runs_out() {
    let database = TestDatabase::create();
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    let run = claim_first(&one, "one").await;
    write(&one, "one", start("a", run)).await;
    write(&one, "one", post("a", run, "hello")).await;
    write(&one, "one", finish("a", run)).await;
    one.beat(&replica("one")).await.unwrap();
    assert_eq!(unsent(&two, &replica("two")).await, 0);
    database.sql(
        "UPDATE actor_server_replicas SET last_seen = last_seen - interval '1 hour' WHERE id = 'one'",
    );
    assert_eq!(one.unsent_posts().await.unwrap().len(), 0);
    assert_eq!(unsent(&two, &replica("two")).await, 1);
    assert_eq!(unsent(&one, &replica("one")).await, 1);
    assert_eq!(unsent(&two, &replica("two")).await, 0);
}
