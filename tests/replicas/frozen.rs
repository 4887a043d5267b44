//! A process that is not dead but silent: frozen for longer than its lease it loses its runs, for shorter it does not.

use std::time::Duration;

use crate::{
    books::{Database, assert_each_once},
    discord::{FakeDiscord, TOKEN},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Server, Site, eventually, let_last},
};

fn site(database: &TestDatabase, discord: &FakeDiscord) -> Site {
    let bots = [
        BotEntry::every(1, "one", "chatty").with("channel_id = \"1\""),
        BotEntry::every(1, "two", "chatty").with("channel_id = \"2\""),
        BotEntry::every(1, "three", "quiet"),
    ];
    let mut site = Site::new(database.url(), &[]);
    site.sections = format!(
        "[discord]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"",
        discord.url()
    );
    site.configure(&bots);
    site
}

/// A run of `server` that has started, and its bot.
fn run_at_work(database: &TestDatabase, server: &Server) -> (String, String) {
    let sql = format!(
        "SELECT id, task_id FROM actor_server_executions WHERE status = 'running' AND started_at < clock_timestamp() - \
         interval '0.3 s' AND replica = '{}' ORDER BY id LIMIT 1",
        server.id()
    );
    eventually("a run at work", PATIENCE, || {
        let row = database.ask(&sql);
        let (id, bot) = row.split_once('|')?;
        Some((id.to_owned(), bot.to_owned()))
    })
}

fn status_of(database: &TestDatabase, run: &str) -> String {
    database.ask(&format!(
        "SELECT status FROM actor_server_executions WHERE id = {run}"
    ))
}

/// The process takes part in the work after everything that there is now.
fn assert_works(database: &TestDatabase, server: &Server) {
    let sql = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND replica = '{}' AND id > {}",
        server.id(),
        database.number("SELECT max(id) FROM actor_server_executions")
    );
    eventually("the process runs slots", PATIENCE, || {
        (database.number(&sql) > 2).then_some(())
    });
}

fn finish(database: &TestDatabase, discord: &FakeDiscord, servers: Vec<Server>) {
    for mut server in servers {
        server.stop();
    }
    database.assert_complete(1);
    database.assert_nothing_running();
    let messages = discord.messages();
    assert_each_once(messages.iter().map(|message| message.content().to_owned()));
    let sent = database.number("SELECT count(*) FROM actor_server_posts WHERE status = 'sent'");
    let all = database.number("SELECT count(*) FROM actor_server_posts");
    let messages = i64::try_from(messages.len()).unwrap();
    assert_eq!(
        (messages, messages),
        (sent, all),
        "messages, posts that were sent, and all posts"
    );
}

/// Freezes a process at `point` for longer than its lease, with another beside it.
fn freeze_at(point: &str) {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = site(&database, &discord);
    let frozen = site.ready_with(&[("FAILPOINTS", point)]);
    let (run, bot) = run_at_work(&database, &frozen);
    frozen.freeze();
    let other = site.ready();
    eventually("the run is taken over", Duration::from_secs(15), || {
        (status_of(&database, &run) == "abandoned").then_some(())
    });
    let closed = database.ask(&format!(
        "SELECT completed_at, error_message FROM actor_server_executions WHERE id = {run}"
    ));
    let before = database.succeeded(&bot);
    eventually("the other one goes on with the bot", PATIENCE, || {
        (database.succeeded(&bot) > before + 1).then_some(())
    });
    frozen.thaw();
    assert_works(&database, &frozen);
    eventually(
        "the run that was lost ends in its process",
        PATIENCE,
        || {
            frozen
                .log()
                .contains(&format!("execution_id={run} outcome="))
                .then_some(())
        },
    );
    assert_works(&database, &frozen);
    let after = database.ask(&format!(
        "SELECT completed_at, error_message FROM actor_server_executions WHERE id = {run}"
    ));
    assert_eq!(
        (status_of(&database, &run).as_str(), after),
        ("abandoned", closed)
    );
    finish(&database, &discord, vec![frozen, other]);
}

#[test]
fn a_process_frozen_before_its_run_posts_does_not_post_and_its_result_is_refused() {
    freeze_at("run.started=1*sleep(4000)");
}

#[test]
fn a_post_of_a_process_frozen_before_it_was_sent_goes_out_once() {
    freeze_at("post.stored=1*sleep(4000)");
}

#[test]
fn a_post_of_a_process_frozen_after_it_was_sent_is_not_sent_twice() {
    freeze_at("post.sent=1*sleep(4000)");
}

#[test]
fn a_pause_shorter_than_the_lease_changes_nothing() {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = site(&database, &discord);
    let frozen = site.ready_with(&[("FAILPOINTS", "post.stored=1*sleep(4000)")]);
    let other = site.ready();
    let (run, _) = run_at_work(&database, &frozen);
    frozen.freeze();
    let_last(Duration::from_secs(2));
    frozen.thaw();
    let status = eventually("the run has ended", PATIENCE, || {
        Some(status_of(&database, &run)).filter(|status| status != "running")
    });
    assert_eq!(status, "succeeded");
    assert_eq!(database.outcomes().get("abandoned"), None);
    finish(&database, &discord, vec![frozen, other]);
}

#[test]
fn a_lease_that_ran_out_and_that_nobody_took_is_still_good() {
    let (database, discord) = (TestDatabase::create(), FakeDiscord::start());
    let site = site(&database, &discord);
    let alone = site.ready_with(&[("FAILPOINTS", "post.stored=1*sleep(2000)")]);
    let (run, _) = run_at_work(&database, &alone);
    alone.freeze();
    let_last(Duration::from_secs(8));
    alone.thaw();
    let status = eventually("the run has ended", PATIENCE, || {
        Some(status_of(&database, &run)).filter(|status| status != "running")
    });
    assert_eq!(status, "succeeded");
    assert_works(&database, &alone);
    finish(&database, &discord, vec![alone]);
}
