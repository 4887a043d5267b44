//! Several processes on one PostgreSQL: who may run a slot, and what becomes of the runs of the dead.
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

use std::{collections::HashMap, sync::Arc, time::Duration};

use actor_server::{
    clock::Clock,
    domain::{outcome::Status, run::ExecutionId},
    store::{Rescued, StatePersistence, Write, Written, postgres::PostgresStore},
};
use ledger::{at, bot, claim, claimed, finish, post, register, replica, start};
use postgres::{TestCluster, TestDatabase};
use tokio::time::{Instant, sleep};

/// Short, so that tests are; a heartbeat is regular here if it comes twice in that time.
const LEASE: Duration = Duration::from_millis(800);

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

/// Beats as `me`, and rescues, until something is rescued.
async fn rescue(store: &PostgresStore, me: &str, again: &[&str]) -> Vec<Rescued> {
    let again: HashMap<_, _> = again.iter().map(|name| (bot(name), 2)).collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        store.beat(&replica(me)).await.unwrap();
        let rescued = store.rescue(&replica(me).id, &again, at(9)).await.unwrap();
        if !rescued.is_empty() {
            return rescued;
        }
        assert!(Instant::now() < deadline, "nothing was rescued");
        sleep(LEASE / 10).await;
    }
}

#[tokio::test]
async fn of_two_processes_that_claim_a_slot_at_once_exactly_one_gets_it() {
    let database = TestDatabase::create();
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    write(&one, "one", register("a")).await;
    for minute in 0..25 {
        let both = tokio::join!(
            write(&one, "one", claim("a", minute)),
            write(&two, "two", claim("a", minute))
        );
        let won = [both.0, both.1]
            .iter()
            .filter(|written| matches!(written, Written::Claimed(Some(_))))
            .count();
        assert_eq!(won, 1, "minute {minute}");
    }
    assert_eq!(
        database.sql("SELECT count(*), count(DISTINCT scheduled_for) FROM actor_server_executions"),
        "25|25"
    );
}

#[tokio::test]
async fn crossing_batches_of_many_bots_do_not_lock_each_other_out() {
    let database = TestDatabase::create();
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    let names: Vec<String> = (0..60).map(|n| format!("bot-{n}")).collect();
    let all: Vec<Write> = names.iter().map(|name| register(name)).collect();
    one.write(&replica("one").id, &all).await.unwrap();
    for minute in 0..10 {
        let forward: Vec<Write> = names.iter().map(|name| claim(name, minute)).collect();
        let backward: Vec<Write> = names.iter().rev().map(|name| claim(name, minute)).collect();
        let (one_id, two_id) = (replica("one").id, replica("two").id);
        let (a, b) = tokio::join!(one.write(&one_id, &forward), two.write(&two_id, &backward));
        let answers = a.unwrap().into_iter().chain(b.unwrap());
        let won = answers.filter(|written| matches!(written, Written::Claimed(Some(_))));
        assert_eq!(won.count(), names.len());
    }
}

#[tokio::test]
async fn two_processes_may_register_the_same_new_bots_at_once() {
    let database = TestDatabase::create();
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    let all: Vec<Write> = (0..200).map(|n| register(&format!("bot-{n}"))).collect();
    let (one_id, two_id) = (replica("one").id, replica("two").id);
    let (a, b) = tokio::join!(one.write(&one_id, &all), two.write(&two_id, &all));
    let both = a.unwrap().into_iter().zip(b.unwrap());
    for (a, b) in both {
        assert!(
            matches!(
                (&a, &b),
                (Written::State(_), Written::Stale(Some(_)))
                    | (Written::Stale(Some(_)), Written::State(_))
            ),
            "{a:?} {b:?}"
        );
    }
}

