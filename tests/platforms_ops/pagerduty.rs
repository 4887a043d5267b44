//! PagerDuty's Events API v2.

use actor_server::{
    domain::alert::{AlertKind, Notice, Stage},
    platforms::ops::{
        OpsChannel,
        pagerduty::{PagerDuty, PagerDutyOptions},
    },
};
use serde_json::{Value, json};

use super::{
    at_stage, hostile, later, never, notice,
    receiver::{Meet, Receiver},
    test,
};

const KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

pub(crate) fn pagerduty(url: &str) -> PagerDuty {
    PagerDuty::new(PagerDutyOptions {
        routing_key: KEY.into(),
        url: url.into(),
        source: "bots-1".into(),
    })
    .unwrap()
}

fn taking() -> Receiver {
    Receiver::that(Meet::says(
        202,
        json!({ "status": "success", "message": "Event processed" }),
    ))
}

#[tokio::test]
async fn an_incident_is_triggered_reminded_of_and_resolved_under_one_key() {
    let receiver = taking();
    let pagerduty = pagerduty(&receiver.url(""));
    for stage in Stage::ALL {
        pagerduty.deliver(&at_stage(stage)).await.unwrap();
    }
    let taken = receiver.taken();
    let events: Vec<Value> = taken.iter().map(|one| one.json()).collect();
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve"]);
    for (one, event) in taken.iter().zip(&events) {
        assert_eq!(one.line, "POST /v2/enqueue");
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(
            (&event["routing_key"], &event["dedup_key"]),
            (&json!(KEY), &json!("failures/daily"))
        );
    }
}

#[tokio::test]
async fn a_trigger_says_what_where_and_how_bad() {
    let receiver = taking();
    pagerduty(&receiver.url(""))
        .deliver(&notice())
        .await
        .unwrap();
    assert_eq!(
        receiver.only().json(),
        json!({
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "failures/daily",
            "client": "actor-server",
            "payload": {
                "summary": "daily has failed 3 times in a row",
                "source": "bots-1",
                "severity": "warning",
                "timestamp": "2026-03-01T12:01:00.000Z",
                "component": "daily",
                "group": "actor-server",
                "class": "failures",
                "custom_details": {
                    "detail": "run 7 failed: the feed is gone\nrun 8 failed: the feed is gone",
                    "since": "2026-03-01T12:00:00.000Z",
                    "stage": "raised",
                    "incident": "failures/daily",
                    "id": "failures/daily:1:raised:webhook",
                },
            },
            "links": [{ "href": "https://runbooks.example/failures.md", "text": "Runbook" }],
        })
    );
}

#[tokio::test]
async fn a_digest_which_nothing_ends_leaves_no_incident_behind() {
    let receiver = taking();
    let digest = Notice {
        kind: AlertKind::Digest,
        incident: "digest/pagerduty".into(),
        bot: None,
        ..notice()
    };
    pagerduty(&receiver.url("/"))
        .deliver(&digest)
        .await
        .unwrap();
    let events: Vec<Value> = receiver.taken().iter().map(|one| one.json()).collect();
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    let same = events[0]["dedup_key"] == events[1]["dedup_key"];
    assert!(same, "{events:?}");
}

#[tokio::test]
async fn a_test_leaves_no_incident_behind() {
    let receiver = taking();
    pagerduty(&receiver.url("/"))
        .deliver(&test())
        .await
        .unwrap();
    let events: Vec<Value> = receiver.taken().iter().map(|one| one.json()).collect();
    let of = |event: &Value| (event["event_action"].clone(), event["dedup_key"].clone());
    assert_eq!(of(&events[0]), ("trigger".into(), "test/1".into()));
    assert_eq!(of(&events[1]), ("resolve".into(), "test/1".into()));
    assert!(
        events[0]
            .get("payload")
            .is_some_and(|payload| payload.get("component").is_none())
    );
    receiver.script([Meet::status(202), Meet::status(500)]);
    later(pagerduty(&receiver.url("/")).deliver(&test()).await);
}

#[tokio::test]
async fn the_whole_address_may_be_given_too() {
    let receiver = taking();
    for url in ["/v2/enqueue", "/v2/enqueue/", "/proxy"] {
        pagerduty(&receiver.url(url))
            .deliver(&notice())
            .await
            .unwrap();
    }
    let lines: Vec<String> = receiver.taken().into_iter().map(|one| one.line).collect();
    assert_eq!(
        lines,
        [
            "POST /v2/enqueue",
            "POST /v2/enqueue",
            "POST /proxy/v2/enqueue"
        ]
    );
}

#[tokio::test]
async fn a_hostile_notice_keeps_pagerdutys_limits() {
    let receiver = taking();
    let pagerduty = pagerduty(&receiver.url(""));
    pagerduty.deliver(&hostile()).await.unwrap();
    let mut long = notice();
    long.incident = "x".repeat(256);
    long.title = String::new();
    pagerduty.deliver(&long).await.unwrap();
    let events: Vec<Value> = receiver.taken().iter().map(|one| one.json()).collect();
    for event in &events {
        assert_eq!(event["dedup_key"].as_str().unwrap().len(), 64);
    }
    let payload = &events[0]["payload"];
    let summary = payload["summary"].as_str().unwrap();
    assert!(summary.chars().count() <= 1024 && !summary.contains(['\n', '\0', '\x1b']));
    assert!(receiver.taken()[0].body.len() < 512 * 1024);
    assert_eq!(events[1]["payload"]["summary"], "failures");
}

#[tokio::test]
async fn a_wrong_key_is_final_and_not_shown() {
    let receiver = Receiver::that(Meet::says(
        400,
        json!({ "status": "invalid event", "errors": [format!("no service has {KEY}")] }),
    ));
    let reason = never(pagerduty(&receiver.url("")).deliver(&notice()).await);
    assert!(
        reason.contains("invalid event") && !reason.contains(KEY),
        "{reason}"
    );
    let options = PagerDutyOptions {
        routing_key: "  ".into(),
        url: receiver.url(""),
        source: String::new(),
    };
    assert!(
        PagerDuty::new(options)
            .err()
            .unwrap()
            .contains("routing key is empty")
    );
}
