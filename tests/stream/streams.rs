//! `GET /api/v1/stream` over real sockets.

use std::{convert::Infallible, pin::pin, time::Duration};

use actor_server::{
    actors::news::{Bounds, Happening, Interest, News},
    clock::Clock,
    domain::hold::{Hold, HoldKind},
    http::sse,
};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;

use super::{
    bots::name,
    client::{Answer, Api},
    news::{ended, started, tell},
    stand::becomes,
};

/// One event: its id, its name, its data.
async fn event(answer: &mut Answer) -> (String, String, Value) {
    loop {
        let frame = answer.until("\n\n").await;
        let line = |start: &str| {
            let mut lines = frame.lines();
            lines
                .find_map(|line| line.strip_prefix(start))
                .unwrap_or_default()
                .to_owned()
        };
        if frame.contains("data: ") {
            let data = serde_json::from_str(&line("data: ")).unwrap();
            return (line("id: "), line("event: "), data);
        }
    }
}

#[actix_rt::test]
async fn a_stream_says_what_it_is_and_tells_what_happens() {
    let api = Api::start(Bounds::default()).await;
    let mut answer = api.stream("", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(answer.status(), 200);
    let head = answer.head.to_lowercase();
    for header in [
        "content-type: text/event-stream",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "content-encoding: identity",
        "transfer-encoding: chunked",
    ] {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    let opening = answer.until("\n\n").await;
    assert!(opening.contains("retry: 2000\nid: "), "{opening}");
    tell(api.news(), started("bot", 7));
    let (id, kind, data) = event(&mut answer).await;
    assert!(id.ends_with("-1") && kind == "run_started", "{id} {kind}");
    assert_eq!(data["actor"], "bot");
    assert_eq!(
        (&data["execution_id"], &data["trigger"]),
        (&7.into(), &"schedule".into())
    );
    assert!(data["at"].as_str().unwrap().ends_with('Z') && data["scheduled_for"].is_null());
    tell(api.news(), ended("bot", 7, "first\nsecond\u{2028}\r"));
    let (_, kind, data) = event(&mut answer).await;
    assert_eq!(
        (kind.as_str(), &data["status"]),
        ("run_ended", &"failed".into())
    );
    assert_eq!(data["error"], "first\nsecond\u{2028}\r");
}

#[actix_rt::test]
async fn every_kind_of_happening_has_its_name_and_its_fields() {
    let api = Api::start(Bounds::default()).await;
    let mut answer = api.stream("", "").await;
    answer.until("\n\n").await;
    let hold = Hold {
        until: Some(Clock::process().now()),
        ..Hold::by_server(HoldKind::Manual, "a look")
    };
    for (happening, kind, fields) in [
        (
            Happening::HoldSet {
                bot: name("bot"),
                hold,
            },
            "hold_set",
            &["at", "actor", "hold"][..],
        ),
        (
            Happening::HoldCleared { bot: name("bot") },
            "hold_cleared",
            &["at", "actor"],
        ),
        (
            Happening::ActorRestarted {
                child: "task/bot".into(),
                reason: "panic: oh".into(),
                given_up: true,
            },
            "actor_restarted",
            &["at", "child", "reason", "given_up"],
        ),
        (
            Happening::BreakerChanged {
                dependency: "discord".into(),
                state: "open".into(),
            },
            "breaker_changed",
            &["at", "dependency", "state"],
        ),
    ] {
        tell(api.news(), happening);
        let (_, name, data) = event(&mut answer).await;
        assert_eq!(name, kind);
        assert_eq!(data.as_object().unwrap().len(), fields.len(), "{data}");
        assert!(fields.iter().all(|field| !data[*field].is_null()), "{data}");
    }
}

#[actix_rt::test]
async fn a_client_that_comes_back_by_header_or_parameter_gets_what_it_missed() {
    let api = Api::start(Bounds::default()).await;
    let mut answer = api.stream("", "").await;
    answer.until("\n\n").await;
    tell(api.news(), started("bot", 1));
    let (id, ..) = event(&mut answer).await;
    drop(answer);
    (2..200).for_each(|n| tell(api.news(), started("bot", n)));
    for (query, header) in [
        (String::new(), format!("Last-Event-ID: {id}\r\n")),
        (format!("?last_event_id={id}"), String::new()),
        (
            "?last_event_id=nonsense".into(),
            format!("Last-Event-ID: {id}\r\n"),
        ),
    ] {
        let mut back = api.stream(&query, &header).await;
        for n in 2..200 {
            let (_, _, data) = event(&mut back).await;
            assert_eq!(data["execution_id"], n);
        }
    }
}

#[actix_rt::test]
async fn an_id_that_leads_nowhere_is_a_gap_and_no_error() {
    let api = Api::start(Bounds {
        items: 2,
        ..Bounds::default()
    })
    .await;
    (0..9).for_each(|n| tell(api.news(), started("bot", n)));
    let mut answer = api.stream("", "").await;
    let opening = answer.until("\n\n").await;
    let newest = opening
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let old = newest.replace("-9", "-3");
    for (header, reason) in [
        (format!("Last-Event-ID: {old}\r\n").into_bytes(), "too_old"),
        (b"Last-Event-ID: 0\r\n".to_vec(), "unknown_id"),
        (b"Last-Event-ID: \r\n".to_vec(), "unknown_id"),
        (
            "Last-Event-ID: \u{1f980}\r\n".to_owned().into_bytes(),
            "unknown_id",
        ),
    ] {
        let header = String::from_utf8(header).unwrap();
        let mut back = api.stream("", &header).await;
        let (id, kind, data) = event(&mut back).await;
        assert_eq!((id.as_str(), kind.as_str()), (newest, "gap"), "{header}");
        assert_eq!(data["reason"], reason, "{header}");
    }
}

#[actix_rt::test]
async fn filters_choose_bots_and_kinds_and_what_they_do_not_know_is_refused() {
    let api = Api::start(Bounds::default()).await;
    let mut answer = api.stream("?actor=bot&events=run_ended,hold_set", "").await;
    answer.until("\n\n").await;
    tell(api.news(), ended("other", 1, "no"));
    tell(api.news(), started("bot", 2));
    tell(api.news(), ended("bot", 3, "no"));
    let (_, _, data) = event(&mut answer).await;
    assert_eq!(data["execution_id"], 3);
    for query in [
        "?actor=nobody",
        "?actor=",
        "?actor=a%20b",
        "?events=run_ended,",
        "?events=",
        "?events=gap",
        "?events=RUN_ENDED",
        "?events=run_ended&events=run_started",
        "?colour=red",
    ] {
        let mut refused = api.stream(query, "").await;
        assert_eq!(refused.status(), 400, "{query}");
        assert!(refused.head.contains("application/problem+json"), "{query}");
        assert_eq!(refused.body().await["status"], 400, "{query}");
    }
}

#[actix_rt::test]
async fn a_client_that_stops_reading_is_dropped_and_its_stream_ends_with_saying_so() {
    let api = Api::start(Bounds {
        behind: 512,
        ..Bounds::default()
    })
    .await;
    let mut slow = api.stream("", "").await;
    let mut quick = api.stream("?events=run_started", "").await;
    let reads = actix_rt::spawn(async move {
        loop {
            let (_, _, data) = event(&mut quick).await;
            if data["execution_id"] == -1 {
                return;
            }
        }
    });
    let news = api.news().clone();
    // The network takes what it can hold; then the client is behind.
    becomes(1, || {
        tell_much(&news);
        news.dropped()
    })
    .await;
    tell(&news, started("bot", -1));
    reads.await.unwrap();
    let rest = slow.rest().await;
    let (_, last) = rest.rsplit_once("event: ").unwrap();
    assert!(last.starts_with("dropped\ndata: "), "{last}");
    assert_eq!(news.dropped(), 1, "the other kept up");
    becomes(0, || {
        // A socket that is closed is found out by what is written to it.
        tell(&news, started("bot", 1));
        news.listeners()
    })
    .await;
}

#[actix_rt::test]
async fn a_stop_does_not_wait_for_streams() {
    let api = Api::start(Bounds::default()).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut answer = api.stream("", "").await;
        answer.until("\n\n").await;
        streams.push(answer);
    }
    api.news().close();
    for answer in &mut streams {
        answer.until("0\r\n\r\n").await;
    }
    let mut refused = api.stream("", "").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.body().await["detail"], "the server is stopping");
    drop((streams, refused));
    tokio::time::timeout(Duration::from_secs(10), api.stop())
        .await
        .unwrap();
}

