//! What people read, at a moment that stands still.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, from_value, json};

use super::{
    bots,
    failure::Failure,
    history, running, server,
    table::Look,
    text,
    times::{Moment, duration, parse_moment, parse_span, relative},
    watch,
};
use crate::client::{Actor, ActorStatus, Error, Execution, Reload, Supervision};

const PLAIN: Look = Look {
    width: None,
    colours: false,
};
const NARROW: Look = Look {
    width: Some(72),
    colours: true,
};

fn now() -> DateTime<Utc> {
    "2027-01-31T08:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> String {
    (now() + TimeDelta::seconds(seconds)).to_rfc3339()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    from_value(value).unwrap()
}

fn actors() -> Vec<Actor> {
    let actor = |name: &str, more: Value| {
        let mut actor = json!({
            "name": name, "enabled": true, "is_paused": false, "consecutive_failures": 0, "last_run": at(-7_300),
            "next_run": at(330), "schedule_type": "Cron", "schedule": "at 09:00:00 (Europe/Berlin)",
        });
        for (key, value) in more.as_object().unwrap() {
            actor[key] = value.clone();
        }
        read(actor)
    };
    let hold = |kind: &str, until: Value| json!({"is_paused": true, "hold": {"kind": kind, "reason": "a reason", "until": until, "by": "ann"}});
    vec![
        actor("daily", json!({})),
        actor("busy", json!({"running": [7], "last_run": at(-3)})),
        actor("off", json!({"enabled": false})),
        actor(
            "done",
            json!({"next_run": null, "schedule": null, "schedule_type": "Once"}),
        ),
        actor("paused", hold("manual", Value::Null)),
        actor("resting", hold("manual", at(5_400).into())),
        actor("broken", {
            let mut hold = hold("failures", Value::Null);
            hold["consecutive_failures"] = 5.into();
            hold
        }),
        actor("new", json!({"last_run": null})),
    ]
}

fn executions() -> Vec<Execution> {
    let run = |id: i64, status: &str, more: Value| {
        let mut run = json!({
            "id": id, "task_id": "daily", "status": status, "trigger": "schedule", "attempt": 1,
            "started_at": at(-90), "scheduled_for": at(-91), "slots": 1,
        });
        for (key, value) in more.as_object().unwrap() {
            run[key] = value.clone();
        }
        read(run)
    };
    vec![
        run(9, "running", json!({})),
        run(8, "succeeded", json!({"duration_ms": 850})),
        run(
            7,
            "failed",
            json!({"duration_ms": 65_000, "attempt": 3, "error_message": "content_posting: the platform says 500"}),
        ),
        run(
            6,
            "skipped",
            json!({"reason": "paused", "started_at": null, "slots": 12, "attempt": null}),
        ),
        run(5, "a_status_of_tomorrow", json!({"trigger": "event"})),
    ]
}

fn tree() -> Supervision {
    read(json!({
        "actors": [
            {"name": "coordinator", "supervisor": null, "state": "running", "restarts": null, "budget_left": null,
             "last_crash": null, "mailbox": null},
            {"name": "scheduler", "supervisor": "coordinator", "state": "running", "restarts": 0, "budget_left": 5,
             "last_crash": null, "mailbox": 0},
            {"name": "task/daily", "supervisor": "coordinator", "state": "given_up", "restarts": 6, "budget_left": 0,
             "last_crash": "panicked: boom", "mailbox": null},
        ],
        "breakers": [{"dependency": "discord", "state": "half_open"}],
        "replicas": [
            {"id": "0f3c", "address": "10.0.0.1:3000", "version": "0.1.0", "started_at": at(-7_300),
             "last_seen": at(-1), "alive": true},
            {"id": "77aa", "address": null, "version": "0.1.0", "started_at": at(-400_000),
             "last_seen": at(-65), "alive": false},
        ],
    }))
}

#[test]
fn bots_are_a_table() {
    insta::assert_snapshot!(bots::bots(&actors(), PLAIN, now()));
    assert_eq!(bots::bots(&[], PLAIN, now()), "no bots\n");
}

#[test]
fn on_a_terminal_a_table_has_colours_and_keeps_to_the_width() {
    let table = bots::bots(&actors(), NARROW, now());
    assert!(table.contains("\u{1b}["), "{table:?}");
    insta::assert_snapshot!(table.replace('\u{1b}', "␛"));
}

