//! Handlers that break, and a coordinator that hangs, by failpoints.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use crate::{
    client::{connect, get, read},
    home,
    server::{DEADLINE, retry},
};

#[test]
fn a_wedged_coordinator_fails_the_live_probe_and_is_reported() {
    let home = home();
    let server = home.start_failing("coordinator.timer=sleep(600000)");
    let health = server.address("health");
    let begun = Instant::now();
    let seen = retry(DEADLINE, || {
        (get(health, "/health/live").status == 503).then_some(())
    });
    assert!(seen.is_some(), "{}", server.story());
    // It hangs a second after its start.
    let noticed = begun.elapsed();
    assert!(noticed < Duration::from_secs(8), "{noticed:?}");
    let report = get(health, "/health");
    assert_eq!(report.status, 503);
    assert_eq!(report.json()["status"], "unhealthy");
    let coordinator = &report.json()["components"]["coordinator"];
    assert!(coordinator["reason"].as_str().unwrap().contains("in time"));
    let time = |value: &serde_json::Value| {
        chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
    };
    // It is not the moment of the question that counts.
    let lasted = time(&report.json()["timestamp"]) - time(&coordinator["since"]);
    assert!(lasted.num_seconds() >= 3, "{lasted}");
    assert_eq!(get(health, "/health/startup").status, 200);
}

#[test]
fn a_coordinator_that_dies_and_is_rebuilt_leaves_the_server_live() {
    let home = home();
    let server = home.start_failing("coordinator.timer=2*panic(boom)");
    server.wait_for_log("an actor died; it is restarted");
    let health = server.address("health");
    for _ in 0..50 {
        assert_eq!(
            get(health, "/health/live").status,
            200,
            "{}",
            server.story()
        );
    }
    server.stop();
}

#[test]
fn a_handler_that_panics_is_a_problem_whose_cause_only_the_log_names() {
    let home = home();
    let server = home.start_failing("http.report=1*panic(the-secret-cause)");
    let health = server.address("health");
    let reply = get(health, "/health");
    let problem = reply.assert_problem(500);
    assert!(!reply.body.contains("the-secret-cause"), "{reply:?}");
    let id = problem["request_id"].as_str().unwrap();
    let line = server.wait_for_log("a handler panicked");
    assert!(line.contains(id), "{line}");
    assert!(server.stderr().contains("the-secret-cause"));
    assert_eq!(get(health, "/health").status, 200);
    server.stop();
}

#[test]
fn a_request_in_flight_is_answered_before_the_process_ends() {
    let home = home();
    let server = home.start_failing("http.report=sleep(600)");
    let mut stream = connect(server.address("api"));
    // Once this is answered the connection is in the hands of a worker.
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    stream.write_all(ask("/health/live").as_bytes()).unwrap();
    assert_eq!(read(&mut stream).unwrap().status, 200);
    stream.write_all(ask("/health").as_bytes()).unwrap();
    let took = server.stop();
    assert_eq!(read(&mut stream).unwrap().status, 200);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_server_that_drains_is_live_and_not_ready_until_the_end() {
    let home = crate::server::Home::new(
        "[server]\nshutdown_grace_seconds = 3\n[[actors]]\nname = \"bot\"\nconfig_file = \"post.toml\"\n[actors.schedule]\ntype = \"Immediate\"\n",
    );
    let mut server = home.start_failing("post.stored=sleep(600000)");
    let health = server.address("health");
    server.wait_for("a run at work", |ledger| !ledger.posts.is_empty());
    server.signal(nix::sys::signal::Signal::SIGTERM);
    server.wait_for_log("stopping");
    let ready = get(health, "/health/ready");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["status"], "not_ready");
    assert_eq!(ready.json()["checks"]["database"], true);
    assert_eq!(get(health, "/health/live").status, 200);
    assert_eq!(get(server.address("api"), "/health/ready").status, 503);
    assert_eq!(get(server.address("metrics"), "/metrics").status, 200);
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(0), "{}", server.story());
}
