//! Bots from outside: listed, held, resumed, run.

use serde_json::{Value, json};

use super::{
    document::document,
    schema::problems,
    server::{DEADLINE, retry},
    stand::{Api, home, resting, ticking},
};

fn names(list: &Value) -> Vec<&str> {
    let bots = list.as_array().unwrap().iter();
    bots.map(|bot| bot["name"].as_str().unwrap()).collect()
}

#[test]
fn bots_are_listed_by_name_filtered_and_page_by_page() {
    let bots: String = ["b", "a", "D", "c"]
        .map(|name| resting(name, "quiet.toml"))
        .concat();
    let home = home(&bots);
    let server = home.start();
    let (api, ann) = (
        Api::anonymous(&server),
        Api::with_role(&home, &server, "operator"),
    );
    let list = api.read("/api/v1/actors");
    assert_eq!(names(&list), ["D", "a", "b", "c"]);
    let document = document();
    for bot in list.as_array().unwrap() {
        let schema = &document["components"]["schemas"]["Actor"];
        assert_eq!(problems(&document, schema, bot), Vec::<String>::new());
    }
    assert_eq!(list[1], api.read("/api/v1/actors/a"));
    let paged = api.pages("/api/v1/actors?limit=3", || {});
    assert_eq!(list, Value::from(paged));

    assert_eq!(ann.post("/api/v1/actors/b/pause", &json!({})).status, 200);
    assert_eq!(names(&api.read("/api/v1/actors?paused=true")), ["b"]);
    assert_eq!(
        names(&api.read("/api/v1/actors?paused=false&limit=500")),
        ["D", "a", "c"]
    );
    assert_eq!(names(&api.read("/api/v1/actors?q=d")), ["D"]);
    assert_eq!(names(&api.read("/api/v1/actors?q=qUIet")).len(), 4);
    assert_eq!(
        names(&api.read("/api/v1/actors?enabled=false")),
        Vec::<&str>::new()
    );
    let long = format!("q={}", "%C3%A9".repeat(201));
    assert!(names(&api.read(&format!("/api/v1/actors?q={}", "x".repeat(200)))).is_empty());
    for query in [
        long.as_str(),
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=x",
        "paused=maybe",
        "unknown=1",
    ] {
        api.get(&format!("/api/v1/actors?{query}"))
            .assert_problem(400);
    }
    server.stop();
}

#[test]
fn a_pause_says_who_why_and_until_when_and_outlives_the_process() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    let until = "2099-01-01T00:00:00.000000Z";
    let wish = json!({ "reason": "holiday", "until": until });
    let paused = ann.post("/api/v1/actors/a/pause", &wish).json();
    let hold = json!({ "kind": "manual", "reason": "holiday", "until": until, "by": "ann" });
    assert_eq!(
        (&paused["is_paused"], &paused["hold"]),
        (&json!(true), &hold)
    );
    let again = ann
        .post("/api/v1/actors/a/pause", &json!({ "reason": "still" }))
        .json();
    assert_eq!(
        (&again["hold"]["reason"], &again["hold"]["until"]),
        (&json!("still"), &Value::Null)
    );
    server.stop();

    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    assert_eq!(ann.read("/api/v1/actors/a")["hold"]["reason"], "still");
    for _ in 0..2 {
        let resumed = ann.post("/api/v1/actors/a/resume", &json!({}));
        assert_eq!(resumed.status, 200, "{resumed:?}");
        assert_eq!(resumed.json()["is_paused"], false);
    }
    server.stop();
}

#[test]
fn wishes_that_cannot_be_meant_are_refused_and_change_nothing() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    for body in [
        json!({ "until": "2001-01-01T00:00:00Z" }),
        json!({ "until": 3 }),
        json!({ "reason": "x".repeat(501) }),
        json!({ "reason": "a\u{0}b" }),
        json!({ "who": "me" }),
        json!([]),
    ] {
        ann.post("/api/v1/actors/a/pause", &body)
            .assert_problem(400);
    }
    ann.post("/api/v1/actors/a/trigger", &json!({ "content": 3 }))
        .assert_problem(400);
    ann.ask(
        "POST",
        "/api/v1/actors/resume?kind=invalid",
        "application/json",
        "",
    )
    .assert_problem(400);
    assert_eq!(ann.read("/api/v1/actors/a")["is_paused"], false);
    for name in ["b", "%00", "..%2f", "a%20b", &"x".repeat(65)] {
        for wish in ["pause", "resume", "trigger"] {
            ann.post(&format!("/api/v1/actors/{name}/{wish}"), &json!({}))
                .assert_problem(404);
        }
        ann.get(&format!("/api/v1/actors/{name}"))
            .assert_problem(404);
        ann.get(&format!("/api/v1/actors/{name}/status"))
            .assert_problem(404);
    }
    server.stop();
}

#[test]
fn a_trigger_works_under_a_hold_and_its_run_can_be_looked_up() {
    let home = home(&resting("a", "post.toml"));
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    ann.post("/api/v1/actors/a/pause", &json!({}));
    let triggered = ann.post("/api/v1/actors/a/trigger", &json!({ "note": "please" }));
    assert_eq!(triggered.status, 200, "{triggered:?}");
    let triggered = triggered.json();
    assert_eq!(triggered["message"], "Triggered execution for actor 'a'");
    let id = triggered["execution_id"].as_i64().unwrap();
    let run = retry(DEADLINE, || {
        let run = ann.read(&format!("/api/v1/executions/{id}"));
        (run["status"] != "running").then_some(run)
    });
    let run = run.expect("the run ends");
    assert_eq!(
        (&run["status"], &run["trigger"]),
        (&json!("succeeded"), &json!("manual"))
    );
    assert_eq!(run["input"]["note"], "please");
    assert_eq!(run["posts"][0]["status"], "sent");
    ann.post(&format!("/api/v1/executions/{id}/cancel"), &json!({}))
        .assert_problem(409);
    let status = ann.read("/api/v1/actors/a/status");
    assert_eq!(
        (&status["recent_executions"], &status["recent_success_rate"]),
        (&json!(1), &json!("100.0%"))
    );
    server.stop();
}

#[test]
fn all_bots_with_a_kind_of_hold_are_resumed_at_once() {
    let home = home(&(ticking("a") + &resting("b", "quiet.toml")));
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    for bot in ["a", "b"] {
        ann.post(&format!("/api/v1/actors/{bot}/pause"), &json!({}));
    }
    let none = ann.ask(
        "POST",
        "/api/v1/actors/resume?kind=failures",
        "application/json",
        "",
    );
    assert_eq!(none.json(), json!({ "resumed": [] }));
    let both = ann.ask("POST", "/api/v1/actors/resume", "application/json", "");
    assert_eq!(both.json(), json!({ "resumed": ["a", "b"] }));
    assert_eq!(ann.read("/api/v1/actors?paused=true"), json!([]));
    server.stop();
}
