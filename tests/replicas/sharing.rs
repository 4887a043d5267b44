//! Several processes on one database, all of them well.

use crate::{
    books::{Database, assert_each_once},
    postgres::TestDatabase,
    replica::{BotEntry, PATIENCE, Server, Site, eventually},
};

/// As many bots with a slot a second.
pub(crate) fn crowd(count: u32, file: &'static str) -> Vec<BotEntry> {
    (0..count)
        .map(|n| BotEntry::every(1, format!("bot-{n:02}"), file))
        .collect()
}

/// Everything that the processes posted to the console.
pub(crate) fn all_posts(servers: &[Server]) -> Vec<String> {
    servers.iter().flat_map(Server::posts).collect()
}

#[test]
fn three_replicas_share_the_slots_and_each_runs_once() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &crowd(30, "chatty"));
    let mut servers: Vec<Server> = (0..3).map(|_| site.ready()).collect();
    let from = database.number("SELECT coalesce(max(id), 0) FROM actor_server_executions");
    eventually("runs", PATIENCE, || {
        (database.number(&format!("SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND id > {from}")) > 300)
            .then_some(())
    });
    database.assert_complete(1);
    let shares = database.ask(&format!(
        "SELECT replica, count(*) FROM actor_server_executions WHERE status = 'succeeded' AND id > {from} GROUP BY 1"
    ));
    assert_eq!(shares.lines().count(), 3, "{shares}");
    for server in &mut servers {
        server.stop();
    }
    database.assert_complete(1);
    database.assert_nothing_running();
    database.assert_posted_once();
    assert_each_once(all_posts(&servers));
    let outcomes = database.outcomes();
    let (ran, all) = (outcomes["succeeded"], outcomes.values().sum::<i64>());
    assert!(
        ran * 100 >= all * 90,
        "slots that did not run: {outcomes:?}\n{shares}"
    );
}

/// The versions that there are, in order.
fn migrations() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<String> = names.map(|name| name[..4].to_owned()).collect();
    versions.sort();
    versions
}

#[test]
fn four_replicas_that_start_at_once_on_an_empty_database_all_become_ready() {
    let database = TestDatabase::create();
    let site = Site::new(database.url(), &crowd(5, "quiet"));
    let mut servers: Vec<Server> = (0..4).map(|_| site.start()).collect();
    servers.iter_mut().for_each(Server::wait_until_ready);
    assert_eq!(
        database.number("SELECT count(*) FROM actor_server_replicas"),
        4
    );
    let applied = database.ask("SELECT version FROM __diesel_schema_migrations ORDER BY 1");
    assert_eq!(applied, migrations().join("\n"));
    assert_eq!(
        database.number("SELECT count(*) FROM actor_server_state"),
        5
    );
    servers.iter_mut().for_each(Server::stop);
    database.assert_complete(1);
    database.assert_nothing_running();
}
