//! Alerts, through the client and `ctl alert`.

use std::time::Duration;

use actor_server::client::{AlertFilter, Client, Timeouts};
use serde_json::{Value, json};

use crate::{
    answers::within,
    stand_in::{Answer, StandIn, fine},
};

const TEST: &str = "POST /api/v1/alerts/test";

fn alerts() -> Value {
    json!({
        "open": [{
            "incident": "failures/daily", "kind": "failures", "actor": "daily", "severity": "warning",
            "title": "daily has failed 3 times in a row", "detail": "a\nb", "since": within(-7_300),
            "reminded_at": within(-100), "count": 3,
        }],
        "deliveries": [
            {
                "id": 9, "channel": "discord", "incident": "failures/daily", "kind": "failures", "stage": "raised",
                "severity": "warning", "actor": "daily", "title": "t", "status": "pending", "attempts": 2,
                "next_attempt_at": within(30), "error": "https://discord.com answered 503", "created_at": within(-7_300),
                "sent_at": null,
            },
            {
                "id": 8, "channel": "webhook", "incident": "failures/daily", "stage": "raised", "status": "sent",
                "attempts": 1, "created_at": within(-7_300), "sent_at": within(-7_290),
            },
        ],
    })
}

fn tested(error: Option<&str>) -> Value {
    json!({
        "channels": [
            { "channel": "discord", "sent": error.is_none(), "error": error },
            { "channel": "webhook", "sent": true, "error": null },
        ],
        "timestamp": within(0),
    })
}

#[tokio::test]
async fn what_is_wrong_and_what_was_told_is_read() {
    let server = StandIn::with("GET /api/v1/alerts?limit=2", Answer::json(&alerts()));
    let filter = AlertFilter { limit: Some(2) };
    let found = server.client().alerts(&filter).await.unwrap();
    assert_eq!(found.open[0].count, Some(3));
    let told = &found.deliveries;
    assert_eq!(
        (told[0].attempts, told[1].status.as_str()),
        (Some(2), "sent")
    );
    assert!(told[0].sent_at.is_none() && told[1].error.is_none());
}

#[tokio::test]
async fn a_test_says_which_channel_did_not_take_it() {
    let server = StandIn::start();
    server.answer(TEST, Answer::json(&tested(Some("answered 404"))));
    let client = server.client();
    let tests = client.test_alert(None).await.unwrap();
    let failed: Vec<&str> = tests.failed().map(|one| one.channel.as_str()).collect();
    assert_eq!(failed, ["discord"]);
    client.test_alert(Some("web\"hook")).await.unwrap();
    let bodies: Vec<Value> = server.asked().iter().map(|asked| asked.json()).collect();
    assert_eq!(bodies, [json!({}), json!({ "channel": "web\"hook" })]);
}

/// A server that never answers, and a client that would give up at once.
#[tokio::test]
async fn a_test_is_waited_for_longer_than_other_answers() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let timeouts = Timeouts {
        request: Duration::from_millis(50),
        ..Default::default()
    };
    let url = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::with_timeouts(&url, None, timeouts).unwrap();
    let filter = AlertFilter::default();
    client.alerts(&filter).await.unwrap_err();
    let soon = tokio::time::timeout(Duration::from_millis(500), client.test_alert(None));
    assert!(soon.await.is_err(), "it has given up too early");
}

#[test]
fn what_is_wrong_is_listed_above_what_was_told() {
    let server = StandIn::start();
    server.answer("GET /api/v1/alerts?limit=20", Answer::json(&alerts()));
    let none = json!({ "open": [], "deliveries": [] });
    server.answer("GET /api/v1/alerts?limit=3", Answer::json(&none));
    let said = server.ctl(&["alert", "list"]);
    let lines: Vec<&str> = fine(&said).lines().collect();
    for (line, parts) in [
        (0, ["INCIDENT", "SEVERITY", "TOLD"]),
        (1, ["failures/daily", "2 h ago", "3 times in a row"]),
        (3, ["CHANNEL", "STEP", "ATTEMPTS"]),
        (4, ["discord", "pending", "answered 503"]),
        (5, ["webhook", "sent", "2 h ago"]),
    ] {
        for part in parts {
            assert!(lines[line].contains(part), "{part}: {lines:#?}");
        }
    }
    assert_eq!(
        fine(&server.ctl(&["alert", "list", "--limit", "3"])),
        "no incident is open\n"
    );
    let said = server.ctl(&["alert", "list", "--json", "--limit", "3"]);
    assert_eq!(fine(&said), none.to_string() + "\n");
}

#[test]
fn a_test_that_arrives_everywhere_is_fine() {
    let server = StandIn::with(TEST, Answer::json(&tested(None)));
    let said = server.ctl(&["alert", "test"]);
    let lines: Vec<&str> = fine(&said).lines().collect();
    assert!(
        lines[1].starts_with("discord") && lines[1].contains("sent"),
        "{lines:?}"
    );
    fine(&server.ctl(&["alert", "test", "--channel", "webhook"]));
    assert_eq!(server.asked()[1].json(), json!({ "channel": "webhook" }));
}

#[test]
fn a_test_that_does_not_arrive_fails_and_says_where_and_why() {
    let server = StandIn::start();
    let why = "https://discord.com answered 404: Unknown Webhook\u{1b}[2J";
    server.answer(TEST, Answer::json(&tested(Some(why))));
    for arguments in [&["alert", "test"][..], &["alert", "test", "--json"]] {
        let said = server.ctl(arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(
            said.err
                .contains("discord: https://discord.com answered 404: Unknown Webhook")
        );
        assert!(said.out.contains("webhook"), "{said:?}");
        assert!(!(said.err + &said.out).contains('\u{1b}'));
    }
    let nothing = json!({ "channels": [] });
    let server = StandIn::with(TEST, Answer::json(&nothing));
    assert_eq!(server.ctl(&["alert", "test"]).code, Some(1));
}

#[test]
fn a_channel_that_is_not_there_is_an_error() {
    for (status, title) in [(404, "Not Found"), (409, "Conflict")] {
        let server = StandIn::with(TEST, Answer::problem(status, title, "no such channel"));
        let said = server.ctl(&["alert", "test", "--channel", "pigeon"]);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
        assert!(said.err.contains("no such channel"), "{said:?}");
    }
    let server = StandIn::start();
    assert_eq!(server.ctl(&["alert"]).code, Some(2));
    assert_eq!(
        server.ctl(&["alert", "list", "--limit", "501"]).code,
        Some(2)
    );
}
