//! What a client makes of refusals, silence, and servers that are something else.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};

use actor_server::client::{ActorFilter, Client, Error, Timeouts};
use serde_json::json;

use crate::stand_in::{Answer, StandIn};

const LIST: &str = "GET /api/v1/actors";

async fn refused(server: &StandIn) -> Error {
    let all = ActorFilter::default();
    server.client().actors(&all).await.unwrap_err()
}

/// A port where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_problem_document_becomes_an_error_with_its_fields() {
    let body = json!({
        "title": "Unprocessable Entity", "status": 422, "detail": "nothing was changed", "request_id": "r-9",
        "errors": ["a.toml:1:2: x", "b.toml:3:4: y"], "more": true,
    });
    let server = StandIn::with(
        LIST,
        Answer::text(422, "application/problem+json", &body.to_string()),
    );
    let error = refused(&server).await;
    assert_eq!(
        (error.status(), error.request_id()),
        (Some(422), Some("r-9"))
    );
    let Error::Problem {
        title,
        detail,
        errors,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (title.as_str(), detail.as_str()),
        ("Unprocessable Entity", "nothing was changed")
    );
    assert_eq!(errors.len(), 2);
}

#[tokio::test]
async fn a_401_is_an_error_of_its_own_also_from_a_proxy() {
    let server = StandIn::with(
        LIST,
        Answer::problem(401, "Unauthorized", "the token has expired"),
    );
    assert!(
        matches!(refused(&server).await, Error::Unauthorized { detail, .. } if detail == "the token has expired")
    );
    let server = StandIn::with(
        LIST,
        Answer::text(401, "text/html", "<h1>Who are you?</h1>").with("X-Request-Id", "p-1"),
    );
    assert!(
        matches!(refused(&server).await, Error::Unauthorized { request_id: Some(id), .. } if id == "p-1")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_the_token_stays_here() {
    let thief = StandIn::with(LIST, Answer::json(&json!([])));
    let target = format!("{}/api/v1/actors", thief.url);
    let server = StandIn::with(
        LIST,
        Answer::text(307, "text/plain", "").with("Location", &target),
    );
    let error = refused(&server).await;
    assert!(error.to_string().contains(&target), "{error}");
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn whoever_answers_something_else_is_not_believed() {
    for answer in [
        Answer::text(200, "text/html", "<html>"),
        Answer::json(&json!({"actors": []})),
        Answer::json(&json!([{"no_name": 1}])),
        Answer::text(200, "application/json", "[{\"name\": \"cut o"),
        Answer::text(200, "application/json", ""),
        Answer::text(502, "text/html", "<h1>Bad Gateway</h1>"),
        Answer::text(404, "text/plain", ""),
    ] {
        let server = StandIn::with(LIST, answer.clone());
        let error = refused(&server).await;
        assert!(
            matches!(error, Error::Unexpected { .. }),
            "{answer:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let url = nowhere();
    let client = Client::new(&url, None).unwrap();
    let error = client.config().await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { url: at, .. } if *at == url),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_or_trickles_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[");
            std::thread::park_timeout(Duration::from_secs(30));
        }
    });
    let timeouts = Timeouts {
        request: Duration::from_millis(300),
        ..Default::default()
    };
    let client = Client::with_timeouts(&url, None, timeouts).unwrap();
    let error = client.config().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_not_asked_for() {
    let server = StandIn::start();
    let client = server.client();
    for name in ["..", ".", ""] {
        assert!(matches!(client.resume(name).await, Err(Error::Argument(_))));
    }
    assert!(server.asked().is_empty());
    let _ = client.resume("../resume?kind=failures#").await;
    let line = "POST /api/v1/actors/..%2Fresume%3Fkind=failures%23/resume";
    assert_eq!(server.only().line, line);
}

#[test]
fn the_token_is_shown_nowhere_and_checked_before_it_is_sent() {
    let client = Client::new("http://h/base/", Some("s3cret-t0ken".into())).unwrap();
    let shown = format!("{client:?}");
    assert!(
        shown.contains("***") && shown.contains("http://h/base") && !shown.contains("s3cret"),
        "{shown}"
    );
    for token in ["", " ", "a b", "a\nb", "é", "a\u{0}"] {
        let error = Client::new("http://h", Some(token.into())).unwrap_err();
        assert_eq!(error, Error::Token, "{token:?}");
    }
}
