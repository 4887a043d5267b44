//! A database that goes away and comes back, as probes see it.

use std::time::{Duration, Instant};

use crate::{
    client::get,
    home,
    postgres::TestCluster,
    server::{DEADLINE, retry},
};

#[test]
fn an_outage_makes_the_server_not_ready_and_degraded_but_never_dead() {
    let mut cluster = TestCluster::start();
    let home = home();
    let server = home.start_with(&[("DATABASE_URL", &cluster.url())]);
    let health = server.address("health");
    let becomes = |status: u16| {
        let begun = Instant::now();
        let seen = retry(DEADLINE, || {
            assert_eq!(get(health, "/health/live").status, 200);
            (get(health, "/health/ready").status == status).then_some(())
        });
        assert!(seen.is_some(), "never {status}: {}", server.story());
        begun.elapsed()
    };
    becomes(200);
    cluster.stop();
    assert_eq!(get(health, "/health/startup").status, 200);
    let noticed = becomes(503);
    assert!(noticed < Duration::from_secs(5), "{noticed:?}");
    let ready = get(health, "/health/ready").json();
    assert_eq!(ready["checks"]["database"], false);
    assert_eq!(ready["checks"]["actors_loaded"], true);
    let report = retry(DEADLINE, || {
        let report = get(health, "/health");
        (report.json()["status"] == "degraded").then_some(report)
    });
    let report = report.unwrap();
    assert_eq!(report.status, 200);
    let report = report.json();
    assert_eq!(report["components"]["database"]["status"], "unhealthy");
    assert!(
        report["reason"]
            .as_str()
            .unwrap()
            .contains("kept in memory")
    );
    cluster.start_again();
    becomes(200);
    let again = retry(DEADLINE, || {
        (get(health, "/health").json()["status"] == "healthy").then_some(())
    });
    assert!(again.is_some(), "{}", server.story());
    server.stop();
}
