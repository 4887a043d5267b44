//! Texts that would command a terminal: they are shown, never obeyed.

use serde_json::json;

use crate::{
    answers::{actor, execution, held, status, supervision},
    stand_in::{Answer, Said, StandIn},
};

/// Clears the screen, sets the title, turns the text around, ends the line.
const EVIL: &str = "x\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\ny\u{200b}";

fn harmless(said: &Said) {
    for text in [&said.out, &said.err] {
        let odd: Vec<char> = text
            .chars()
            .filter(|c| *c != '\n' && (c.is_control() || ['\u{200b}', '\u{202e}'].contains(c)))
            .collect();
        assert!(odd.is_empty(), "{odd:?} in {said:?}");
    }
}

#[test]
fn no_answer_commands_the_terminal() {
    let server = StandIn::start();
    let hold = json!({"kind": EVIL, "reason": EVIL, "until": null, "by": EVIL});
    let mut evil = held(EVIL, &hold);
    (evil["description"], evil["schedule"]) = (EVIL.into(), EVIL.into());
    let mut run = execution(7, "failed");
    (run["error_message"], run["task_id"], run["status"]) = (EVIL.into(), EVIL.into(), EVIL.into());
    let mut tree = supervision();
    (
        tree["actors"][0]["name"],
        tree["actors"][1]["last_crash"],
        tree["replicas"][0]["address"],
    ) = (EVIL.into(), EVIL.into(), EVIL.into());
    let mut shown = status(EVIL);
    shown["recent_success_rate"] = EVIL.into();
    for (line, body) in [
        ("GET /api/v1/actors", json!([evil])),
        ("GET /api/v1/actors/a", evil.clone()),
        ("GET /api/v1/actors/a/status", shown),
        ("POST /api/v1/actors/a/pause", evil.clone()),
        ("POST /api/v1/actors/a/resume", actor(EVIL)),
        (
            "POST /api/v1/actors/resume?kind=manual",
            json!({"resumed": [EVIL]}),
        ),
        (
            "POST /api/v1/actors/a/trigger",
            json!({"message": EVIL, "execution_id": 7}),
        ),
        ("GET /api/v1/executions?limit=50", json!([run])),
        ("GET /api/v1/supervision", tree),
        (
            "POST /api/v1/config/reload",
            json!({"plan": {"added": [{"actor": EVIL, "keys": [EVIL]}], "warnings": [EVIL]}}),
        ),
    ] {
        server.answer(line, Answer::json(&body));
    }
    for arguments in [
        &["list"][..],
        &["status", "a"],
        &["pause", "a"],
        &["resume", "a"],
        &["resume", "--all", "--kind", "manual"],
        &["trigger", "a"],
        &["history"],
        &["tree"],
        &["replicas"],
        &["reload"],
    ] {
        let said = server.ctl(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        harmless(&said);
        let json = server.ctl(&[arguments, &["--json"]].concat());
        assert_eq!(json.code, Some(0), "{arguments:?}: {json:?}");
        harmless(&json);
        assert!(
            serde_json::from_str::<serde_json::Value>(&json.out).is_ok(),
            "{json:?}"
        );
    }
}

#[test]
fn no_error_and_no_event_commands_the_terminal() {
    let server = StandIn::start();
    let problem = json!({"title": EVIL, "detail": EVIL, "request_id": EVIL, "errors": [EVIL]});
    server.answer(
        "GET /api/v1/actors",
        Answer::text(422, "application/problem+json", &problem.to_string()),
    );
    server.answer(
        "GET /api/v1/supervision",
        Answer::text(502, "text/html", EVIL),
    );
    let event = json!({"actor": EVIL, "error": EVIL}).to_string();
    server.answer(
        "GET /api/v1/stream",
        Answer::text(
            200,
            "text/event-stream",
            &format!("retry: 1\nid: \u{9b}\nevent: \u{1b}[2J\ndata: {event}\n\n"),
        ),
    );
    server.answer("GET /api/v1/stream", Answer::problem(403, EVIL, EVIL));
    for arguments in [&["list"][..], &["tree"], &["watch"]] {
        let said = server.ctl(arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        harmless(&said);
    }
}
