//! Runs that somebody asks for are in the trace of whoever asks.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use crate::{
    client::{get, send},
    collector::Collector,
    discord::FakeDiscord,
    server::DEADLINE,
    stand::{ask, traced, trigger, waiting},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[test]
fn a_trigger_goes_on_with_the_trace_of_its_request() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[waiting("bot")]);
    let server = home.start();
    let headers =
        format!("traceparent: 00-{TRACE}-{SPAN}-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
    trigger(&home, &server, "bot", &headers);
    let trace = collector.trace_with("run", ("outcome", "succeeded"));
    let request = trace.only("POST /api/v1/actors/{id}/trigger");
    assert_eq!(
        (request.trace.as_str(), request.parent.as_str()),
        (TRACE, SPAN)
    );
    assert_eq!(request.kind, SpanKind::Server);
    assert_eq!(request.says("http.response.status_code"), "200");
    assert_eq!(request.says("url.path"), "/api/v1/actors/bot/trigger");
    let run = trace.only("run");
    assert_eq!(run.parent, request.id);
    assert_eq!(
        (run.says("trigger"), run.state.as_str()),
        ("manual", "a=1,b=2")
    );
    let told = &discord.requests()[0];
    assert!(
        told.traceparent.starts_with(&format!("00-{TRACE}-")),
        "{told:?}"
    );
    assert_eq!(told.tracestate, "a=1,b=2");
    server.stop();
}

#[test]
fn an_event_goes_on_with_the_trace_of_its_request_in_every_run() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let listening = |name| waiting(name).with("on_event = { types = [\"deploy\"] }");
    let home = traced(&collector, &discord, &[listening("one"), listening("two")]);
    let server = home.start();
    let event = json!({ "event_type": "deploy", "source": "ci", "payload": { "n": 1 } });
    let headers = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\nIdempotency-Key: k\r\n");
    let reply = ask(&home, &server, "/events", &headers, &event);
    assert_eq!(reply.status, 202, "{reply:?}");
    let again = format!(
        "traceparent: 00-{TRACE}-{}-01\r\nIdempotency-Key: k\r\n",
        "a".repeat(16)
    );
    let repeated = ask(&home, &server, "/events", &again, &event);
    assert_eq!(
        (repeated.status, repeated.json()["executions"].clone()),
        (202, reply.json()["executions"].clone())
    );
    collector.trace_with("run", ("actor", "one"));
    let trace = collector.trace_with("run", ("actor", "two"));
    assert!(trace.named("run").iter().all(|run| run.trace == TRACE));
    let run = &reply.json()["executions"][0]["execution_id"];
    let shown = get(server.address("api"), &format!("/api/v1/executions/{run}")).json();
    let given = json!({ "event": { "type": "deploy", "source": "ci", "payload": { "n": 1 } } });
    assert_eq!(shown["input"], given);
    server.stop();
}

#[test]
fn a_caller_that_does_not_record_is_followed_and_its_trace_goes_on() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[waiting("bot")]);
    let server = home.start();
    trigger(
        &home,
        &server,
        "bot",
        &format!("traceparent: 00-{TRACE}-{SPAN}-00\r\n"),
    );
    let told = discord.wait_for_requests(1, DEADLINE);
    let parent = &told[0].traceparent;
    assert!(
        parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-00"),
        "{parent}"
    );
    server.wait_for("the run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let metadata = home.ledger().of("bot")[0].metadata.clone();
    assert!(!metadata.contains("trace_id"), "{metadata}");
    server.stop();
    assert_eq!(collector.spans().len(), 0);
}

#[test]
fn a_traceparent_that_is_none_is_as_if_it_were_not_there() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(
        &collector,
        &discord,
        &[waiting("bot").with("overlap = \"allow_all\"")],
    );
    let server = home.start();
    let bad = [
        "traceparent: nonsense\r\n".to_owned(),
        format!("traceparent: 00-{TRACE}-{}-01\r\n", "0".repeat(16)),
        format!("traceparent: 00-{}-{SPAN}-01\r\n", TRACE.to_uppercase()),
        format!("traceparent: 00-{TRACE}-{SPAN}-01\r\ntraceparent: 00-{TRACE}-{SPAN}-01\r\n"),
        format!("traceparent: 00-{TRACE}-{SPAN}-01{}\r\n", "0".repeat(4000)),
        format!("traceparent: 00-{TRACE}-{SPAN}-0\u{e9}\r\n"),
        "tracestate: a=1\r\n".to_owned(),
    ];
    for headers in &bad {
        trigger(&home, &server, "bot", headers);
    }
    let runs = collector.wait_for("all runs", |spans| {
        let runs: Vec<_> = spans
            .iter()
            .filter(|span| span.name == "run")
            .cloned()
            .collect();
        (runs.len() == bad.len()).then_some(runs)
    });
    assert!(
        runs.iter()
            .all(|run| run.trace != TRACE && run.state.is_empty())
    );
    let spans = collector.spans();
    let mut requests = spans.iter().filter(|span| span.kind == SpanKind::Server);
    assert!(requests.all(|request| request.parent.is_empty()));
    server.stop();
}

#[test]
fn probes_scrapes_and_refused_requests_are_in_no_trace() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[waiting("bot")]);
    let server = home.start();
    assert_eq!(get(server.address("health"), "/health/live").status, 200);
    assert_eq!(get(server.address("metrics"), "/metrics").status, 200);
    assert_eq!(get(server.address("api"), "/api/v1/actors").status, 200);
    let request = format!(
        "POST /api/v1/actors/bot/trigger HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{TRACE}-{SPAN}-01\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(send(server.address("api"), &request).status, 401);
    server.stop();
    // The stop has sent what there was.
    assert_eq!(collector.spans().len(), 0);
}