#[tokio::test]
async fn a_run_that_was_taken_over_is_lost_for_its_frozen_first_owner() {
    let database = TestDatabase::create();
    let frozen = open(&database.url(), "frozen").await;
    let run = claim_first(&frozen, "frozen").await;
    assert!(matches!(
        write(&frozen, "frozen", start("a", run)).await,
        Written::Started { .. }
    ));

    let other = open(&database.url(), "other").await;
    let rescued = rescue(&other, "other", &["a"]).await;
    let [Rescued::Again(again)] = rescued.as_slice() else {
        panic!("{rescued:?}");
    };
    assert_eq!(
        (again.execution, again.attempt, again.slot),
        (run, 2, Some(at(0)))
    );

    frozen.beat(&replica("frozen")).await.unwrap();
    for late in [start("a", run), post("a", run, "late"), finish("a", run)] {
        assert!(matches!(
            write(&frozen, "frozen", late).await,
            Written::Lost
        ));
    }
    let attempt = Write::Attempt {
        execution: run,
        attempt: 3,
        metadata: serde_json::json!({}),
    };
    assert!(matches!(
        write(&frozen, "frozen", attempt).await,
        Written::Lost
    ));
    assert_eq!(database.sql("SELECT count(*) FROM actor_server_posts"), "0");

    assert!(matches!(
        write(&other, "other", start("a", run)).await,
        Written::Started { .. }
    ));
    assert!(matches!(
        write(&other, "other", finish("a", run)).await,
        Written::Finished { .. }
    ));
    let row = &other.ledger(None, 9).await.unwrap()[0];
    assert_eq!(
        (row.status, row.replica.as_deref()),
        (Status::Succeeded, Some("other"))
    );
    assert_eq!(row.metadata["interrupted"][0]["replica"], "frozen");
}

#[tokio::test]
async fn a_started_run_of_a_dead_process_is_abandoned_and_a_waiting_claim_is_decided_anew() {
    let database = TestDatabase::create();
    let dead = open(&database.url(), "dead").await;
    let started = claim_first(&dead, "dead").await;
    write(&dead, "dead", start("a", started)).await;
    write(&dead, "dead", register("b")).await;
    write(&dead, "dead", claim("b", 0)).await;

    let other = open(&database.url(), "other").await;
    let rescued = rescue(&other, "other", &[]).await;
    assert_eq!(rescued.len(), 2, "{rescued:?}");
    assert_eq!(
        database.sql(
            "SELECT task_id, status, success, completed_at IS NOT NULL FROM actor_server_executions"
        ),
        "a|abandoned|f|t"
    );
    let states = other.states().await.unwrap();
    assert_eq!(states[0].next_run, Some(at(1)));
    assert_eq!(states[0].consecutive_failures, 0);
    assert_eq!(states[1].next_run, Some(at(0)));
}

#[tokio::test]
async fn a_process_that_beats_is_never_robbed() {
    let database = TestDatabase::create();
    let (alive, other) = (
        open(&database.url(), "alive").await,
        open(&database.url(), "other").await,
    );
    let run = claim_first(&alive, "alive").await;
    let end = Instant::now() + LEASE * 5;
    while Instant::now() < end {
        assert_eq!(alive.beat(&replica("alive")).await.unwrap().replicas, 2);
        other.beat(&replica("other")).await.unwrap();
        let rescued = other
            .rescue(&replica("other").id, &HashMap::new(), at(9))
            .await;
        assert!(rescued.unwrap().is_empty());
        sleep(LEASE / 10).await;
    }
    assert!(matches!(
        write(&alive, "alive", start("a", run)).await,
        Written::Started { .. }
    ));
}

#[tokio::test]
async fn an_expired_lease_that_nobody_took_is_still_good() {
    let database = TestDatabase::create();
    let store = open(&database.url(), "one").await;
    let run = claim_first(&store, "one").await;
    database.sql("UPDATE actor_server_replicas SET last_seen = last_seen - interval '1 hour'");
    assert!(matches!(
        write(&store, "one", start("a", run)).await,
        Written::Started { .. }
    ));
    assert!(matches!(
        write(&store, "one", finish("a", run)).await,
        Written::Finished { .. }
    ));
}

#[tokio::test]
async fn a_process_whose_own_heartbeat_is_new_takes_over_nothing() {
    let database = TestDatabase::create();
    let dead = open(&database.url(), "dead").await;
    claim_first(&dead, "dead").await;
    database.sql("UPDATE actor_server_replicas SET last_seen = last_seen - interval '1 hour'");
    let other = open(&database.url(), "other").await;
    let rescued = other
        .rescue(&replica("other").id, &HashMap::new(), at(9))
        .await;
    assert!(rescued.unwrap().is_empty());
}

