//! The live stream, also through cut connections.

use actor_server::client::{Error, StreamFilter};

use crate::stand_in::{Answer, StandIn};

const STREAM: &str = "GET /api/v1/stream";

fn events(text: &str) -> Answer {
    Answer::text(200, "text/event-stream; charset=utf-8", text)
}

#[tokio::test]
async fn a_cut_stream_goes_on_behind_the_last_event() {
    let server = StandIn::start();
    server.answer(STREAM, events("retry: 1\n\nid: 1\nevent: run_started\ndata: {\"actor\":\"a\"}\n\nid: 2\nevent: run_ended\ndata: {}\n\nid: 3\ndata: cut"));
    server.answer(
        STREAM,
        Answer::problem(503, "Service Unavailable", "restarting"),
    );
    server.answer(
        STREAM,
        events("id: 3\nevent: hold_set\ndata: {\"actor\":\"b\"}\n\n"),
    );
    let client = server.client();
    let mut listener = client.stream(None);
    let first = listener.next().await.unwrap();
    assert_eq!(
        (first.kind.as_str(), &first.value()["actor"]),
        ("run_started", &"a".into())
    );
    assert_eq!(listener.next().await.unwrap().kind, "run_ended");
    let third = listener.next().await.unwrap();
    assert_eq!(
        (third.kind.as_str(), third.id.as_deref()),
        ("hold_set", Some("3"))
    );
    assert_eq!(listener.last_event_id(), Some("3"));
    let asked = server.asked();
    assert_eq!(asked[0].headers["accept"], "text/event-stream");
    assert!(!asked[0].headers.contains_key("last-event-id"));
    assert_eq!(asked[1].headers["last-event-id"], "2");
    assert_eq!(asked[2].headers["last-event-id"], "2");
}

#[tokio::test]
async fn a_stream_that_only_says_where_it_is_is_resumed_there() {
    let server = StandIn::start();
    let line = "GET /api/v1/stream?actor=daily&events=run_ended";
    server.answer(line, events("retry: 1\nid: 5\n\n"));
    server.answer(line, events("id\n\n"));
    server.answer(line, events("data: {}\n\n"));
    let client = server.client();
    let filter = StreamFilter {
        actor: Some("daily".into()),
        events: Some("run_ended".into()),
    };
    client.stream_of(filter, None).next().await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[1].headers["last-event-id"], "5");
    assert!(!asked[2].headers.contains_key("last-event-id"));
}

#[tokio::test]
async fn a_listener_begins_where_another_stopped() {
    let server = StandIn::with(STREAM, events("id: 8\ndata: {}\n\n"));
    let client = server.client();
    client.stream(Some("7".into())).next().await.unwrap();
    assert_eq!(server.only().headers["last-event-id"], "7");
}

#[tokio::test]
async fn a_first_connection_that_fails_and_a_refusal_end_the_stream() {
    let server = StandIn::with(
        STREAM,
        Answer::problem(503, "Service Unavailable", "starting"),
    );
    let client = server.client();
    assert_eq!(
        client.stream(None).next().await.unwrap_err().status(),
        Some(503)
    );
    let server = StandIn::start();
    server.answer(STREAM, events("retry: 1\n\ndata: {}\n\n"));
    server.answer(
        STREAM,
        Answer::problem(401, "Unauthorized", "the token has expired"),
    );
    let client = server.client();
    let mut listener = client.stream(None);
    listener.next().await.unwrap();
    assert!(matches!(
        listener.next().await,
        Err(Error::Unauthorized { .. })
    ));
}

#[tokio::test]
async fn what_is_no_stream_is_refused() {
    let server = StandIn::with(STREAM, Answer::text(200, "application/json", "{}"));
    let client = server.client();
    assert!(client.stream(None).next().await.is_err());
}
