//! The server side of PostgreSQL: connecting, schema, faults, and what a batch costs.
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

use std::{process::Command, time::Duration};

use actor_server::{
    clock::Clock,
    domain::outcome::Status,
    store::{
        StatePersistence, StoreError, Write, Written,
        postgres::{PostgresStore, migrate_down, migrate_up, migration_status},
    },
};
use ledger::{at, claim, claimed, finish, post, register, replica, start};
use postgres::{TestCluster, TestDatabase};
use serde_json::json;
use tokio::time::Instant;

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(url, &replica("me"), Clock::database()).await
}

async fn error(url: &str) -> StoreError {
    match open(url).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn processes_that_start_at_once_on_an_empty_database_all_succeed() {
    let database = TestDatabase::create();
    let url = database.url();
    let all = tokio::join!(open(&url), open(&url), open(&url), open(&url));
    let ids = [all.0, all.1, all.2, all.3].map(|store| store.unwrap().database_id().to_owned());
    assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 32));
}

/// All versions, in order.
fn every() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let steps = std::fs::read_dir(folder).unwrap();
    let names = steps.map(|step| step.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<String> = names.map(|name| name[..4].to_owned()).collect();
    versions.sort();
    versions
}

#[tokio::test]
async fn the_schema_goes_up_and_down_and_says_where_it_stands() {
    let database = TestDatabase::create();
    let url = database.url();
    let applied = async || {
        let steps = migration_status(&url).await.unwrap();
        steps.iter().map(|step| step.applied).collect::<Vec<_>>()
    };
    let (every, mut down) = (every(), every());
    down.reverse();
    assert_eq!(applied().await, vec![false; every.len()]);
    assert_eq!(
        database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
        "0"
    );
    assert_eq!(migrate_up(&url).await.unwrap(), every);
    assert_eq!(migrate_up(&url).await.unwrap(), [""; 0]);
    assert_eq!(migrate_down(&url, 1).await.unwrap(), down[..1]);
    let mut all_but_one = vec![true; every.len()];
    all_but_one[every.len() - 1] = false;
    assert_eq!(applied().await, all_but_one);
    assert_eq!(migrate_down(&url, 99).await.unwrap(), down[1..]);
    assert_eq!(
        database
            .sql("SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'"),
        "__diesel_schema_migrations"
    );
    assert_eq!(migrate_up(&url).await.unwrap(), every);
}

