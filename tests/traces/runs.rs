//! The trace of a run.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;

use crate::{
    bots::Bot,
    collector::{Collector, Seen},
    discord::{FakeDiscord, Reply},
    stand::{poster, traced, trigger, waiting_at},
};

#[test]
fn a_run_is_one_trace_from_its_claim_to_its_stored_result() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[poster("bot")]);
    let server = home.start();
    let trace = collector.trace_with("run", ("actor", "bot"));
    let run = trace.only("run");
    assert_eq!(run.parent, "");
    assert_eq!(trace.parts_of(run), ["claim", "attempt", "store result"]);
    let (attempt, post) = (trace.only("attempt"), trace.only("post"));
    let posting = trace.only("skill content_posting");
    let request = trace.only("POST /api/v10/channels/{channel}/messages");
    let skills = ["skill content_formatter", "skill content_posting"];
    assert_eq!(trace.parts_of(attempt), skills);
    assert_eq!(trace.parts_of(posting), ["post"]);
    assert_eq!(trace.parts_of(post), ["store post", request.name.as_str()]);
    assert_eq!(trace.0.len(), 9, "{trace:#?}");
    assert!(
        trace
            .0
            .iter()
            .all(|span| within(span, run) && span.error.is_none())
    );

    let ledger = home.ledger();
    let row = ledger.of("bot")[0];
    assert_eq!(run.says("execution_id"), row.id.to_string());
    assert_eq!(run.says("replica"), row.replica.as_deref().unwrap());
    assert_eq!(run.resource["service.instance.id"], run.says("replica"));
    assert_eq!(run.resource["service.name"], "actor-server");
    assert_eq!(run.resource["service.version"], env!("CARGO_PKG_VERSION"));
    for (key, value) in [
        ("trigger", "schedule"),
        ("outcome", "succeeded"),
        ("attempt", "1"),
    ] {
        assert_eq!(run.says(key), value);
    }
    assert!(run.says("scheduled_for").ends_with('Z'));
    assert!(run.says("lateness_seconds").parse::<f64>().unwrap() >= 0.0);
    let metadata: Value = serde_json::from_str(&row.metadata).unwrap();
    assert_eq!(metadata["trace_id"], run.trace.as_str());
    server.stop();
}

fn within(span: &Seen, run: &Seen) -> bool {
    run.start <= span.start && span.start <= span.end && span.end <= run.end
}

#[test]
fn a_request_to_the_platform_is_described_and_tells_of_its_trace() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    let home = traced(&collector, &discord, &[poster("bot")]);
    let server = home.start();
    let trace = collector.trace_with("run", ("actor", "bot"));
    let span = trace.only("POST /api/v10/channels/{channel}/messages");
    assert_eq!(span.kind, SpanKind::Client);
    let url = format!("{}/api/v10/channels/42/messages", discord.url());
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("url.full", &url),
    ] {
        assert_eq!(span.says(key), value);
    }
    let told = &discord.requests()[0].traceparent;
    assert_eq!(*told, format!("00-{}-{}-01", span.trace, span.id));
    server.stop();
}

#[test]
fn a_run_that_fails_says_so_and_why() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.script([Reply::error(400, 50035, "Invalid Form Body")]);
    let home = traced(&collector, &discord, &[poster("bot")]);
    let server = home.start();
    let trace = collector.trace_with("run", ("outcome", "failed"));
    for name in ["run", "attempt", "skill content_posting", "post"] {
        let error = trace.only(name).error.as_deref().unwrap_or_default();
        assert!(error.contains("Invalid Form Body"), "{name}: {error}");
    }
    let request = trace.only("POST /api/v10/channels/{channel}/messages");
    assert_eq!(request.says("http.response.status_code"), "400");
    assert_eq!(request.says("error.type"), "400");
    assert!(request.error.is_some());
    for name in ["claim", "skill content_formatter", "store result"] {
        assert_eq!(trace.only(name).error, None, "{name}");
    }
    server.stop();
}

#[test]
fn attempts_are_parts_of_one_run() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.script([Reply::Hang]);
    let bot = poster("bot").with("timeout_seconds = 1");
    let bot = bot.retry("max_attempts = 2\ninitial_backoff_seconds = 0.1");
    let home = traced(&collector, &discord, &[bot]);
    let server = home.start();
    let trace = collector.trace_with("run", ("outcome", "succeeded"));
    let run = trace.only("run");
    let parts = ["claim", "attempt", "attempt", "store result"];
    assert_eq!(
        (trace.parts_of(run), run.says("attempt")),
        (parts.to_vec(), "2")
    );
    let mut attempts = trace.named("attempt");
    attempts.sort_by_key(|attempt| attempt.start);
    assert_eq!(attempts[0].says("outcome"), "timed_out");
    assert!(
        attempts[0]
            .error
            .as_deref()
            .unwrap()
            .contains("longer than 1 s")
    );
    assert_eq!(
        (attempts[1].says("attempt"), attempts[1].error.as_ref()),
        ("2", None)
    );
    server.stop();
}

#[test]
fn a_run_that_goes_on_after_its_process_died_stays_in_its_trace() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.otherwise(Some(Reply::Hang));
    let again = |bot: Bot| bot.with("recover_in_flight = true");
    let bots = [again(poster("bot")), again(waiting_at("asked", 43))];
    let home = traced(&collector, &discord, &bots);
    let server = home.start();
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    trigger(
        &home,
        &server,
        "asked",
        &format!("traceparent: {caller}\r\n"),
    );
    let before = discord.wait_for_requests(2, crate::server::DEADLINE);
    server.kill();
    discord.otherwise(None);
    let server = home.start();
    let ledger = home.ledger();
    let of = |bot: &str| ledger.of(bot)[0].id.to_string();
    for bot in ["bot", "asked"] {
        let trace = collector.trace_with("run", ("execution_id", &of(bot)));
        let run = trace.only("run");
        assert_eq!(
            (run.says("attempt"), run.says("outcome")),
            ("2", "succeeded")
        );
        let began = before
            .iter()
            .filter(|it| it.traceparent.contains(&run.trace));
        assert_eq!(began.count(), 1, "{bot}: {before:?}");
        assert_eq!(run.trace == caller[3..35], bot == "asked");
    }
    server.stop();
}

#[test]
fn what_a_stop_finds_waiting_is_sent_before_the_end() {
    let (collector, discord) = (Collector::start(), FakeDiscord::start());
    discord.script([Reply::rate_limited(1.0, false)]);
    let home = traced(&collector, &discord, &[poster("bot")]);
    home.set("OTEL_BSP_SCHEDULE_DELAY", "600000");
    let server = home.start();
    discord.wait_for_requests(1, crate::server::DEADLINE);
    assert_eq!(collector.requests(), 0);
    server.stop();
    let spans = collector.spans();
    let run = spans.iter().find(|span| span.name == "run").unwrap();
    assert_eq!(run.says("outcome"), "succeeded");
    let stored = spans.iter().any(|span| span.name == "store result");
    assert!(
        stored && !home.stderr().contains("did not reach"),
        "{}",
        home.stderr()
    );
}
