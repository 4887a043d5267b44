//! Log lines: what comes from outside forges none, and those of a run name its trace.

use serde_json::{Value, json};

use crate::{
    client::{get, send},
    collector::Collector,
    discord::{FakeDiscord, Reply},
    server::{Home, Server},
    stand::{ask, home, poster, traced, waiting},
};

/// Ends a line in every way, and pretends to be another one.
const HOSTILE: &str = "x\n2026-01-01T00:00:00.000000Z  INFO forged\r\n{\"level\":\"INFO\",\"message\":\"forged\"}\u{2028}2026-01-01T00:00:00Z\u{2029}\u{85}\u{1b}[2K\u{1b}[31m\u{202e}\u{2066}\0";

const DANGEROUS: [char; 8] = [
    '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{1b}', '\u{202e}', '\u{2066}', '\0',
];

/// The log of a server that hears hostile texts from its platform, its operators, its events and its own files.
fn log_of(format: &str) -> String {
    let discord = FakeDiscord::start();
    discord.otherwise(Some(Reply::error(400, 1, HOSTILE)));
    let listening =
        waiting("bot").with("on_event = { types = [\"deploy\"] }\noverlap = \"allow_all\"");
    let home = home(&discord, &[listening]);
    home.set("LOG_FORMAT", format);
    home.set("RUST_LOG", "debug");
    let server = home.start();
    say(&home, &server);
    server.wait_for("the runs", |ledger| ledger.with("bot", "failed").len() >= 2);
    server.stop();
    home.stderr()
}

fn say(home: &Home, server: &Server<'_>) {
    let plain = HOSTILE.replace(char::is_control, "");
    let content = HOSTILE.replace('\0', "");
    let event = json!({ "event_type": "deploy", "source": plain, "payload": content });
    for (path, body) in [
        ("/actors/bot/pause", json!({ "reason": HOSTILE })),
        ("/actors/bot/pause", json!({ "reason": plain })),
        ("/actors/bot/resume", json!({})),
        (
            "/actors/bot/trigger",
            json!({ "note": plain, "content": content }),
        ),
        ("/events", event),
        ("/actors/%0A2026%E2%80%A8/pause", json!({})),
    ] {
        let reply = ask(home, server, path, "X-Request-Id: a\u{202e}\r\n", &body);
        assert!(reply.status < 500, "{path}: {reply:?}");
    }
}

fn assert_nothing_dangerous(log: &str) {
    let dangerous = |line: &&str| line.contains(DANGEROUS);
    assert_eq!(log.split('\n').find(dangerous), None);
    assert!(log.contains("forged"), "the texts are in the log:\n{log}");
}

/// Whether a line begins as lines of the log do.
fn is_begun(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let time = words.next().unwrap_or_default();
    let level = words.next().unwrap_or_default();
    let good = ["ERROR", "WARN", "INFO", "DEBUG"].contains(&level);
    good && time.parse::<chrono::DateTime<chrono::Utc>>().is_ok() && !time.starts_with("2026-01-01")
}

#[test]
fn no_text_from_outside_forges_a_line_for_people() {
    let log = log_of("text");
    assert_nothing_dangerous(&log);
    assert_eq!(log.lines().find(|line| !is_begun(line)), None);
    assert!(
        log.contains(r"\u{2028}2026-01-01T00:00:00Z\u{2029}"),
        "{log}"
    );
}

#[test]
fn no_text_from_outside_forges_a_line_for_programs() {
    let log = log_of("json");
    assert_nothing_dangerous(&log);
    let records: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let forged = |record: &&Value| {
        record["message"]
            .as_str()
            .is_some_and(|it| it.starts_with("forged"))
    };
    assert_eq!(records.iter().find(forged), None);
    let ends = records
        .iter()
        .filter(|record| record["message"] == "the run has ended");
    for end in ends {
        assert!(end["error"].as_str().unwrap().contains('\u{2028}'), "{end}");
        assert_eq!(end["actor"], "bot");
    }
}

