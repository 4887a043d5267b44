//! A bot's run is on in one process when its next slot falls due in another: overlap, holds and counts hold for all.

use std::time::Duration;

use crate::{
    books::Database,
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Site, eventually},
};

/// One bot with the policy; a run of the first process lasts `slow` ms, while the second process is free.
fn beside_a_long_run(policy: &str, slow: u32, check: impl FnOnce(&TestDatabase, &str)) {
    let database = TestDatabase::create();
    let bots = [BotEntry::every(1, "bot", "chatty").with(policy)];
    let site = Site::new(database.url(), &bots);
    let mut first = site.ready_with(&[("FAILPOINTS", &format!("post.stored=1*sleep({slow})"))]);
    let run = eventually("the long run", PATIENCE, || {
        let row = database.ask("SELECT execution_id FROM actor_server_posts WHERE status = 'pending'");
        Some(row).filter(|row| !row.is_empty())
    });
    let mut second = site.ready();
    check(&database, &run);
    first.stop();
    second.stop();
    database.assert_complete(1);
    database.assert_nothing_running();
    let doubled = database.ask(
        "SELECT a.id, b.id FROM actor_server_executions a JOIN actor_server_executions b ON a.task_id = b.task_id AND a.id < b.id \
         WHERE a.started_at < b.completed_at AND b.started_at < a.completed_at",
    );
    assert_eq!(doubled, "", "runs of one bot at the same time");
}

fn wait_for_end(database: &TestDatabase, run: &str) -> String {
    let sql = format!("SELECT status FROM actor_server_executions WHERE id = {run} AND status <> 'running'");
    eventually("the long run has ended", PATIENCE, || Some(database.ask(&sql)).filter(|row| !row.is_empty()))
}

fn wait_for_success_after(database: &TestDatabase, run: &str) {
    let sql = format!("SELECT count(*) FROM actor_server_executions WHERE id > {run} AND status = 'succeeded'");
    eventually("later slots run", PATIENCE, || (database.number(&sql) > 2).then_some(()));
}

#[test]
fn slots_that_meet_another_processs_run_are_skipped() {
    beside_a_long_run("overlap = \"skip\"", 6000, |database, run| {
        assert_eq!(wait_for_end(database, run), "succeeded");
        wait_for_success_after(database, run);
        let overlap = database.outcomes().get("skipped/overlap").copied().unwrap_or_default();
        assert!((4..=8).contains(&overlap), "{:?}", database.outcomes());
    });
}

#[test]
fn one_slot_at_most_waits_for_another_processs_run() {
    beside_a_long_run("overlap = \"buffer_one\"", 7000, |database, run| {
        let waiting = format!(
            "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND started_at IS NULL \
             AND scheduled_for <= clock_timestamp() - interval '0.5 s' AND id > {run}"
        );
        let mut most = 0;
        let ended = format!("SELECT count(*) FROM actor_server_executions WHERE id = {run} AND status <> 'running'");
        eventually("the long run has ended", PATIENCE, || {
            most = most.max(database.number(&waiting));
            (database.number(&ended) == 1).then_some(())
        });
        wait_for_success_after(database, run);
        assert_eq!(most, 1, "slots that waited at the same time; {:?}", database.outcomes());
        assert!(database.outcomes().contains_key("skipped/overlap"));
    });
}

#[test]
fn a_newer_slot_cancels_another_processs_run() {
    let database = TestDatabase::create();
    let bots: Vec<BotEntry> = (0..8)
        .map(|n| BotEntry::every(4, format!("bot-{n}"), "chatty").with("overlap = \"cancel_other\""))
        .collect();
    let site = Site::new(database.url(), &bots);
    let mut first = site.ready_with(&[("FAILPOINTS", "post.stored=8*sleep(25000)")]);
    let runs = "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND started_at IS NOT NULL";
    eventually("the long runs", PATIENCE, || (database.number(runs) == 8).then_some(()));
    let mut others = [site.ready(), site.ready(), site.ready()];
    let cancelled = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'cancelled' AND replica = '{}'",
        first.id()
    );
    eventually("their next slots cancel them", Duration::from_secs(8), || {
        (database.number(&cancelled) == 8).then_some(())
    });
    first.stop();
    others.iter_mut().for_each(|server| server.stop());
    database.assert_complete(4);
    database.assert_nothing_running();
}

#[test]
fn failures_count_and_hold_whichever_process_had_them() {
    let database = TestDatabase::create();
    let mut site = Site::new(database.url(), &[]);
    site.server = "max_consecutive_failures = 6\ncheck_interval_seconds = 1".into();
    let retry = "[actors.retry]\nmax_attempts = 1";
    site.configure(&[BotEntry::every(1, "bot", "failing").with(retry)]);
    let mut servers = [site.ready(), site.ready(), site.ready()];
    eventually("the hold", PATIENCE, || {
        (database.ask("SELECT hold_kind FROM actor_server_state") == "failures").then_some(())
    });
    let failed = database.outcomes()["failed"];
    assert_eq!(failed, 6);
    servers.iter_mut().for_each(|server| server.stop());
    let mut again = site.ready();
    eventually("held slots are recorded", PATIENCE, || {
        database.outcomes().contains_key("skipped/failures").then_some(())
    });
    again.stop();
    assert_eq!(database.outcomes()["failed"], 6, "nothing ran under the hold");
    assert_eq!(database.number("SELECT consecutive_failures FROM actor_server_state"), 6);
    database.assert_complete(1);
    database.assert_nothing_running();
}

#[test]
fn max_runs_counts_the_runs_of_all_processes() {
    let database = TestDatabase::create();
    let bots: Vec<BotEntry> = (0..10)
        .map(|n| BotEntry::every(1, format!("bot-{n}"), "quiet").with("max_runs = 4"))
        .collect();
    let site = Site::new(database.url(), &bots);
    let mut servers = [site.ready(), site.ready(), site.ready()];
    eventually("all bots are finished", PATIENCE, || {
        (database.number("SELECT count(*) FROM actor_server_state WHERE next_run IS NOT NULL") == 0).then_some(())
    });
    servers.iter_mut().for_each(|server| server.stop());
    let counts = database.ask(
        "SELECT task_id, count(*) FROM actor_server_executions WHERE started_at IS NOT NULL GROUP BY 1 HAVING count(*) <> 4",
    );
    assert_eq!(counts, "", "bots that did not run four times");
    database.assert_nothing_running();
}
