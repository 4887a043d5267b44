//! Processes whose time of day is wrong beside a sane one: the database's clock judges.
//!
//! They need the package `faketime`.

use crate::{
    books::Database,
    postgres::TestDatabase,
    replica::{PATIENCE, Server, Site, eventually},
    sharing::crowd,
};

/// Where distributions put the library that fakes the time of day.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];

fn library() -> &'static str {
    let found = LIBRARIES
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    found.expect("this test needs the package faketime")
}

fn beside_a_sane_one(offsets: &[&str], sane: bool) {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &crowd(10, "quiet"));
    let mut servers: Vec<Server> = Vec::new();
    for offset in offsets {
        servers.push(site.ready_with(&[("LD_PRELOAD", library()), ("FAKETIME", offset)]));
    }
    let hour = database.ask("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24')");
    for server in &servers {
        assert!(
            !server.log().contains(&hour),
            "the time of day was to be wrong: {}",
            server.log()
        );
    }
    if sane {
        servers.push(site.ready());
    }
    let shares = "SELECT replica, count(*) FROM actor_server_executions WHERE status = 'succeeded' GROUP BY 1 HAVING count(*) > 30";
    eventually("all processes run slots", PATIENCE, || {
        (database.ask(shares).lines().count() == servers.len()).then_some(())
    });
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
    let wrong = database.ask(
        "SELECT task_id, scheduled_for, started_at, completed_at, created_at FROM actor_server_executions \
         WHERE started_at IS NOT NULL AND (started_at < scheduled_for - interval '50 ms' \
         OR started_at > scheduled_for + interval '3 s' OR completed_at < started_at \
         OR abs(extract(epoch FROM created_at - scheduled_for)) > 3)",
    );
    assert_eq!(
        wrong, "",
        "runs that were not at their time by the database's clock"
    );
    let missed = database
        .outcomes()
        .get("missed/late")
        .copied()
        .unwrap_or_default();
    assert!(missed < 10, "{:?}", database.outcomes());
}

#[test]
#[ignore = "needs the package faketime: scripts/test --full"]
fn a_process_two_hours_ahead_runs_no_slot_early_or_twice() {
    beside_a_sane_one(&["+2h"], true);
}

#[test]
#[ignore = "needs the package faketime: scripts/test --full"]
fn a_process_two_hours_behind_runs_no_slot_late_or_twice() {
    beside_a_sane_one(&["-2h"], true);
}

#[test]
#[ignore = "needs the package faketime: scripts/test --full"]
fn processes_that_disagree_about_the_time_of_day_agree_about_slots() {
    beside_a_sane_one(&["+2h", "-2h"], false);
}
