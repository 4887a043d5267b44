//! Knowledge tables from outside.

use serde_json::{Value, json};

use super::{
    document::document,
    schema::problems,
    stand::{Api, home},
};

const TABLE: &str = "/api/v1/content/approved";

#[test]
fn items_come_as_an_object_an_array_lines_and_a_table() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    let one = ann.post(TABLE, &json!({ "body": "one", "tags": ["x"] }));
    assert_eq!(one.status, 201, "{one:?}");
    assert_eq!(one.json()["count"], 1);
    ann.post(
        TABLE,
        &json!([{ "body": "two" }, { "body": "three", "priority": 0.9 }]),
    );
    ann.ask(
        "POST",
        TABLE,
        "application/x-ndjson",
        "{\"body\":\"four\"}\n{\"body\":\"five\"}\n",
    );
    ann.ask(
        "POST",
        TABLE,
        "text/csv; charset=utf-8",
        "body,tags\nsix,a;b\n",
    );
    let items = ann.read(TABLE);
    let bodies: Vec<&str> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["body"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, ["six", "five", "four", "three", "two", "one"]);
    assert_eq!(items[0]["tags"], json!(["a", "b"]));
    let document = document();
    for item in items.as_array().unwrap() {
        let schema = &document["components"]["schemas"]["Item"];
        assert_eq!(problems(&document, schema, item), Vec::<String>::new());
    }
    assert_eq!(
        items,
        Value::from(ann.pages(&format!("{TABLE}?limit=4"), || {}))
    );
    assert_eq!(ann.read("/api/v1/content/empty"), json!([]));
    server.stop();
}

#[test]
fn one_bad_line_is_named_and_nothing_is_stored() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    let reply = ann.ask(
        "POST",
        TABLE,
        "application/x-ndjson",
        "{\"body\":\"good\"}\n{\"bdy\":\"bad\"}\n",
    );
    let problem = reply.assert_problem(400);
    assert!(
        problem["errors"][0]
            .as_str()
            .unwrap()
            .starts_with("line 2: "),
        "{problem}"
    );
    for (content_type, body) in [
        ("application/json", ""),
        ("application/json", "[]"),
        ("text/csv", "body\n"),
    ] {
        ann.ask("POST", TABLE, content_type, body)
            .assert_problem(400);
    }
    ann.ask("POST", TABLE, "application/xml", "<body/>")
        .assert_problem(415);
    for table in ["a%20b", "%00", &"x".repeat(65)] {
        let path = format!("/api/v1/content/{table}");
        ann.post(&path, &json!({ "body": "x" })).assert_problem(404);
        ann.get(&path).assert_problem(404);
    }
    assert_eq!(ann.read(TABLE), json!([]));
    server.stop();
}

#[test]
fn a_file_may_have_eight_mebibytes_and_no_more() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    let line = format!("{{\"body\":\"{}\"}}\n", "x".repeat(64 << 10));
    let many: String = (0..100)
        .map(|n| line.replacen('x', &n.to_string(), 1))
        .collect();
    let stored = ann.ask("POST", TABLE, "application/x-ndjson", &many);
    assert_eq!(stored.status, 201, "{stored:?}");
    assert_eq!(stored.json()["count"], 100);
    let reply = ann.ask("POST", TABLE, "application/x-ndjson", &line.repeat(130));
    reply.assert_problem(413);
    server.stop();
}

#[test]
fn one_item_or_all_are_removed_and_never_all_by_mistake() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    let stored = ann
        .post(
            TABLE,
            &json!([{ "body": "a" }, { "body": "b" }, { "body": "c" }]),
        )
        .json();
    let first = stored["ids"][0].as_i64().unwrap();
    let remove =
        |query: &str| ann.ask("DELETE", &format!("{TABLE}{query}"), "application/json", "");
    for query in ["", "?all=false", &format!("?id={first}&all=true"), "?id=x"] {
        remove(query).assert_problem(400);
    }
    assert_eq!(
        remove(&format!("?id={first}")).json(),
        json!({ "removed": 1 })
    );
    remove(&format!("?id={first}")).assert_problem(404);
    assert_eq!(remove("?all=true").json(), json!({ "removed": 2 }));
    assert_eq!(remove("?all=true").json(), json!({ "removed": 0 }));
    server.stop();
}

#[test]
fn tables_are_listed_with_what_is_in_them() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    assert_eq!(ann.read("/api/v1/content"), json!([]));
    let later = json!({ "body": "later", "not_before": "2096-01-01T00:00:00Z" });
    let over = json!({ "body": "over", "expires_at": "2020-01-01T00:00:00Z" });
    ann.post(TABLE, &json!([{ "body": "now" }, later, over]));
    ann.post("/api/v1/content/another", &json!({ "body": "x" }));
    let tables = ann.read("/api/v1/content");
    let said = |at: usize, field: &str| tables[at][field].clone();
    assert_eq!(
        (said(0, "table"), said(0, "items")),
        (json!("another"), json!(1))
    );
    let counts = ["items", "waiting", "expired"].map(|field| said(1, field));
    assert_eq!(counts, [json!(3), json!(1), json!(1)]);
    let document = document();
    for table in tables.as_array().unwrap() {
        let schema = &document["components"]["schemas"]["KnowledgeTable"];
        assert_eq!(problems(&document, schema, table), Vec::<String>::new());
    }
    server.stop();
}

#[test]
fn problems_of_a_body_name_the_line_and_the_field() {
    let home = home("");
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    for (content_type, body, expected) in [
        (
            "text/csv",
            "body,tag\nx,y\n",
            "line 1: there is no column `tag`; did you mean `tags`?",
        ),
        (
            "text/csv",
            "body\n\"x",
            "line 2: a quote is opened, and not closed again",
        ),
        (
            "application/json",
            "[{\"body\":1}]",
            "item 1: `body` must be a text, not 1",
        ),
    ] {
        let problem = ann
            .ask("POST", TABLE, content_type, body)
            .assert_problem(400);
        assert_eq!(problem["errors"][0], expected);
    }
    server.stop();
}
