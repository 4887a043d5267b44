//! Reloads of several processes on one database: one after another, at once, and while files differ.

use nix::sys::signal::Signal;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Server, Site, eventually},
    sharing::{all_posts, crowd},
};

fn with(steady: u32, more: BotEntry) -> Vec<BotEntry> {
    let mut bots = crowd(steady, "chatty");
    bots.push(more);
    bots
}

fn reload(server: &mut Server, times: usize) {
    server.signal(Signal::SIGHUP);
    eventually("it has reloaded", PATIENCE, || {
        let done = server.log().matches("configuration reloaded").count();
        (done >= times).then_some(())
    });
}

fn wait_for_runs(database: &TestDatabase, bot: &str, more: i64) {
    let before = database.succeeded(bot);
    eventually(&format!("{bot} runs"), PATIENCE, || {
        (database.succeeded(bot) >= before + more).then_some(())
    });
}

#[test]
fn a_rolling_reload_costs_no_bot_a_slot() {
    let database = TestDatabase::create();
    let gone = BotEntry::every(1, "gone", "chatty");
    let site = Site::new(database.url(), &with(10, gone));
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    wait_for_runs(&database, "gone", 2);
    site.configure(&with(10, BotEntry::every(1, "new", "chatty")));
    for server in &mut servers {
        reload(server, 1);
        wait_for_runs(&database, "bot-00", 2);
        wait_for_runs(&database, "new", 2);
    }
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
    database.assert_posted_once();
    assert_each_once(all_posts(&servers));
    let removed = "SELECT count(*) FROM actor_server_state WHERE removed AND next_run IS NULL";
    assert_eq!(database.number(removed), 1);
}

#[test]
fn replicas_that_reload_at_the_same_moment_agree() {
    let database = TestDatabase::create();
    let turns = |seconds| with(5, BotEntry::every(seconds, "turns", "chatty"));
    let site = Site::new(database.url(), &turns(3600));
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    for (times, seconds) in [(1, 1), (2, 3600), (3, 1)] {
        site.configure(&turns(seconds));
        for server in &servers {
            server.signal(Signal::SIGHUP);
        }
        for server in &mut servers {
            eventually("it has reloaded", PATIENCE, || {
                let log = server.log();
                (log.matches("configuration reloaded").count() >= times).then_some(())
            });
        }
    }
    wait_for_runs(&database, "turns", 3);
    servers.iter_mut().for_each(Server::stop);
    database.assert_nothing_running();
    assert_each_once(all_posts(&servers));
    let wrong = database.ask(
        "SELECT task_id, sum(slots), min(scheduled_for), max(coalesce(slot_last, scheduled_for)) FROM actor_server_executions \
         WHERE task_id <> 'turns' GROUP BY 1 HAVING sum(slots) <> \
         extract(epoch FROM max(coalesce(slot_last, scheduled_for)) - min(scheduled_for)) + 1",
    );
    assert_eq!(wrong, "", "slots that have not exactly one row");
}

#[test]
fn a_replica_with_old_files_does_not_run_a_schedule_that_is_not_stored() {
    let database = TestDatabase::create();
    let turns = |seconds| with(2, BotEntry::every(seconds, "turns", "chatty"));
    let site = Site::new(database.url(), &turns(1));
    let mut newer = site.ready();
    let mut older = site.ready();
    wait_for_runs(&database, "turns", 2);
    site.configure(&turns(3600));
    reload(&mut newer, 1);
    let last = "SELECT coalesce(max(extract(epoch FROM scheduled_for - anchor)), 0)::bigint FROM actor_server_executions \
         JOIN actor_server_state USING (task_id) WHERE task_id = 'turns'";
    wait_for_runs(&database, "bot-00", 5);
    assert!(database.number(last) <= 1, "slots of the old schedule");
    // What the newer one leaves, the older one shares; but not that bot.
    newer.stop();
    wait_for_runs(&database, "bot-00", 3);
    assert!(database.number(last) <= 1, "slots of the old schedule");
    reload(&mut older, 1);
    older.stop();
    database.assert_nothing_running();
    let stored = database.ask("SELECT schedule FROM actor_server_state WHERE task_id = 'turns'");
    assert!(stored.contains("3600"), "{stored}");
}