#[tokio::test]
async fn two_rescuers_share_the_work_and_double_nothing() {
    let database = TestDatabase::create();
    let dead = open(&database.url(), "dead").await;
    for name in ["a", "b", "c"] {
        write(&dead, "dead", register(name)).await;
        let run = claimed(&write(&dead, "dead", claim(name, 0)).await);
        write(&dead, "dead", start(name, run)).await;
    }
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    let (one_id, two_id) = (replica("one").id, replica("two").id);
    let (mut rescued, none) = (Vec::new(), HashMap::new());
    let deadline = Instant::now() + Duration::from_secs(20);
    while rescued.is_empty() {
        assert!(Instant::now() < deadline);
        one.beat(&replica("one")).await.unwrap();
        two.beat(&replica("two")).await.unwrap();
        let (a, b) = tokio::join!(
            one.rescue(&one_id, &none, at(9)),
            two.rescue(&two_id, &none, at(9))
        );
        rescued.extend(a.unwrap().into_iter().chain(b.unwrap()));
        sleep(LEASE / 10).await;
    }
    assert_eq!(rescued.len(), 3, "{rescued:?}");
}

#[tokio::test]
async fn after_an_outage_nobody_takes_over_until_one_lease_has_passed() {
    let mut cluster = TestCluster::start();
    let (victim, other) = (
        open(&cluster.url(), "victim").await,
        open(&cluster.url(), "other").await,
    );
    let run = claim_first(&victim, "victim").await;
    let beat_until_trusted = Instant::now() + LEASE * 2;
    while Instant::now() < beat_until_trusted {
        other.beat(&replica("other")).await.unwrap();
        victim.beat(&replica("victim")).await.unwrap();
        sleep(LEASE / 10).await;
    }
    cluster.stop();
    let error = other.beat(&replica("other")).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    sleep(LEASE).await;
    cluster.start_again();

    let back = Instant::now();
    while other.beat(&replica("other")).await.is_err() {
        sleep(LEASE / 20).await;
    }
    while back.elapsed() < LEASE / 2 {
        let early = other
            .rescue(&replica("other").id, &HashMap::new(), at(9))
            .await;
        assert!(early.unwrap().is_empty(), "within a lease of the outage");
        sleep(LEASE / 20).await;
        other.beat(&replica("other")).await.unwrap();
    }
    victim.beat(&replica("victim")).await.unwrap();
    assert!(matches!(
        write(&victim, "victim", start("a", run)).await,
        Written::Started { .. }
    ));
    assert_eq!(
        rescue(&other, "other", &[]).await.len(),
        1,
        "in the end it is taken, when its owner stays silent"
    );
}

#[tokio::test]
async fn a_server_that_has_just_started_lets_nobody_take_over() {
    let cluster = TestCluster::start();
    let lease = Duration::from_secs(3600);
    let me = replica("me");
    let store = PostgresStore::open_with_lease(&cluster.url(), &me, Clock::database(), lease)
        .await
        .unwrap();
    claim_first(&store, "dead").await;
    cluster.sql("UPDATE actor_server_executions SET created_at = created_at - interval '2 hours'");
    assert!(
        store
            .rescue(&me.id, &HashMap::new(), at(9))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_server_that_stood_still_while_it_was_asked_for_the_dead_names_nobody() {
    let database = TestDatabase::create();
    let (one, two) = (
        open(&database.url(), "one").await,
        open(&database.url(), "two").await,
    );
    let run = claim_first(&two, "two").await;
    write(&two, "two", start("a", run)).await;
    let regular = Instant::now() + LEASE * 3 / 2;
    while Instant::now() < regular {
        one.beat(&replica("one")).await.unwrap();
        two.beat(&replica("two")).await.unwrap();
        sleep(LEASE / 10).await;
    }
    let database = Arc::new(database);
    let standing = Arc::clone(&database);
    let pause = LEASE.as_secs_f64() * 1.5;
    let lock = format!("BEGIN; LOCK actor_server_replicas; SELECT pg_sleep({pause}); COMMIT");
    let stands_still = tokio::task::spawn_blocking(move || standing.sql(&lock));
    let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                AND relation = 'actor_server_replicas'::regclass";
    while database.sql(held) != "1" {
        assert!(!stands_still.is_finished(), "the lock was never seen");
    }
    let rescued = one.rescue(&replica("one").id, &HashMap::new(), at(9)).await;
    assert!(rescued.unwrap().is_empty(), "the other one lives");
    let end = write(&two, "two", finish("a", run)).await;
    assert!(matches!(end, Written::Finished { .. }), "{end:?}");
    stands_still.await.unwrap();
}