#[actix_rt::test]
async fn there_are_only_so_many_places_and_one_that_leaves_makes_room() {
    let api = Api::start(Bounds {
        listeners: 2,
        ..Bounds::default()
    })
    .await;
    let first = api.stream("", "").await;
    let _second = api.stream("", "").await;
    let refused = api.stream("", "").await;
    assert_eq!(refused.status(), 503);
    assert!(
        refused.head.to_lowercase().contains("retry-after: 5"),
        "{}",
        refused.head
    );
    drop(first);
    becomes(1, || {
        // A socket that is closed is found out by what is written to it.
        tell(api.news(), started("bot", 1));
        api.news().listeners()
    })
    .await;
    assert_eq!(api.stream("", "").await.status(), 200);
}

#[actix_rt::test]
async fn the_place_of_a_client_that_stops_reading_for_good_becomes_free() {
    let api = Api::patient(Bounds::default(), Duration::from_secs(2)).await;
    let _stuck = api.stream("", "").await;
    assert_eq!(api.news().listeners(), 1);
    becomes(0, || {
        tell_much(api.news());
        api.news().listeners()
    })
    .await;
}

/// More than the reader of a stream should have to wait for.
fn tell_much(news: &News) {
    (0..50).for_each(|n| tell(news, ended("bot", n, &"x".repeat(2000))));
}

#[actix_rt::test]
async fn silence_is_broken_by_heartbeats_that_keep_a_clients_place() {
    let news = News::default();
    let interest = Interest {
        bot: Some("mine".into()),
        kinds: Vec::new(),
    };
    let listener = news.subscribe(None, interest).unwrap();
    let body = sse::body(listener, Clock::process(), Duration::from_millis(20));
    let mut body = pin!(body);
    let opening = text(body.next().await);
    assert!(opening.starts_with("retry: 2000\nid: ") && opening.ends_with("-0\n\n"));
    let beat = text(body.next().await);
    assert!(
        beat.starts_with(":\nid: ") && beat.ends_with("-0\n\n"),
        "{beat}"
    );
    (0..5000).for_each(|n| tell(&news, started("other", n)));
    let beat = text(body.next().await);
    assert!(
        beat.starts_with(":\nid: ") && beat.ends_with("-5000\n\n"),
        "{beat}"
    );
    tell(&news, started("mine", 7));
    let told = text(body.next().await);
    assert!(
        told.contains("-5001\nevent: run_started\ndata: {"),
        "{told}"
    );
    news.close();
    assert!(body.next().await.is_none());
}

fn text(chunk: Option<Result<Bytes, Infallible>>) -> String {
    let Some(Ok(bytes)) = chunk else {
        panic!("the stream has ended");
    };
    String::from_utf8(bytes.to_vec()).unwrap()
}
