//! What is wrong is said as a problem document, and every answer names its request.

use crate::{
    client::{get, send},
    home,
    server::LISTENERS,
};

#[test]
fn an_unknown_path_and_a_wrong_method_are_problems_on_every_listener() {
    let home = home();
    let server = home.start();
    for (name, _) in LISTENERS {
        let address = server.address(name);
        let path = if name == "metrics" {
            "/metrics"
        } else {
            "/health/live"
        };
        get(address, "/no/such/path").assert_problem(404);
        get(address, "/%00%ff..//..%2f").assert_problem(404);
        for method in ["POST", "DELETE", "BREW", "OPTIONS"] {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
            let reply = send(address, &request);
            reply.assert_problem(405);
            assert_eq!(reply.header("allow"), Some("GET, HEAD"));
        }
    }
    server.stop();
}

#[test]
fn every_answer_has_a_request_id_of_its_own_or_the_clients_if_it_is_plain() {
    let home = home();
    let server = home.start();
    let api = server.address("api");
    let ask = |id: &str, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\r\n");
        let reply = send(api, &request);
        reply.header("x-request-id").unwrap().to_owned()
    };
    for path in ["/health/live", "/nothing"] {
        assert_eq!(ask("Deploy-7.a_b", path), "Deploy-7.a_b");
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\"b", "<script>", long.as_str()] {
            let id = ask(bad, path);
            assert_ne!(id, bad);
            assert!((1..=64).contains(&id.len()), "{id}");
        }
        assert_ne!(ask("", path), ask("", path));
    }
    server.stop();
}

#[test]
fn answers_are_not_to_be_sniffed_or_stored() {
    let home = home();
    let server = home.start();
    for path in ["/health/ready", "/nothing"] {
        let reply = get(server.address("api"), path);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    server.stop();
}
