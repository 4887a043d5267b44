//! Where the server listens, and what it says when it cannot.

use std::net::{SocketAddr, TcpListener};

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};

use crate::{
    client::get,
    home,
    server::{DEADLINE, LISTENERS, retry},
};

/// A port that nobody uses at this moment.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn each_listener_has_its_own_routes_and_no_others() {
    let home = home();
    let server = home.start();
    let [api, health, metrics] = LISTENERS.map(|(name, _)| server.address(name));
    for (address, path, there) in [
        (api, "/health/live", true),
        (api, "/health", true),
        (api, "/api/v1/health/live", true),
        (api, "/api/v1/health/ready", true),
        (api, "/api/v1/health/startup", true),
        (api, "/metrics", false),
        (health, "/health/live", true),
        (health, "/health/startup", true),
        (health, "/health", true),
        (health, "/api/v1/health/live", false),
        (health, "/api/v1/actors", false),
        (health, "/metrics", false),
        (metrics, "/metrics", true),
        (metrics, "/health/live", false),
        (metrics, "/api/v1/health/live", false),
    ] {
        let status = get(address, path).status;
        assert_eq!(status != 404, there, "{path} on {address}: {status}");
    }
    server.stop();
}

#[test]
fn equal_addresses_share_one_listener_that_serves_everything() {
    let home = home();
    let shared = free();
    for (_, variable) in LISTENERS {
        home.set(variable, &shared.to_string());
    }
    let server = home.start();
    for (name, _) in LISTENERS {
        assert_eq!(server.address(name), shared);
    }
    for path in ["/health/live", "/api/v1/health/live", "/metrics"] {
        assert_eq!(get(shared, path).status, 200, "{path}");
    }
    server.stop();
}

#[test]
fn a_listener_that_is_switched_off_is_not_there() {
    let home = home();
    home.set("ENABLE_API", "0");
    home.set("ENABLE_METRICS", "false");
    let server = home.start();
    assert_eq!(get(server.address("health"), "/health/live").status, 200);
    let log = server.stderr();
    assert_eq!(log.matches("listening").count(), 1, "{log}");
    server.stop();
}

#[test]
fn a_port_in_use_is_named_with_its_setting_and_nothing_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (name, variable) in LISTENERS {
        let home = home();
        home.set(variable, &address);
        let output = home.run(&["run"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let last = said.lines().last().unwrap();
        let setting = format!("[http] {name}");
        for part in ["actor-server: ", &address, &setting, "set another address"] {
            assert!(last.contains(part), "{part} is not in {last}");
        }
        assert!(!home.path("bots.db").exists());
    }
}

#[test]
fn a_port_can_be_taken_over_from_a_server_that_has_just_ended() {
    let home = home();
    home.set(LISTENERS[0].1, &free().to_string());
    for _ in 0..3 {
        let server = home.start();
        assert_eq!(get(server.address("api"), "/health/live").status, 200);
        server.stop();
    }
}

#[test]
fn the_address_of_the_api_is_known_to_other_processes() {
    let home = home();
    let server = home.start();
    let api = server.address("api").to_string();
    let found = retry(DEADLINE, || {
        let path = home.path("bots.db");
        let mut conn = SqliteConnection::establish(path.to_str()?).ok()?;
        let rows = sql_query("SELECT address FROM actor_server_replicas");
        let rows: Vec<Replica> = rows.load(&mut conn).ok()?;
        rows.iter().any(|row| row.address == api).then_some(())
    });
    assert!(found.is_some());
    server.stop();
}

#[derive(diesel::QueryableByName)]
struct Replica {
    #[diesel(sql_type = Text)]
    address: String,
}