#[test]
fn labels_of_metrics_do_not_come_from_requests() {
    let discord = FakeDiscord::start();
    let home = home(&discord, &[waiting("bot")]);
    let server = home.start();
    say(&home, &server);
    send(
        server.address("api"),
        "FORGED\"} /x%0Aforged{a=\"b\"} HTTP/1.1\r\nHost: forged\r\n\r\n",
    );
    send(
        server.address("api"),
        "FORGED /forged?forged HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\r\n\r\n",
    );
    let metrics = get(server.address("metrics"), "/metrics").body;
    assert!(metrics.contains("http_requests_total") && !metrics.to_lowercase().contains("forged"));
    assert!(!metrics.contains(DANGEROUS), "{metrics}");
    server.stop();
}

#[cfg(feature = "failpoints")]
#[test]
fn a_panic_is_one_line_however_long_its_text_is() {
    let discord = FakeDiscord::start();
    let text = format!(
        "{}\u{2028}\u{1b}[31m\n2026-01-01 forged{}",
        "x",
        "y".repeat(60_000)
    );
    for format in ["text", "json"] {
        let home = home(&discord, &[poster("bot")]);
        home.set("LOG_FORMAT", format);
        let server = home.start_failing(&format!("post.stored=panic({text})"));
        server.wait_for("the panic", |ledger| {
            !ledger.with("bot", "panicked").is_empty()
        });
        server.stop();
        let log = home.stderr();
        assert_nothing_dangerous(&log);
        let panic = log
            .lines()
            .find(|line| line.contains("ERROR") && line.contains("panic"));
        let panic = panic.unwrap();
        assert!(
            panic.contains("…(cut)") && panic.len() < 20_000,
            "{}",
            panic.len()
        );
        assert!(panic.contains("execution_id"), "{panic}");
        if format == "text" {
            assert_eq!(log.lines().find(|line| !is_begun(line)), None);
        }
    }
}

#[test]
fn the_lines_of_a_run_name_its_trace_in_both_formats() {
    for format in ["text", "json"] {
        let (collector, discord) = (Collector::start(), FakeDiscord::start());
        discord.script([Reply::bad_gateway()]);
        let bot = poster("bot").retry("max_attempts = 2\ninitial_backoff_seconds = 0.1");
        let home = traced(&collector, &discord, &[bot, waiting("asked")]);
        home.set("LOG_FORMAT", format);
        let server = home.start();
        let trace = collector.trace_with("run", ("outcome", "succeeded"));
        let (run, post) = (trace.only("run"), trace.only("post"));
        server.stop();
        let log = home.stderr();
        for (message, span) in [
            ("the run has ended", run),
            ("the post was not confirmed", post),
        ] {
            let line = log.lines().find(|line| line.contains(message)).unwrap();
            let (trace, span) = match format {
                "text" => (
                    format!("trace_id={}", span.trace),
                    format!("span_id={}", span.id),
                ),
                _ => (
                    format!(r#""trace_id":"{}""#, span.trace),
                    format!(r#""span_id":"{}""#, span.id),
                ),
            };
            assert!(line.contains(&trace) && line.contains(&span), "{line}");
        }
        let ready = log.lines().find(|line| line.contains("ready")).unwrap();
        assert!(!ready.contains("trace_id"), "{ready}");
    }
}

#[test]
fn a_slot_is_logged_as_the_plain_time_that_it_is() {
    let discord = FakeDiscord::start();
    discord.script([Reply::bad_gateway()]);
    let home = home(&discord, &[poster("bot")]);
    let server = home.start();
    let line = server.wait_for_log("the post is dead");
    let (_, slot) = line.split_once("scheduled_for=").unwrap();
    let slot = slot.split([' ', '}']).next().unwrap();
    let time = slot.parse::<chrono::DateTime<chrono::Utc>>();
    assert!(time.is_ok(), "{line}");
    server.stop();
}
