//! `actor-server ctl …`: what is asked, what is printed, and the exit code.

use serde_json::{Value, json};

use crate::{
    answers::{actor, execution, held, status, supervision, within},
    stand_in::{Answer, StandIn, fine},
};

#[test]
fn bots_are_listed_as_a_table_or_as_the_api_gives_them() {
    let answer = json!([actor("daily"), actor("weekly")])
        .to_string()
        .replace(',', " , ");
    let server = StandIn::with(
        "GET /api/v1/actors",
        Answer::text(200, "application/json", &answer),
    );
    let said = server.ctl(&["list"]);
    let lines: Vec<&str> = fine(&said).lines().collect();
    assert!(lines[0].starts_with("BOT "), "{lines:?}");
    assert!(
        lines[1].starts_with("daily ")
            && lines[1].contains("2 h ago")
            && lines[1].contains("in 5 min"),
        "{lines:?}"
    );
    assert!(!said.out.contains('\u{1b}'), "a pipe gets no colours");
    let said = server.ctl(&["list", "--json"]);
    assert_eq!(fine(&said), answer + "\n");
    assert_eq!(server.asked()[0].headers["authorization"], "Bearer a-token");
}

#[test]
fn filters_of_the_list_reach_the_server() {
    let server = StandIn::with(
        "GET /api/v1/actors?paused=true&q=dai",
        Answer::json(&json!([])),
    );
    assert_eq!(
        fine(&server.ctl(&["list", "--paused", "-q", "dai"])),
        "no bots\n"
    );
}

#[test]
fn a_bot_is_shown() {
    let server = StandIn::start();
    server.answer("GET /api/v1/actors/daily", Answer::json(&actor("daily")));
    server.answer(
        "GET /api/v1/actors/daily/status",
        Answer::json(&status("daily")),
    );
    let said = server.ctl(&["status", "daily"]);
    for part in ["daily", "waiting", "5 (80.0% good)", "in 5 min"] {
        assert!(fine(&said).contains(part), "{part}: {}", said.out);
    }
    let said = server.ctl(&["--json", "status", "daily"]);
    let document: Value = serde_json::from_str(fine(&said)).unwrap();
    assert_eq!(document["recent_success_rate"], "80.0%");
}

#[test]
fn a_bot_is_paused_with_reason_and_end() {
    let hold = json!({"kind": "manual", "reason": "holidays", "until": within(7_230), "by": "ann"});
    let server = StandIn::with(
        "POST /api/v1/actors/daily/pause",
        Answer::json(&held("daily", &hold)),
    );
    let said = server.ctl(&["pause", "daily", "--reason", "holidays", "--for", "2h"]);
    assert!(
        fine(&said).starts_with("daily is paused until 20") && said.out.contains("(in 2 h)"),
        "{said:?}"
    );
    let until = ["pause", "daily", "--until", "2099-01-31T09:00:00+01:00"];
    fine(&server.ctl(&until));
    fine(&server.ctl(&["pause", "daily"]));
    let bodies: Vec<Value> = server.asked().iter().map(|asked| asked.json()).collect();
    assert_eq!(bodies[0]["reason"], "holidays");
    assert!(bodies[0]["until"].as_str().unwrap() > within(7_000).as_str());
    assert_eq!(bodies[1], json!({"until": "2099-01-31T08:00:00Z"}));
    assert_eq!(bodies[2], json!({}));
}

#[test]
fn bots_are_resumed_one_by_one_or_all_of_a_kind() {
    let server = StandIn::start();
    server.answer(
        "POST /api/v1/actors/daily/resume",
        Answer::json(&actor("daily")),
    );
    server.answer(
        "POST /api/v1/actors/resume?kind=given_up",
        Answer::json(&json!({"resumed": ["a", "b"]})),
    );
    assert!(fine(&server.ctl(&["resume", "daily"])).starts_with("daily is not held; next run "));
    let all = server.ctl(&["resume", "--all", "--kind", "given_up"]);
    assert_eq!(fine(&all), "2 resumed: a, b\n");
}

#[test]
fn a_run_by_hand_is_waited_for_and_its_end_is_the_exit_code() {
    let triggered = json!({"message": "Triggered execution for actor 'daily'", "execution_id": 7});
    let start = |end: &str| {
        let server = StandIn::with(
            "POST /api/v1/actors/daily/trigger",
            Answer::json(&triggered),
        );
        server.answer(
            "GET /api/v1/executions/7",
            Answer::json(&execution(7, "running")),
        );
        server.answer(
            "GET /api/v1/executions/7",
            Answer::problem(503, "Service Unavailable", "restarting"),
        );
        server.answer("GET /api/v1/executions/7", Answer::json(&execution(7, end)));
        server
    };
    let server = start("succeeded");
    let said = server.ctl(&[
        "trigger",
        "daily",
        "--note",
        "n",
        "--content",
        "hi",
        "--dry-run",
        "--wait",
    ]);
    assert!(fine(&said).contains("succeeded"), "{said:?}");
    assert_eq!(
        server.asked()[0].json(),
        json!({"note": "n", "dry_run": true, "content": {"body": "hi"}})
    );
    assert_eq!(server.asked().len(), 4);
    let said = start("failed").ctl(&["trigger", "daily", "--wait", "--json"]);
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.err,
        "actor-server: run 7 of daily: failed: the channel is gone\n"
    );
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["status"], "failed");
    let said = start("running").ctl(&["trigger", "daily"]);
    assert_eq!(
        fine(&said),
        "Triggered execution for actor 'daily': run 7\n"
    );
}

