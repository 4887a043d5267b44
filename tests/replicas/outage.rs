//! The database goes away while processes work, and comes back.

use std::time::Duration;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestCluster,
    replica::{BotEntry, PATIENCE, Server, Site, eventually, let_last},
    sharing::{all_posts, crowd},
};

/// Later runs than those there are now end well.
fn assert_goes_on(database: &impl Database, bots: i64) {
    let last = database.number("SELECT coalesce(max(id), 0) FROM actor_server_executions");
    eventually("bots run again", PATIENCE, || {
        let sql = format!(
            "SELECT count(DISTINCT task_id) FROM actor_server_executions WHERE status = 'succeeded' AND id > {last}"
        );
        (database.number(&sql) >= bots).then_some(())
    });
}

#[test]
fn a_server_goes_on_after_an_outage_in_which_nothing_ran() {
    let mut cluster = TestCluster::start();
    let site = Site::new(cluster.url(), &crowd(3, "quiet"));
    let mut server = site.ready();
    assert_goes_on(&cluster, 3);
    cluster.stop();
    let before = server.cpu();
    let_last(Duration::from_secs(6));
    let burnt = server.cpu() - before;
    assert!(server.is_alive());
    cluster.start_again();
    assert_goes_on(&cluster, 3);
    assert!(
        burnt < Duration::from_millis(1500),
        "{burnt:?} of CPU in 6 s without a database"
    );
    server.stop();
    cluster.assert_complete(1);
    cluster.assert_nothing_running();
}

#[test]
fn runs_that_are_at_work_during_an_outage_are_stored_after_it_and_nobody_takes_them_over() {
    let mut cluster = TestCluster::start();
    let bots = [
        BotEntry::every(60, "long", "chatty"),
        BotEntry::every(1, "short", "chatty"),
    ];
    let site = Site::new(cluster.url(), &bots);
    let mut first = site.ready_with(&[("FAILPOINTS", "post.stored=1*sleep(9000)")]);
    eventually("a run at work", PATIENCE, || {
        let started = "SELECT count(*) FROM actor_server_posts WHERE status = 'pending'";
        (cluster.number(started) > 0).then_some(())
    });
    let run = cluster.ask(
        "SELECT execution_id FROM actor_server_posts WHERE status = 'pending' ORDER BY 1 LIMIT 1",
    );
    let second = site.ready();
    cluster.stop();
    let_last(Duration::from_secs(6));
    cluster.start_again();
    let ended = format!(
        "SELECT status, replica FROM actor_server_executions WHERE id = {run} AND status <> 'running'"
    );
    let row = eventually("the run has ended", PATIENCE, || {
        Some(cluster.ask(&ended)).filter(|row| !row.is_empty())
    });
    assert_eq!(row, format!("succeeded|{}", first.id()));
    assert_eq!(
        cluster.outcomes().get("abandoned"),
        None,
        "{}",
        second.log()
    );
    assert_goes_on(&cluster, 1);
    let mut servers: Vec<Server> = vec![second];
    first.stop();
    servers.iter_mut().for_each(Server::stop);
    servers.push(first);
    cluster.assert_posted_once();
    cluster.assert_nothing_running();
    assert_each_once(all_posts(&servers));
    cluster.ask("DELETE FROM actor_server_executions WHERE task_id = 'long'");
    cluster.ask("DELETE FROM actor_server_state WHERE task_id = 'long'");
    cluster.assert_complete(1);
}

#[test]
fn a_database_that_restarts_again_and_again_costs_nothing_but_time() {
    let mut cluster = TestCluster::start();
    let site = Site::new(cluster.url(), &crowd(10, "chatty"));
    let mut servers: Vec<Server> = (0..2).map(|_| site.ready()).collect();
    for _ in 0..4 {
        assert_goes_on(&cluster, 3);
        cluster.stop();
        cluster.start_again();
    }
    assert_goes_on(&cluster, 10);
    servers.iter_mut().for_each(Server::stop);
    cluster.assert_complete(1);
    cluster.assert_nothing_running();
    cluster.assert_posted_once();
    assert_eq!(cluster.outcomes().get("abandoned"), None);
}
