//! One process stops as it should while others go on, and configurations change one process after another.

use std::time::Duration;

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Server, Site, eventually},
    sharing::{all_posts, crowd},
};

#[test]
fn a_process_that_stops_gives_its_claims_back_and_the_others_take_them() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &crowd(20, "chatty"));
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    for _ in 0..3 {
        let last = database.number("SELECT coalesce(max(id), 0) FROM actor_server_executions");
        let sql = format!(
            "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND id > {last}"
        );
        eventually("runs", PATIENCE, || {
            (database.number(&sql) > 40).then_some(())
        });
        let id = servers[0].id();
        servers[0].stop();
        let gone = format!("SELECT count(*) FROM actor_server_replicas WHERE id = '{id}'");
        assert_eq!(database.number(&gone), 0);
        let open = format!(
            "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND replica = '{id}'"
        );
        assert_eq!(database.number(&open), 0);
        servers.rotate_left(1);
        servers.push(site.ready());
    }
    for server in &mut servers {
        if server.is_alive() {
            server.stop();
        }
    }
    database.assert_complete(1);
    database.assert_nothing_running();
    database.assert_posted_once();
    assert_each_once(all_posts(&servers));
    assert_eq!(database.outcomes().get("abandoned"), None);
}

/// A slot that the stopping process had claimed ahead is run by the other one when it is due, not when the other one next
/// compares its memory with the store (every 60 s).
#[test]
fn a_claim_that_was_given_back_runs_on_time_elsewhere() {
    let database = TestDatabase::create();
    // Twelve bots with slots at different seconds of a minute, so that some claim is always about to be due.
    let bots: Vec<BotEntry> = (0..12)
        .map(|n| {
            BotEntry::every(60, format!("bot-{n:02}"), "quiet").on(&format!(
                "type = \"Cron\"\nexpression = \"{} * * * * * *\"",
                n * 5
            ))
        })
        .collect();
    let site = Site::new(database.url(), &bots);
    let mut servers = [site.ready(), site.ready()];
    let (index, bot, slot) = eventually("a claim before its slot", Duration::from_secs(60), || {
        let row = database.ask(
            "SELECT task_id, scheduled_for, replica FROM actor_server_executions WHERE status = 'running' \
             AND started_at IS NULL AND scheduled_for > clock_timestamp() + interval '700 ms' LIMIT 1",
        );
        let mut columns = row.split('|');
        let (bot, slot, replica) = (columns.next()?, columns.next()?, columns.next()?);
        let index = servers.iter().position(|server| server.id() == replica)?;
        Some((index, bot.to_owned(), slot.to_owned()))
    });
    servers[index].stop();
    let sql = format!(
        "SELECT status, extract(epoch FROM started_at - scheduled_for) < 5 FROM actor_server_executions \
         WHERE task_id = '{bot}' AND scheduled_for = '{slot}' AND status <> 'running'"
    );
    let row = eventually("the slot is decided", Duration::from_secs(30), || {
        Some(database.ask(&sql)).filter(|row| !row.is_empty())
    });
    assert_eq!(
        row, "succeeded|t",
        "the slot's outcome, and whether it started within 5 s"
    );
}

#[test]
fn a_schedule_edit_that_is_rolled_out_counts_the_old_slots_up_to_it_and_the_new_ones_after() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &[BotEntry::every(1, "bot", "quiet")]);
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    let runs = "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded'";
    eventually("runs", PATIENCE, || {
        (database.number(runs) > 5).then_some(())
    });
    site.configure(&[BotEntry::every(2, "bot", "quiet")]);
    servers[0].stop();
    servers[0] = site.ready();
    let edited = database.ask("SELECT anchor FROM actor_server_state");
    let step = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND scheduled_for > '{edited}'"
    );
    eventually("new slots", PATIENCE, || {
        (database.number(&step) > 3).then_some(())
    });
    for server in &mut servers[1..] {
        server.stop();
        *server = site.ready();
    }
    let wanted = database.number(&step) + 4;
    eventually("new slots by all", PATIENCE, || {
        (database.number(&step) > wanted).then_some(())
    });
    servers.iter_mut().for_each(Server::stop);
    assert_eq!(
        database.ask("SELECT anchor FROM actor_server_state"),
        edited,
        "one edit"
    );
    let wrong = database.ask(&format!(
        "WITH r AS (SELECT scheduled_for AS first, coalesce(slot_last, scheduled_for) AS last, slots FROM actor_server_executions), \
         o AS (SELECT *, lag(last) OVER (ORDER BY first) AS before FROM r) \
         SELECT * FROM o WHERE first > '{edited}' AND before >= '{edited}' AND first - before <> interval '2 s' \
         OR first < '{edited}' AND first - before <> interval '1 s'"
    ));
    assert_eq!(wrong, "", "{}", database.ask("SELECT scheduled_for, slots, slot_last, status, reason FROM actor_server_executions ORDER BY 1"));
    database.assert_nothing_running();
}
