//! `token` and `healthcheck` from outside.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Output},
};

use actix_web::{http::header::AUTHORIZATION, test::TestRequest};
use actor_server::{
    clock::Clock,
    http::auth::{Guard, Role},
};

use super::stand::{SECRET, only_secret};

fn run(arguments: &[&str], file: &str, variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("server.toml"), file).unwrap();
    Command::new(env!("CARGO_BIN_EXE_actor-server"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("ACTOR_SERVER_CONFIG", "server.toml")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

const KEY: [(&str, &str); 1] = [("API_JWT_SECRET", SECRET)];

#[test]
fn a_printed_token_is_one_line_that_the_server_accepts() {
    let arguments = [
        "token",
        "--role",
        "operator",
        "--subject",
        "Ann",
        "--ttl",
        "8h",
    ];
    let output = run(&arguments, "", &KEY);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let token = text.strip_suffix('\n').unwrap();
    let request = TestRequest::default().insert_header((AUTHORIZATION, format!("Bearer {token}")));
    let guard = Guard::new(only_secret(), Clock::process());
    let caller = guard.caller(&request.to_http_request()).unwrap();
    assert_eq!(
        (caller.subject.as_str(), caller.role),
        ("Ann", Role::Operator)
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn a_token_that_cannot_be_made_is_wrong_usage() {
    let usual = ["token", "--role", "admin", "--subject", "Ann", "--ttl"];
    for (ttl, more, variables, said) in [
        ("31d", vec![], &KEY[..], "at most 2592000"),
        ("8h", vec![], &[], "set API_JWT_SECRET"),
        (
            "8h",
            vec!["--kid", "other"],
            &KEY,
            "no HMAC key has the kid `other`",
        ),
        ("8", vec![], &KEY, "use a number with a unit"),
        (
            "8h",
            vec![],
            &[("API_JWT_SECRET", "short")],
            "at least 32 are needed",
        ),
        ("8h", vec!["--role", "root"], &KEY, "role"),
    ] {
        let arguments = [&usual[..], &[ttl], &more].concat();
        let output = run(&arguments, "", variables);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
        assert!(output.stdout.is_empty() && !complaint.contains(SECRET));
    }
}

/// Answers one request with this text, on a port of its own.
fn listener(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        let n = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..n]).into_owned()
    });
    (port, thread)
}

#[test]
fn health_is_asked_of_this_machine_whatever_the_file_says_otherwise() {
    let (port, thread) = listener("HTTP/1.1 200 OK\r\n\r\n");
    let address = format!("0.0.0.0:{port}");
    let variables = [("ACTOR_SERVER_HEALTH_ADDR", address.as_str())];
    let output = run(&["healthcheck"], "this = is [no TOML", &variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        thread
            .join()
            .unwrap()
            .starts_with("GET /health/live HTTP/1.1\r\n")
    );

    let (port, thread) = listener("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    let file = format!("[http]\nhealth = \"0.0.0.0:{port}\"\n[server]\nnonsense = true\n");
    let output = run(&["healthcheck"], &file, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("503"), "{complaint}");
    thread.join().unwrap();
}

#[test]
fn a_server_that_is_not_there_or_says_nothing_is_not_well() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = silent.local_addr().unwrap().to_string();
    let output = run(
        &["healthcheck"],
        "",
        &[("ACTOR_SERVER_HEALTH_ADDR", &taken)],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    drop(silent);
    let output = run(
        &["healthcheck"],
        "",
        &[("ACTOR_SERVER_HEALTH_ADDR", &taken)],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines = String::from_utf8(output.stderr).unwrap();
    assert_eq!(lines.lines().count(), 1, "{lines}");
}
