//! Bodies that are no wish, and bodies that do not come.

use std::{
    io::Write,
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    client::{connect, read, read_to_end},
    stand::{Api, home, resting},
};

/// The promise is ten seconds; a busy machine may add to it.
const CUT: Duration = Duration::from_secs(13);

#[test]
fn a_body_is_an_object_or_says_nothing_whatever_its_spelling() {
    let home = home(&resting("quiet", "quiet.toml"));
    let server = home.start();
    let api = Api::with_role(&home, &server, "operator");
    let ask = |content_type: &str, body: &str| {
        api.ask("POST", "/api/v1/actors/quiet/pause", content_type, body)
    };
    for (content_type, body) in [
        ("text/html", ""),
        ("application/json", " {} "),
        ("application/json\r\nContent-Encoding: Identity", "{}"),
    ] {
        let reply = ask(content_type, body);
        assert_eq!(reply.status, 200, "{content_type} {body}: {reply:?}");
    }
    for body in ["null", r#"["why", null]"#, "[]", "\u{feff}{}", "{}{}", "3"] {
        ask("application/json", body).assert_problem(400);
    }
    let event = json!(["release.published", "ci", {}]);
    api.post("/api/v1/events", &event).assert_problem(400);
    server.stop();
}

#[test]
fn what_a_client_made_up_is_not_repeated_at_length() {
    let home = home("");
    let server = home.start();
    let (api, long) = (Api::anonymous(&server), "A".repeat(5_000));
    let method = api.ask(&long, "/api/v1/actors", "application/json", "");
    let parameter = api.get(&format!("/api/v1/actors?{long}=1"));
    for (reply, status) in [(method, 405), (parameter, 400)] {
        let problem = reply.assert_problem(status);
        assert!(problem["detail"].as_str().unwrap().len() < 300);
    }
    server.stop();
}

#[test]
fn a_body_that_does_not_come_is_answered_and_its_connection_cut_within_ten_seconds() {
    let home = home(&resting("quiet", "quiet.toml"));
    let server = home.start();
    let token = home.run(&[
        "token",
        "--role",
        "operator",
        "--subject",
        "ann",
        "--ttl",
        "1h",
    ]);
    let token = String::from_utf8(token.stdout).unwrap();
    let (token, api) = (token.trim(), server.address("api"));
    std::thread::scope(|clients| {
        for path in ["/api/v1/actors/quiet/pause", "/api/v1/events"] {
            for body in [
                "Content-Length: 9\r\n\r\n{",
                "Transfer-Encoding: chunked\r\n\r\n9\r\n{",
            ] {
                clients.spawn(move || begin_and_stall(api, path, token, body));
            }
        }
    });
    server.stop();
}

fn begin_and_stall(api: SocketAddr, path: &str, token: &str, body: &str) {
    let mut stream = connect(api);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let begun = Instant::now();
    read(&mut stream).unwrap().assert_problem(408);
    let _ = read_to_end(&mut stream);
    let took = begun.elapsed();
    assert!(took < CUT, "{path} {body}: {took:?}");
}
