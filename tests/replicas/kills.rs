//! Processes die in the middle of their work; the others go on.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    books::{Database, assert_each_once},
    discord::{FakeDiscord, TOKEN},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Server, Site, eventually},
    sharing::crowd,
};

/// A site whose bots post to the fake; the channel makes them Discord's.
fn discord_site(database: &TestDatabase, discord: &FakeDiscord, count: u32, more: &str) -> Site {
    let bots: Vec<BotEntry> = crowd(count, "chatty")
        .into_iter()
        .enumerate()
        .map(|(n, bot)| bot.with(&format!("channel_id = \"{}\"\n{more}", 1000 + n)))
        .collect();
    let mut site = Site::new(database.url(), &[]);
    site.sections = format!(
        "[discord]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"",
        discord.url()
    );
    site.configure(&bots);
    site
}

fn rows_of(database: &TestDatabase, replica: &str) -> i64 {
    database.number(&format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'running' AND replica = '{replica}'"
    ))
}

/// Waits until `count` runs more have ended well.
fn wait_for_runs(database: &TestDatabase, count: i64) {
    let runs = "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded'";
    let wanted = database.number(runs) + count;
    eventually("runs", PATIENCE, || {
        (database.number(runs) >= wanted).then_some(())
    });
}

fn kill_in_turn(
    database: &TestDatabase,
    discord: &FakeDiscord,
    site: &Site,
    rounds: usize,
) -> Vec<Duration> {
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    let mut takeovers = Vec::new();
    for round in 0..rounds {
        wait_for_runs(database, 60);
        let two = round % 3 == 2;
        let mut dead: Vec<Server> = servers.drain(..if two { 2 } else { 1 }).collect();
        let ids: Vec<String> = dead.iter().map(Server::id).collect();
        dead.iter_mut().for_each(Server::kill);
        let died = Instant::now();
        for id in &ids {
            eventually(
                "the dead process's rows are closed",
                Duration::from_secs(15),
                || (rows_of(database, id) == 0).then_some(()),
            );
            takeovers.push(died.elapsed());
        }
        servers.extend(dead.iter().map(|_| site.ready()));
    }
    wait_for_runs(database, 60);
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
    let sent = database.number("SELECT count(*) FROM actor_server_posts WHERE status = 'sent'");
    let waiting = database.ask("SELECT id, status FROM actor_server_posts WHERE status <> 'sent'");
    assert_eq!(waiting, "", "posts that did not go out");
    let messages = discord.messages();
    assert_each_once(messages.iter().map(|message| message.content().to_owned()));
    assert_eq!(i64::try_from(messages.len()).unwrap(), sent);
    takeovers
}

#[test]
fn replicas_that_are_killed_in_turn_lose_and_double_nothing() {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = discord_site(&database, &discord, 30, "");
    let takeovers = kill_in_turn(&database, &discord, &site, 4);
    eprintln!("takeovers after {takeovers:?}; {:?}", database.outcomes());
}

#[test]
#[ignore = "takes minutes: scripts/test --full"]
fn replicas_that_are_killed_again_and_again_lose_and_double_nothing() {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = discord_site(&database, &discord, 30, "");
    let mut takeovers = kill_in_turn(&database, &discord, &site, 30);
    takeovers.sort_unstable();
    eprintln!(
        "{} takeovers, p50 {:?}, most {:?}; {:?}",
        takeovers.len(),
        takeovers[takeovers.len() / 2],
        takeovers[takeovers.len() - 1],
        database.outcomes()
    );
}

#[test]
fn a_claim_that_a_dead_process_had_not_started_is_decided_anew() {
    let database = TestDatabase::create();
    let bots = [
        BotEntry::every(3, "a", "quiet"),
        BotEntry::every(3, "b", "quiet"),
    ];
    let site = Site::new(database.url(), &bots);
    let mut first = site.ready();
    let (_, reserved) = eventually("a claim before its slot", PATIENCE, || {
        let row = database.ask(&format!(
            "SELECT task_id, scheduled_for FROM actor_server_executions WHERE status = 'running' AND started_at IS NULL \
             AND replica = '{}' AND scheduled_for > clock_timestamp() + interval '500 ms' LIMIT 1",
            first.id()
        ));
        if row.is_empty() {
            return None;
        }
        first.kill();
        let (bot, slot) = row.split_once('|')?;
        Some((bot.to_owned(), slot.to_owned()))
    });
    let mut second = site.ready();
    let ended = format!(
        "SELECT DISTINCT status FROM actor_server_executions WHERE scheduled_for = '{reserved}' AND status <> 'running'"
    );
    let status = eventually("the slot is decided", Duration::from_secs(20), || {
        Some(database.ask(&ended)).filter(|row| !row.is_empty())
    });
    // By then a newer slot is due as well: it is late. Without one it would have run.
    assert!(
        ["missed", "succeeded"].contains(&status.as_str()),
        "{status}"
    );
    second.stop();
    database.assert_complete(3);
    database.assert_nothing_running();
    assert_eq!(database.outcomes().get("abandoned"), None);
}

#[test]
fn an_interrupted_run_is_run_again_in_the_same_row_if_its_bot_wants_that() {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = discord_site(
        &database,
        &discord,
        1,
        "recover_in_flight = true\noverlap = \"allow_all\"",
    );
    let mut first = site.ready_with(&[("FAILPOINTS", "run.started=1*sleep(60000)")]);
    let run = eventually("a run at work", PATIENCE, || {
        let row = database.ask("SELECT min(id) FROM actor_server_executions WHERE started_at IS NOT NULL AND status = 'running'");
        Some(row).filter(|row| !row.is_empty())
    });
    first.kill();
    let mut second = site.ready();
    let ended = format!(
        "SELECT status, attempt, replica FROM actor_server_executions WHERE id = {run} AND status <> 'running'"
    );
    let row = eventually("the run has ended", Duration::from_secs(20), || {
        Some(database.ask(&ended)).filter(|row| !row.is_empty())
    });
    assert_eq!(row, format!("succeeded|2|{}", second.id()));
    second.stop();
    database.assert_complete(1);
    assert_each_once(
        discord
            .messages()
            .iter()
            .map(|message| message.content().to_owned()),
    );
}