#[tokio::test]
async fn the_last_success_is_filled_in_from_the_ledger() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    for name in ["good", "dry", "failing"] {
        let written = store.write(&me, &[register(name), claim(name, 0)]).await;
        let run = claimed(&written.unwrap()[1]);
        let mut end = finish(name, run);
        if let Write::Finish(end) = &mut end {
            end.metadata = json!({ "dry_run": name == "dry" });
            if name == "failing" {
                end.outcome.status = Status::Failed;
            }
        }
        store.write(&me, &[end]).await.unwrap();
    }
    let states = store.states().await.unwrap();
    let success = |name| {
        states
            .iter()
            .find(|state| state.bot.as_str() == name)
            .unwrap()
            .last_success
    };
    assert_eq!(
        ["good", "dry", "failing"].map(success),
        [Some(at(2)), None, None]
    );
    store.close().await;
    while migrate_down(&database.url(), 1).await.unwrap() != ["0005"] {}
    let again = open(&database.url()).await.unwrap();
    assert_eq!(again.states().await.unwrap(), states);
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let database = TestDatabase::create();
    drop(open(&database.url()).await.unwrap());
    database.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    for refused in [
        error(&database.url()).await,
        migrate_up(&database.url()).await.unwrap_err(),
        migrate_down(&database.url(), 1).await.unwrap_err(),
    ] {
        assert!(
            matches!(&refused, StoreError::NewerSchema(what) if what.contains("9999")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_user_without_rights_on_the_schema_may_run_once_it_is_there() {
    let database = TestDatabase::create();
    migrate_up(&database.url()).await.unwrap();
    database.sql(
        "DO $$ BEGIN CREATE ROLE plain_user LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain_user; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO plain_user",
    );
    let store = open(&database.url_as("plain_user")).await.unwrap();
    let written = store
        .write(&replica("me").id, &[register("a"), claim("a", 0)])
        .await
        .unwrap();
    claimed(&written[1]);
    assert!(store.schema_version().await.unwrap() > 0);
    drop(store);
    database.sql("DROP OWNED BY plain_user");
}

#[tokio::test]
async fn after_a_crash_of_the_server_the_same_store_goes_on() {
    let mut cluster = TestCluster::start();
    let store = open(&cluster.url()).await.unwrap();
    let me = replica("me").id;
    let run = claimed(
        &store
            .write(&me, &[register("a"), claim("a", 0)])
            .await
            .unwrap()[1],
    );
    cluster.stop();
    let lost = store.write(&me, &[start("a", run)]).await.unwrap_err();
    assert!(lost.is_transient(), "{lost}");
    assert!(store.ping().await.unwrap_err().is_transient());
    cluster.start_again();
    let deadline = Instant::now() + Duration::from_secs(20);
    let written = loop {
        match store.write(&me, &[start("a", run)]).await {
            Ok(written) => break written,
            Err(error) => assert!(error.is_transient() && Instant::now() < deadline, "{error}"),
        }
    };
    assert!(matches!(written[0], Written::Started { .. }));
}

#[tokio::test]
async fn a_locked_row_is_a_passing_fault_and_leaves_nothing_behind() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    store
        .write(&me, &[register("a"), register("b")])
        .await
        .unwrap();
    let mut blocker = Command::new("psql");
    let hold = "BEGIN; SELECT * FROM actor_server_state WHERE task_id = 'b' FOR UPDATE; SELECT pg_sleep(30)";
    let mut blocker = blocker
        .args(["-X", "-q", "-c", hold, &database.url()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while database.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'") == "0" {}
    let error = store
        .write(&me, &[claim("a", 0), claim("b", 0)])
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(
        database.sql("SELECT count(*) FROM actor_server_executions"),
        "0"
    );
    blocker.kill().unwrap();
    blocker.wait().unwrap();
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()");
    store
        .write(&me, &[claim("a", 0), claim("b", 0)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_transaction_open() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    let all: Vec<Write> = (0..300).map(|n| register(&format!("bot-{n}"))).collect();
    let given_up = tokio::time::timeout(Duration::from_millis(5), store.write(&me, &all)).await;
    drop(given_up);
    let deadline = Instant::now() + Duration::from_secs(10);
    while store.states().await.unwrap().len() < 300 {
        assert!(Instant::now() < deadline, "the batch was cut off");
    }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    while database.sql(open) != "0" {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn nothing_is_kept_in_the_session() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    let run = claimed(
        &store
            .write(&me, &[register("a"), claim("a", 0)])
            .await
            .unwrap()[1],
    );
    store
        .write(
            &me,
            &[start("a", run), post("a", run, "x"), finish("a", run)],
        )
        .await
        .unwrap();
    // What a transaction-pooling proxy would mix up: named statements, settings, locks.
    assert_eq!(
        database.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
        "0"
    );
    let last = database.sql("SELECT string_agg(DISTINCT query, ';') FROM pg_stat_activity WHERE application_name = 'actor-server' AND datname = current_database()");
    assert!(
        !last.contains("PREPARE") && !last.contains("SET SESSION"),
        "{last}"
    );
}

#[tokio::test]
async fn hostile_texts_are_stored_as_far_as_the_database_can_hold_them() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    let run = claimed(
        &store
            .write(&me, &[register("a"), claim("a", 0)])
            .await
            .unwrap()[1],
    );
    let body = "'; DROP TABLE actor_server_posts; -- \" \\ {NULL,1} \u{1f980}\0end";
    let attempt = Write::Attempt {
        execution: run,
        attempt: 2,
        metadata: json!({ "nul\0key": ["a\0b", { "deep": "\0" }], "big": u64::MAX }),
    };
    let written = store
        .write(&me, &[start("a", run), attempt, post("a", run, body)])
        .await
        .unwrap();
    assert!(matches!(written[2], Written::Post(_)), "{written:?}");
    let stored = &store.posts(None, 1).await.unwrap()[0];
    assert_eq!(stored.message.body, body.replace('\0', "\u{fffd}"));
    let row = &store.ledger(None, 1).await.unwrap()[0];
    assert_eq!(row.metadata["big"], u64::MAX);
    assert_eq!(row.metadata["nul\u{fffd}key"][0], "a\u{fffd}b");
}

#[tokio::test]
async fn the_clock_hears_the_databases_time() {
    let database = TestDatabase::create();
    let clock = Clock::database();
    let store = PostgresStore::open(&database.url(), &replica("me"), clock.clone())
        .await
        .unwrap();
    let stored: f64 = database
        .sql("SELECT extract(epoch FROM clock_timestamp())")
        .parse()
        .unwrap();
    let heard = clock.now().timestamp_micros() as f64 / 1e6;
    assert!((heard - stored).abs() < 2.0, "{heard} {stored}");
    drop(store);
}

/// Prints what a batch of 1,000 costs; a measurement, not a promise.
#[tokio::test]
async fn a_thousand_bots_fit_in_one_batch() {
    let database = TestDatabase::create();
    let store = open(&database.url()).await.unwrap();
    let me = replica("me").id;
    let names: Vec<String> = (0..1000).map(|n| format!("bot-{n}")).collect();
    let timed = async |what: &str, batch: Vec<Write>| {
        let begun = Instant::now();
        let written = store.write(&me, &batch).await.unwrap();
        println!("{what}: {} writes in {:?}", batch.len(), begun.elapsed());
        written
    };
    timed(
        "register",
        names.iter().map(|name| register(name)).collect(),
    )
    .await;
    for minute in 0..3 {
        let claims = timed(
            "advance",
            names.iter().map(|name| claim(name, minute)).collect(),
        )
        .await;
        let runs: Vec<_> = names.iter().zip(claims.iter().map(claimed)).collect();
        timed(
            "start",
            runs.iter().map(|(name, run)| start(name, *run)).collect(),
        )
        .await;
        timed(
            "store post",
            runs.iter()
                .map(|(name, run)| post(name, *run, "x"))
                .collect(),
        )
        .await;
        timed(
            "finish",
            runs.iter().map(|(name, run)| finish(name, *run)).collect(),
        )
        .await;
    }
    assert_eq!(store.ledger(None, 9999).await.unwrap().len(), 3000);
    assert_eq!(store.prune(at(100_000), at(0)).await.unwrap(), 3000);
}
