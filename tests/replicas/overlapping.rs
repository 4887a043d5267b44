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
        let row =
            database.ask("SELECT execution_id FROM actor_server_posts WHERE status = 'pending'");
        Some(row).filter(|row| !row.is_empty())
    });
    let mut second = site.ready();
    check(&database, &run);
    first.stop();
    second.stop();
    database.assert_complete(1);
    database.assert_nothing_running();
    assert_never_two_at_once(&database);
}

fn assert_never_two_at_once(database: &TestDatabase) {
    let doubled = database.ask(
        "SELECT a.id, b.id FROM actor_server_executions a JOIN actor_server_executions b ON a.task_id = b.task_id AND a.id < b.id \
         WHERE a.started_at < b.completed_at AND b.started_at < a.completed_at",
    );
    assert_eq!(doubled, "", "runs of one bot at the same time");
}

fn wait_for_end(database: &TestDatabase, run: &str) -> String {
    let sql = format!(
        "SELECT status FROM actor_server_executions WHERE id = {run} AND status <> 'running'"
    );
    eventually("the long run has ended", PATIENCE, || {
        Some(database.ask(&sql)).filter(|row| !row.is_empty())
    })
}

fn wait_for_success_after(database: &TestDatabase, run: &str) {
    let sql = format!(
        "SELECT count(*) FROM actor_server_executions WHERE id > {run} AND status = 'succeeded'"
    );
    eventually("later slots run", PATIENCE, || {
        (database.number(&sql) > 2).then_some(())
    });
}

#[test]
fn slots_that_meet_another_processs_run_are_skipped() {
    beside_a_long_run("overlap = \"skip\"", 6000, |database, run| {
        assert_eq!(wait_for_end(database, run), "succeeded");
        wait_for_success_after(database, run);
        let overlap = database
            .outcomes()
            .get("skipped/overlap")
            .copied()
            .unwrap_or_default();
        assert!((4..=8).contains(&overlap), "{:?}", database.outcomes());
    });
}

/// Bots whose long runs are one process's, and whose next slots only `others` further processes may claim: they have
/// another schedule, which makes the first one's void.
fn long_runs_of_a_process_with_an_old_schedule(
    policy: &str,
    others: usize,
    check: impl FnOnce(&TestDatabase, &str),
) {
    let database = TestDatabase::create();
    let bots = |seconds| -> Vec<BotEntry> {
        (0..4)
            .map(|n| BotEntry::every(seconds, format!("bot-{n}"), "chatty").with(policy))
            .collect()
    };
    let site = Site::new(database.url(), &bots(60));
    let mut first = site.ready_with(&[("FAILPOINTS", "post.stored=4*sleep(10000)")]);
    let runs = "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND started_at IS NOT NULL";
    eventually("the long runs", PATIENCE, || {
        (database.number(runs) == 4).then_some(())
    });
    site.configure(&bots(1));
    let mut others: Vec<_> = (0..others).map(|_| site.ready()).collect();
    check(&database, &first.id());
    first.stop();
    others.iter_mut().for_each(|server| server.stop());
    database.assert_nothing_running();
    assert_never_two_at_once(&database);
}

/// A claim of the last two seconds may not be decided yet, on a machine that is busy; what is older waits.
fn assert_one_waits(database: &TestDatabase, first: &str) {
    let waiting = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM actor_server_executions WHERE status = 'running' \
                   AND started_at IS NULL AND scheduled_for < clock_timestamp() - interval '2 s' GROUP BY task_id) q";
    let long = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND started_at IS NOT NULL AND replica = '{first}'"
    );
    let mut most = 0;
    eventually("the long runs have ended", PATIENCE, || {
        most = most.max(database.number(waiting));
        (database.number(&long) == 0).then_some(())
    });
    let after = "SELECT count(DISTINCT task_id) FROM actor_server_executions WHERE status = 'succeeded' AND attempt = 1 AND \
                 started_at > scheduled_for + interval '2 s'";
    eventually("the slots that waited run", PATIENCE, || {
        (database.number(after) == 4).then_some(())
    });
    assert_eq!(
        most,
        1,
        "slots of a bot that waited at the same time; {:?}",
        database.outcomes()
    );
    assert!(database.outcomes().contains_key("skipped/overlap"));
}

#[test]
fn one_slot_waits_for_another_processs_run() {
    long_runs_of_a_process_with_an_old_schedule("overlap = \"buffer_one\"", 1, assert_one_waits);
}

#[test]
fn one_slot_of_all_processes_waits_for_another_processs_run() {
    long_runs_of_a_process_with_an_old_schedule("overlap = \"buffer_one\"", 3, assert_one_waits);
}

#[test]
fn a_newer_slot_cancels_another_processs_run() {
    long_runs_of_a_process_with_an_old_schedule(
        "overlap = \"cancel_other\"",
        2,
        |database, first| {
            let cancelled = format!(
                "SELECT count(*) FROM actor_server_executions WHERE status = 'cancelled' AND replica = '{first}'"
            );
            eventually(
                "their next slots cancel them",
                Duration::from_secs(6),
                || (database.number(&cancelled) == 4).then_some(()),
            );
        },
    );
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
        database
            .outcomes()
            .contains_key("skipped/failures")
            .then_some(())
    });
    again.stop();
    assert_eq!(
        database.outcomes()["failed"],
        6,
        "nothing ran under the hold"
    );
    assert_eq!(
        database.number("SELECT consecutive_failures FROM actor_server_state"),
        6
    );
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
        (database.number("SELECT count(*) FROM actor_server_state WHERE next_run IS NOT NULL") == 0)
            .then_some(())
    });
    servers.iter_mut().for_each(|server| server.stop());
    let counts = database.ask(
        "SELECT task_id, count(*) FROM actor_server_executions WHERE started_at IS NOT NULL GROUP BY 1 HAVING count(*) <> 4",
    );
    assert_eq!(counts, "", "bots that did not run four times");
    database.assert_nothing_running();
}

/// As an operator does at another process; here the database is changed in its stead.
#[test]
fn a_resume_at_another_process_is_heard_by_the_one_that_set_the_hold() {
    let database = TestDatabase::create();
    let mut site = Site::new(database.url(), &[]);
    site.server = "max_consecutive_failures = 2\ncheck_interval_seconds = 1".into();
    let retry = "[actors.retry]\nmax_attempts = 1";
    site.configure(&[BotEntry::every(1, "bot", "failing").with(retry)]);
    let mut server = site.ready();
    eventually("the hold", PATIENCE, || {
        (database.ask("SELECT hold_kind FROM actor_server_state") == "failures").then_some(())
    });
    eventually("held slots are recorded", PATIENCE, || {
        database
            .outcomes()
            .contains_key("skipped/failures")
            .then_some(())
    });
    database.ask(
        "UPDATE actor_server_state SET is_paused = false, hold_kind = NULL, hold_reason = NULL, hold_until = NULL, \
         hold_by = NULL, consecutive_failures = 0",
    );
    eventually("the bot runs again, and fails again", PATIENCE, || {
        (database.outcomes()["failed"] == 4).then_some(())
    });
    server.stop();
    database.assert_complete(1);
    database.assert_nothing_running();
}
