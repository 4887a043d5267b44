//! Probes tell the truth: while the server starts, works, stops, and while others take up its sockets.

use std::{net::TcpStream, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    client::{connect, get, read},
    home,
    server::{DEADLINE, retry},
};

#[test]
fn a_server_at_work_is_live_ready_started_and_healthy() {
    let home = home();
    let server = home.start();
    let health = server.address("health");
    let ready = retry(DEADLINE, || {
        Some(get(health, "/health/ready")).filter(|reply| reply.status == 200)
    });
    let ready = ready.unwrap().json();
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["checks"]["database"], true);
    assert_eq!(ready["checks"]["actors_loaded"], true);
    assert_eq!(get(health, "/health/startup").json()["status"], "started");
    let live = get(health, "/health/live").json();
    assert_eq!(live["status"], "ok");
    let timestamp = live["timestamp"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(timestamp).is_ok());
    let parts = ["persistence", "scheduler", "coordinator", "database"];
    let report = retry(DEADLINE, || {
        let report = get(health, "/health").json();
        let all = parts
            .iter()
            .all(|part| report["components"][part].is_object());
        all.then_some(report)
    });
    let report = report.unwrap();
    assert_eq!(report["status"], "healthy", "{report}");
    for part in parts {
        let part = &report["components"][part];
        assert_eq!(part["status"], "healthy", "{report}");
        assert!(chrono::DateTime::parse_from_rfc3339(part["since"].as_str().unwrap()).is_ok());
    }
    server.stop();
}

#[test]
fn a_server_that_waits_for_its_database_is_live_starting_and_not_ready() {
    let home = home();
    let mut server = home.launch(&[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]);
    server.wait_for_log("cannot be opened");
    for address in [server.address("health"), server.address("api")] {
        assert_eq!(get(address, "/health/live").status, 200);
        let startup = get(address, "/health/startup");
        assert_eq!(
            (startup.status, &startup.json()["status"]),
            (503, &"starting".into())
        );
        let ready = get(address, "/health/ready");
        assert_eq!(
            (ready.status, &ready.json()["status"]),
            (503, &"not_ready".into())
        );
        assert_eq!(ready.json()["checks"]["database"], false);
        assert_eq!(ready.json()["checks"]["actors_loaded"], false);
        let report = get(address, "/health");
        assert_eq!(
            (report.status, &report.json()["status"]),
            (200, &"degraded".into())
        );
        assert!(
            report.json()["reason"]
                .as_str()
                .unwrap()
                .contains("starting")
        );
    }
    server.signal(Signal::SIGTERM);
    let (status, took) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn probes_answer_while_a_thousand_idle_sockets_are_held_open_on_their_listener() {
    let home = home();
    let server = home.start();
    let health = server.address("health");
    let mut held: Vec<TcpStream> = (0..1000).map(|_| connect(health)).collect();
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        let mut quickest = Duration::MAX;
        for _ in 0..10 {
            let reply = get(health, path);
            assert_eq!(reply.status, 200);
            quickest = quickest.min(reply.took);
        }
        assert!(
            quickest < Duration::from_millis(100),
            "{path}: {quickest:?}"
        );
    }
    // Those that were held are answered too, or were let go of.
    use std::io::Write;
    let last = held.last_mut().unwrap();
    if last
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        .is_ok()
    {
        assert!(read(last).is_none_or(|reply| [200, 408].contains(&reply.status)));
    }
    let took = server.stop();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_probe_may_be_asked_for_its_head_only() {
    use std::io::Write;
    let home = home();
    let server = home.start();
    let mut stream = connect(server.address("health"));
    let twice = "HEAD /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(twice.as_bytes()).unwrap();
    let (text, _) = crate::client::read_to_end(&mut stream);
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    assert_eq!(text.matches("\"status\"").count(), 1, "{text}");
    server.stop();
}
