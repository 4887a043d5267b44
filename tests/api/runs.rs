//! The ledger from outside.

use serde_json::Value;

use super::{
    document::document,
    schema::problems,
    stand::{Api, home, resting, ticking},
};

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn pages_show_every_row_once_while_rows_arrive() {
    let home = home(&(ticking("a") + &ticking("b")));
    let server = home.start();
    server.wait_for("some runs", |ledger| ledger.rows.len() >= 6);
    let api = Api::anonymous(&server);
    let newest = ids(api.read("/api/v1/executions?limit=1").as_array().unwrap())[0];
    let rows = api.pages("/api/v1/executions?limit=2&include=all", || {
        let before = api.read("/api/v1/executions?limit=1")[0]["id"].as_i64();
        server.wait_for("another run", |ledger| {
            ledger.rows.iter().map(|row| row.id).max() > before
        });
    });
    let found = ids(&rows);
    let mut right = found.clone();
    right.sort_unstable_by(|one, other| other.cmp(one));
    right.dedup();
    assert_eq!(found, right, "newest first, each once");
    let before: Vec<i64> = found.into_iter().filter(|id| *id <= newest).collect();
    let mut stored: Vec<i64> = home
        .ledger()
        .rows
        .iter()
        .map(|row| row.id)
        .filter(|id| *id <= newest)
        .collect();
    stored.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(before, stored, "none is left out");
    let document = document();
    for row in rows {
        let schema = &document["components"]["schemas"]["Execution"];
        assert_eq!(problems(&document, schema, &row), Vec::<String>::new());
    }
    server.stop();
}

#[test]
fn runs_are_filtered_by_bot_status_trigger_and_time() {
    let home = home(&(ticking("a") + &resting("b", "quiet.toml")));
    let server = home.start();
    server.wait_for("some runs", |ledger| ledger.rows.len() >= 3);
    let api = Api::anonymous(&server);
    let count = |query: &str| {
        api.read(&format!("/api/v1/executions?{query}"))
            .as_array()
            .unwrap()
            .len()
    };
    assert!(count("actor=a") >= 2);
    assert_eq!(count("actor=b"), 0);
    assert_eq!(count("actor=nobody"), 0);
    assert_eq!(count("actor=%00"), 0);
    assert!(count("status=succeeded&trigger=schedule") >= 1);
    assert_eq!(count("trigger=manual"), 0);
    assert_eq!(count("status=missed"), 0);
    assert_eq!(count("until=2001-01-01T00:00:00Z"), 0);
    assert_eq!(count("since=2099-01-01T00:00:00%2B01:00"), 0);
    assert!(count("since=2001-01-01T00:00:00Z&until=2099-01-01T00:00:00Z") >= 2);
    assert_eq!(count("limit=1&offset=1"), 1);
    assert!(
        api.read("/api/v1/executions/actor/a")
            .as_array()
            .unwrap()
            .len()
            >= 2
    );
    assert_eq!(
        api.read("/api/v1/executions/actor/b"),
        serde_json::json!([])
    );
    server.stop();
}

#[test]
fn parameters_that_cannot_be_meant_are_refused() {
    let home = home(&(ticking("a") + &ticking("b")));
    let server = home.start();
    server.wait_for("some runs", |ledger| ledger.rows.len() >= 4);
    let api = Api::anonymous(&server);
    let page = api.get("/api/v1/executions?limit=1");
    let cursor = page.header("x-next-cursor").unwrap();
    for query in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=99999999999999999999",
        "offset=-1",
        "offset=x",
        "status=done",
        "trigger=magic",
        "include=some",
        "since=yesterday",
        "until=2026-02-30T00:00:00Z",
        "cursor=AAAA",
        "cursor=%00",
        "nobody=knows",
        "limit=1&limit=2",
        &format!("cursor={cursor}&offset=1"),
        &format!("cursor={cursor}&actor=a"),
        &format!("cursor={cursor}&include=all"),
    ] {
        for list in ["executions", "executions/actor/a"] {
            api.get(&format!("/api/v1/{list}?{query}"))
                .assert_problem(400);
        }
    }
    assert_eq!(
        api.get(&format!("/api/v1/executions?cursor={cursor}&limit=3"))
            .status,
        200
    );
    server.stop();
}

#[test]
fn an_id_tells_nothing_by_the_way_it_is_refused() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let api = Api::anonymous(&server);
    for id in [
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "9223372036854775808",
        "x",
        "1.5",
        "%2B1",
        "1%00",
    ] {
        let problem = api
            .get(&format!("/api/v1/executions/{id}"))
            .assert_problem(404);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("there is no run "), "{detail}");
    }
    for bot in ["b", "%00", "..", "a%2fb"] {
        let reply = api.get(&format!("/api/v1/executions/actor/{bot}"));
        assert_eq!(reply.status, 404, "{bot}");
    }
    server.stop();
}