#[test]
fn a_bot_is_shown_in_detail() {
    let status: ActorStatus = read(json!({
        "actor": "x", "recent_executions": 5, "recent_success_rate": "80.0%",
    }));
    let shown: Vec<String> = ["resting", "busy"]
        .iter()
        .map(|name| {
            let actors = actors();
            let actor = actors.iter().find(|actor| actor.name == *name).unwrap();
            bots::one(actor, &status, PLAIN, now())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn runs_are_a_table() {
    insta::assert_snapshot!(history::runs(&executions(), PLAIN, now()));
}

#[test]
fn the_tree_and_the_replicas_are_tables() {
    insta::assert_snapshot!(
        [
            server::actors_and_breakers(&tree(), PLAIN, now()),
            server::processes(&tree(), PLAIN, now()),
        ]
        .join("\n")
    );
    let away: Supervision = read(json!({"replicas": null, "replicas_error": "the store is away"}));
    let said = server::processes(&away, PLAIN, now());
    assert_eq!(said, "the database cannot be asked: the store is away\n");
}

#[test]
fn a_reload_says_what_changes() {
    let reload: Reload = read(json!({
        "message": "Configuration reload triggered", "dry_run": false,
        "plan": {
            "added": [{"actor": "new", "keys": []}], "removed": [{"actor": "old", "keys": []}],
            "changed": [{"actor": "daily", "keys": ["schedule", "timeout_seconds"]}], "unchanged": 7,
            "settings": ["server.max_parallel_tasks"], "needs_restart": ["http.api"], "warnings": ["a \u{1b} word"],
        },
    }));
    insta::assert_snapshot!(server::changes(&reload.plan, false));
    assert!(server::changes(&reload.plan, true).ends_with("a reload would do\n"));
    assert_eq!(
        server::changes(&Default::default(), false),
        "nothing differs\n"
    );
}

#[test]
fn failures_say_what_happened_and_what_to_do() {
    let problem = |status, title: &str, detail: &str, errors: &[&str]| Error::Problem {
        status,
        title: title.into(),
        detail: detail.into(),
        request_id: Some("8d1f".into()),
        errors: errors.iter().map(ToString::to_string).collect(),
    };
    let url = || "http://127.0.0.1:3000".to_owned();
    let failures = [
        Error::Unreachable {
            url: url(),
            reason: "Connection refused (os error 111)".into(),
        },
        Error::Timeout { url: url() },
        Error::Unauthorized {
            detail: "the token has expired".into(),
            request_id: Some("8d1f".into()),
        },
        Error::Token,
        problem(403, "Forbidden", "the role `readonly` may not do this", &[]),
        problem(404, "Not Found", "there is no bot `x`", &[]),
        problem(
            422,
            "Unprocessable Entity",
            "the configuration has problems",
            &["a.toml:1:2: x", "b.toml:3:4: y"],
        ),
        problem(503, "Service \u{1b}[31m", "line\none\u{9b}2J", &[]),
    ];
    let shown: Vec<String> = failures
        .into_iter()
        .map(|error| Failure::from(error).to_string())
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn whatever_a_server_says_commands_no_terminal() {
    let hostile = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\r\nc\u{200b}\u{e0041}";
    let shown = text::line(hostile);
    assert_eq!(
        shown,
        "a\\u{1b}]0;x\\u{7}\\u{9b}2J\\u{202e}b\\r\\nc\\u{200b}\\u{e0041}"
    );
    assert_eq!(text::line("Grüße, 世界 👩‍🚀"), "Grüße, 世界 👩‍🚀");
    let document = json!({ "reason": hostile }).to_string();
    let shown = text::json(&document);
    assert!(
        shown.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        "{shown}"
    );
    let same: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(same["reason"], hostile);
}

#[test]
fn times_are_told_as_people_tell_them() {
    for (seconds, text) in [
        (0, "now"),
        (5, "in 5 s"),
        (-59, "59 s ago"),
        (330, "in 5 min"),
        (-3_600, "1 h ago"),
        (172_799, "in 47 h"),
        (-864_000, "10 d ago"),
    ] {
        assert_eq!(relative(now() + TimeDelta::seconds(seconds), now()), text);
    }
    let a_moment = TimeDelta::milliseconds(20);
    let two_hours = now() + TimeDelta::hours(2);
    assert_eq!(relative(two_hours, now() + a_moment), "in 2 h");
    assert_eq!(relative(now(), now() + a_moment), "now");
    for (milliseconds, text) in [
        (0, "0 ms"),
        (2_350, "2.3 s"),
        (65_000, "1 min 5 s"),
        (7_380_000, "2 h 3 min"),
    ] {
        assert_eq!(duration(milliseconds), text);
    }
}

#[test]
fn spans_and_moments_are_read_or_refused() {
    for (text, seconds) in [
        ("90s", 90),
        ("30m", 1_800),
        ("1d12h", 129_600),
        ("1w", 604_800),
    ] {
        assert_eq!(parse_span(text), Ok(TimeDelta::seconds(seconds)), "{text}");
    }
    for text in [
        "",
        "2",
        "h",
        "2x",
        "-2h",
        "0s",
        "1h 30m",
        "9999999999999999999h",
        "400000w",
        "2h!",
    ] {
        assert!(parse_span(text).is_err(), "{text}");
    }
    assert_eq!(parse_moment("2h"), Ok(Moment::Ago(TimeDelta::hours(2))));
    let berlin = parse_moment("2027-01-31T09:00:00+01:00");
    assert_eq!(berlin, Ok(Moment::At(now())));
    for text in [
        "tomorrow",
        "2027-01-31",
        "2027-01-31T08:00:00",
        "2027-02-30T08:00:00Z",
    ] {
        assert!(parse_moment(text).is_err(), "{text}");
    }
}

#[test]
fn content_is_a_text_or_an_item() {
    assert_eq!(running::content("hello"), json!({"body": "hello"}));
    assert_eq!(running::content("[1]"), json!({"body": "[1]"}));
    assert_eq!(
        running::content(r#"{"body": "x", "title": "y"}"#),
        json!({"body": "x", "title": "y"})
    );
}

#[test]
fn happenings_are_lines() {
    let happening =
        |kind: &str, data: &str| crate::client::Happening::from_parts(Some("7"), kind, data);
    let ended = happening(
        "run_ended",
        r#"{"at": "2027-01-31T08:00:00Z", "actor": "daily", "status": "failed", "error": "no \u001b way", "x": null}"#,
    );
    assert_eq!(
        watch::sentence(&ended),
        r#"2027-01-31T08:00:00Z run ended actor=daily error="no \u001b way" status=failed"#
    );
    assert_eq!(
        watch::sentence(&happening("odd\u{1b}", "no json\u{9b}")),
        "odd\\u{1b} no json\\u{9b}"
    );
    let document: Value = serde_json::from_str(&watch::document(&ended)).unwrap();
    assert_eq!(document["event"], "run_ended");
    assert_eq!(document["data"]["actor"], "daily");
}
