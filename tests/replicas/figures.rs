//! Measured, not judged closely: run with `--ignored --nocapture` on a quiet machine.

use crate::{
    books::Database,
    postgres::TestDatabase,
    replica::{PATIENCE, Server, Site, eventually},
    sharing::crowd,
};

fn measure(replicas: usize) {
    let database = TestDatabase::create();
    let mut site = Site::new(database.url(), &[]);
    site.server = "max_parallel_tasks = 200".into();
    site.configure(&crowd(100, "quiet"));
    let mut servers: Vec<Server> = (0..replicas).map(|_| site.ready()).collect();
    let from = database.number("SELECT coalesce(max(id), 0) + 300 FROM actor_server_executions");
    let runs = format!(
        "SELECT count(*) FROM actor_server_executions WHERE status = 'succeeded' AND id > {from}"
    );
    eventually("3000 runs", 2 * PATIENCE, || {
        (database.number(&runs) > 3000).then_some(())
    });
    servers.iter_mut().for_each(Server::stop);
    let late = database.ask(&format!(
        "SELECT percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - scheduled_for) * 1000) \
         FROM actor_server_executions WHERE started_at IS NOT NULL AND id > {from}"
    ));
    let length = database.ask(&format!(
        "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - started_at) * 1000) \
         FROM actor_server_executions WHERE status = 'succeeded' AND id > {from}"
    ));
    eprintln!(
        "{replicas} replicas, 100 bots a second: lateness p50, p90, p99, max in ms {late}; length p50, p99 {length}; {:?}",
        database.outcomes()
    );
    database.assert_complete(1);
    let median: f64 = late
        .trim_matches(['{', '}'])
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(median < 250.0, "{late}");
}

#[test]
#[ignore = "a measurement: scripts/test --full"]
fn a_hundred_bots_a_second_on_one_process() {
    measure(1);
}

#[test]
#[ignore = "a measurement: scripts/test --full"]
fn a_hundred_bots_a_second_on_three_processes() {
    measure(3);
}
