//! Connections that break at any moment, through the database or a pooling proxy.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{PATIENCE, Server, Site, eventually, let_last},
    sharing::{all_posts, crowd},
    wire::Wire,
};

/// Cuts all connections of the servers every `pause` for `time`.
fn cut_connections(database: &TestDatabase, pause: Duration, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        database.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'actor-server' \
             AND datname = current_database()",
        );
        let_last(pause);
    }
}

fn assert_all_bots_run(database: &TestDatabase, bots: i64) {
    let last = database.number("SELECT coalesce(max(id), 0) FROM actor_server_executions");
    let sql = format!(
        "SELECT count(DISTINCT task_id) FROM actor_server_executions WHERE status = 'succeeded' AND id > {last}"
    );
    eventually("every bot runs again", PATIENCE, || {
        (database.number(&sql) == bots).then_some(())
    });
}

fn storm(replicas: usize, time: Duration) {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &crowd(20, "chatty"));
    let mut servers: Vec<Server> = (0..replicas).map(|_| site.ready()).collect();
    assert_all_bots_run(&database, 20);
    cut_connections(&database, Duration::from_millis(300), time);
    assert_all_bots_run(&database, 20);
    eventually("no row is stuck", Duration::from_secs(15), || {
        let stuck = "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND scheduled_for < \
                     clock_timestamp() - interval '5 s'";
        (database.number(stuck) == 0).then_some(())
    });
    eprintln!("{:?}", database.outcomes());
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
    database.assert_posted_once();
    assert_each_once(all_posts(&servers));
}

#[test]
fn one_process_whose_connections_break_again_and_again_loses_nothing() {
    storm(1, Duration::from_secs(10));
}

#[test]
fn processes_whose_connections_break_again_and_again_lose_nothing() {
    storm(3, Duration::from_secs(10));
}

#[test]
#[ignore = "takes minutes: scripts/test --full"]
fn processes_whose_connections_break_for_minutes_lose_nothing() {
    storm(3, Duration::from_secs(120));
}

/// Every fifth transaction is committed without its process hearing of it.
fn lost_answers(replicas: usize, time: Duration) {
    let database = TestDatabase::create();
    let url = database.url();
    let (_, port) = url.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap();
    let wire = Wire::to(port.parse().unwrap());
    let site = Site::new(wire.url(&url), &crowd(10, "chatty"));
    let mut servers: Vec<Server> = (0..replicas).map(|_| site.ready()).collect();
    assert_all_bots_run(&database, 10);
    wire.lose_every(5);
    let_last(time);
    wire.lose_every(0);
    assert!(wire.lost() > 10, "answers that were lost: {}", wire.lost());
    assert_all_bots_run(&database, 10);
    eventually("no row is stuck", Duration::from_secs(15), || {
        let stuck = "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND scheduled_for < \
                     clock_timestamp() - interval '5 s'";
        (database.number(stuck) == 0).then_some(())
    });
    eprintln!("{} answers lost: {:?}", wire.lost(), database.outcomes());
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
    database.assert_posted_once();
    assert_each_once(all_posts(&servers));
    let why = database.ask(
        "SELECT error_message, count(*) FROM actor_server_executions WHERE status = 'abandoned' GROUP BY 1",
    );
    assert_eq!(why, "", "runs that were abandoned though no process died");
}

#[test]
fn a_process_that_does_not_hear_of_its_commits_loses_and_doubles_nothing() {
    lost_answers(1, Duration::from_secs(10));
}

#[test]
fn processes_that_do_not_hear_of_their_commits_lose_and_double_nothing() {
    lost_answers(3, Duration::from_secs(10));
}
