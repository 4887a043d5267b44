//! Alerts from outside: who may ask, what is refused, and what the answers look like.

use actor_server::{
    actors::messages::{AlertTested, AlertsFound},
    domain::alert::{
        AlertKind, Delivery, DeliveryStatus, Incident, Memory, Notice, Severity, Stage,
    },
    http::view::alert::{Alerts, TestedView},
};
use serde_json::{Value, json};

use super::{
    cards::{at, name},
    document::document,
    schema::problems,
    stand::{Api, home, resting},
};

const TEST: &str = "/api/v1/alerts/test";

pub(crate) fn is_a(schema: &str, value: &Value) {
    let document = document();
    let schema = &document["components"]["schemas"][schema];
    assert!(schema.is_object(), "there is no such schema");
    assert_eq!(problems(&document, schema, value), Vec::<String>::new());
}

fn incident() -> Incident {
    Incident {
        id: 4,
        revision: 2,
        key: "failures/a".into(),
        kind: AlertKind::Failures,
        bot: Some(name("a")),
        severity: Severity::Warning,
        title: "a has failed 3 times in a row".into(),
        detail: "run 7: x\nrun 8: y".into(),
        since: at(0),
        reminded_at: Some(at(9)),
        count: 3,
        recovered_at: None,
        memory: Memory::default(),
    }
}

fn delivery(status: DeliveryStatus) -> Delivery {
    Delivery {
        id: i64::MAX,
        channel: "webhook".into(),
        notice: Notice {
            id: "n".into(),
            incident: "breaker_open/discord".into(),
            kind: AlertKind::BreakerOpen,
            stage: Stage::Reminder,
            severity: Severity::Critical,
            bot: None,
            title: "t".into(),
            detail: "d".into(),
            since: at(0),
            at: at(1),
            runbook: None,
        },
        status,
        attempts: 2,
        next_attempt_at: at(5),
        error: Some("answered 503".into()),
        created_at: at(1),
        sent_at: None,
    }
}

#[test]
fn incidents_and_deliveries_are_as_the_document_says() {
    let deliveries = DeliveryStatus::ALL.map(delivery).to_vec();
    let open = vec![
        incident(),
        Incident {
            bot: None,
            reminded_at: None,
            ..incident()
        },
    ];
    let shown = serde_json::to_value(Alerts::from(AlertsFound { open, deliveries })).unwrap();
    is_a("Alerts", &shown);
    assert_eq!(shown["open"][0]["incident"], "failures/a");
    assert_eq!(shown["open"][0]["actor"], "a");
    let told = shown["deliveries"].as_array().unwrap();
    for (one, status) in told.iter().zip(DeliveryStatus::ALL) {
        assert_eq!(one["status"], status.as_str());
        let waits = status == DeliveryStatus::Pending;
        assert_eq!(one["next_attempt_at"].is_string(), waits, "{one}");
    }
}

#[test]
fn what_a_channel_said_is_as_the_document_says() {
    for (error, sent) in [(None, true), (Some("answered 404".to_owned()), false)] {
        let channel = "discord".into();
        let shown = serde_json::to_value(TestedView::from(AlertTested { channel, error })).unwrap();
        is_a("AlertTested", &shown);
        assert_eq!(shown["sent"], sent);
    }
}

#[test]
fn a_test_takes_an_operator_and_a_channel_and_is_recorded() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let operator = Api::with_role(&home, &server, "operator");
    let reader = Api::with_role(&home, &server, "readonly");
    Api::anonymous(&server)
        .post(TEST, &json!({}))
        .assert_problem(401);
    reader.post(TEST, &json!({})).assert_problem(403);
    let problem = operator.ask("POST", TEST, "", "").assert_problem(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("[alerts]"),
        "{problem}"
    );
    for channel in ["", "a b", "\u{1b}[2J", "\0", &"x".repeat(65)] {
        let problem = operator
            .post(TEST, &json!({ "channel": channel }))
            .assert_problem(404);
        assert_eq!(problem["detail"], "there is no such channel");
    }
    for body in [
        json!({ "channel": 7 }),
        json!({ "chanel": "webhook" }),
        json!([]),
    ] {
        operator.post(TEST, &body).assert_problem(400);
    }
    operator.get(TEST).assert_problem(405);
    server.stop();
    let server = home.start();
    let admin = Api::with_role(&home, &server, "admin");
    let rows = admin.read("/api/v1/audit?action=test_alert");
    let outcomes: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["outcome"].as_str().unwrap())
        .collect();
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.starts_with("409: no channel")),
        "{outcomes:?}"
    );
    assert!(
        outcomes.iter().any(|outcome| outcome.starts_with("403: ")),
        "{outcomes:?}"
    );
    server.stop();
}

#[test]
fn nothing_is_wrong_with_a_server_that_has_just_started() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let api = Api::anonymous(&server);
    let shown = api.read("/api/v1/alerts?limit=500");
    assert_eq!(shown, json!({ "open": [], "deliveries": [] }));
    is_a("Alerts", &shown);
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "offset=1",
        "limit=1&limit=2",
    ] {
        api.get(&format!("/api/v1/alerts?{query}"))
            .assert_problem(400);
    }
    server.stop();
}