#[test]
fn a_run_is_asked_to_stop() {
    let server = StandIn::with(
        "POST /api/v1/executions/7/cancel",
        Answer::text(202, "application/json", "{}"),
    );
    assert_eq!(
        fine(&server.ctl(&["cancel", "7"])),
        "run 7 is asked to stop\n"
    );
}

#[test]
fn history_is_filtered_and_as_long_as_it_was_asked_for() {
    let server = StandIn::start();
    let page = |ids: std::ops::Range<i64>| {
        let rows: Vec<Value> = ids.map(|id| execution(id, "succeeded")).collect();
        Answer::json(&rows.into())
    };
    let query = "actor=daily&status=timed_out&trigger=manual&since=2027-01-31T08%3A00%3A00Z";
    server.answer(
        &format!("GET /api/v1/executions?{query}&limit=500&include=all"),
        page(0..500).with("X-Next-Cursor", "c"),
    );
    server.answer(
        &format!("GET /api/v1/executions?{query}&limit=2&cursor=c&include=all"),
        page(500..502).with("X-Next-Cursor", "d"),
    );
    let arguments = [
        "history",
        "daily",
        "--status",
        "timed_out",
        "--trigger",
        "manual",
        "--since",
        "2027-01-31T08:00:00Z",
        "--all",
        "--limit",
        "502",
    ];
    let said = server.ctl(&arguments);
    assert_eq!(fine(&said).lines().count(), 503, "{}", said.out);
    let said = server.ctl(&[&arguments[..], &["--json"]].concat());
    let document: Value = serde_json::from_str(fine(&said)).unwrap();
    assert_eq!(document.as_array().unwrap().len(), 502);
}

#[test]
fn the_history_of_nobody_is_an_error_and_of_a_quiet_bot_is_empty() {
    let server = StandIn::start();
    server.answer(
        "GET /api/v1/executions?actor=quiet&limit=50",
        Answer::json(&json!([])),
    );
    server.answer("GET /api/v1/actors/quiet", Answer::json(&actor("quiet")));
    server.answer(
        "GET /api/v1/executions?actor=typo&limit=50",
        Answer::json(&json!([])),
    );
    server.answer(
        "GET /api/v1/actors/typo",
        Answer::problem(404, "Not Found", "there is no bot `typo`"),
    );
    assert_eq!(fine(&server.ctl(&["history", "quiet"])), "no runs\n");
    assert_eq!(fine(&server.ctl(&["history", "quiet", "--json"])), "[]\n");
    let said = server.ctl(&["history", "typo"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("there is no bot `typo`"), "{said:?}");
}

#[test]
fn the_configuration_is_read_again() {
    let server = StandIn::start();
    let plan =
        json!({"added": [], "removed": [], "changed": [{"actor": "daily", "keys": ["schedule"]}]});
    server.answer(
        "POST /api/v1/config/reload",
        Answer::json(&json!({"message": "m", "dry_run": true, "plan": plan})),
    );
    let said = server.ctl(&["reload", "--dry-run"]);
    assert_eq!(
        fine(&said),
        "~ daily: schedule\nnothing was changed: this is what a reload would do\n"
    );
    assert_eq!(server.only().json(), json!({"dry_run": true}));
    let server = StandIn::start();
    let errors = json!({"title": "Unprocessable Entity", "detail": "nothing was changed", "request_id": "r",
        "errors": ["bots.toml:3:1: jitter_second: unknown key"]});
    server.answer(
        "POST /api/v1/config/reload",
        Answer::text(422, "application/problem+json", &errors.to_string()),
    );
    let said = server.ctl(&["reload"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(
        said.err
            .contains("\n  bots.toml:3:1: jitter_second: unknown key\n"),
        "{said:?}"
    );
}

#[test]
fn the_tree_and_the_replicas_are_shown() {
    let server = StandIn::with("GET /api/v1/supervision", Answer::json(&supervision()));
    let tree = server.ctl(&["tree"]);
    for part in [
        "scheduler",
        "given up",
        "panicked: boom",
        "discord",
        "half open",
    ] {
        assert!(fine(&tree).contains(part), "{part}: {}", tree.out);
    }
    let replicas = server.ctl(&["replicas"]);
    assert!(fine(&replicas).contains("10.0.0.1:3000"), "{replicas:?}");
    let document = server.ctl(&["replicas", "--json"]);
    let document: Value = serde_json::from_str(fine(&document)).unwrap();
    assert_eq!(document["replicas"][0]["id"], "r1");
}

#[test]
fn what_happens_is_printed_until_the_server_says_no() {
    let stream = "retry: 1\n\nid: 4\nevent: run_ended\ndata: {\"actor\":\"daily\",\"status\":\"failed\"}\n\n";
    for (arguments, expected) in [
        (
            &["watch", "--since-id", "3"][..],
            "run ended actor=daily status=failed\n",
        ),
        (
            &["watch", "--since-id", "3", "--json"],
            "{\"data\":{\"actor\":\"daily\",\"status\":\"failed\"},\"event\":\"run_ended\",\"id\":\"4\"}\n",
        ),
    ] {
        let server = StandIn::start();
        server.answer(
            "GET /api/v1/stream",
            Answer::text(200, "text/event-stream", stream),
        );
        server.answer(
            "GET /api/v1/stream",
            Answer::problem(401, "Unauthorized", "the token has expired"),
        );
        let said = server.ctl(arguments);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(1), expected),
            "{said:?}"
        );
        assert!(said.err.contains("ACTOR_SERVER_TOKEN"), "{said:?}");
        assert_eq!(server.asked()[0].headers["last-event-id"], "3");
        assert_eq!(server.asked()[1].headers["last-event-id"], "4");
    }
}
