//! Every method asks the right thing and understands the answer.

use actor_server::client::{
    ActorFilter, AuditFilter, ContentFilter, Error, Event, ExecutionFilter, NewItem, PauseRequest,
    SigningKey, Status, TriggerRequest,
};
use chrono::DateTime;
use futures::TryStreamExt;
use serde_json::{Value, json};

use crate::{
    answers::{actor, execution, held, status, supervision, within},
    stand_in::{Answer, StandIn},
};

#[tokio::test]
async fn bots_are_listed_with_the_filters_that_are_set() {
    let server = StandIn::with(
        "GET /api/v1/actors?paused=true&q=da%26y",
        Answer::json(&json!([actor("daily")])),
    );
    let filter = ActorFilter {
        paused: Some(true),
        q: Some("da&y".into()),
        ..Default::default()
    };
    let actors = server.client().actors(&filter).await.unwrap();
    assert_eq!(actors[0].name, "daily");
    assert_eq!(actors[0].schedule.as_deref(), Some("at 09:00:00 (UTC)"));
    assert!(actors.text().contains("a_field_of_tomorrow"));
    let asked = server.only();
    assert_eq!(asked.headers["authorization"], "Bearer a-token");
    assert!(asked.headers["user-agent"].starts_with("actor-server-client/"));
}

#[tokio::test]
async fn a_bot_is_seen_held_resumed_and_run() {
    let server = StandIn::start();
    let hold = json!({"kind": "manual", "reason": "holidays", "until": within(60), "by": "ann"});
    server.answer("GET /api/v1/actors/daily", Answer::json(&actor("daily")));
    server.answer(
        "GET /api/v1/actors/daily/status",
        Answer::json(&status("daily")),
    );
    server.answer(
        "POST /api/v1/actors/daily/pause",
        Answer::json(&held("daily", &hold)),
    );
    server.answer(
        "POST /api/v1/actors/daily/resume",
        Answer::json(&actor("daily")),
    );
    server.answer(
        "POST /api/v1/actors/resume?kind=failures",
        Answer::json(&json!({"resumed": ["a", "b"]})),
    );
    let triggered = json!({"message": "Triggered", "timestamp": within(0), "execution_id": 9_007_199_254_740_993_i64});
    server.answer(
        "POST /api/v1/actors/daily/trigger",
        Answer::json(&triggered),
    );
    let client = server.client();
    assert!(client.actor("daily").await.unwrap().next_run.is_some());
    let status = client.status("daily").await.unwrap();
    assert_eq!(status.recent_success_rate.as_deref(), Some("80.0%"));
    let until = DateTime::from_timestamp(1_800_000_000, 0);
    let pause = PauseRequest {
        reason: Some("holidays".into()),
        until,
    };
    let paused = client.pause("daily", &pause).await.unwrap();
    assert_eq!(paused.hold.as_ref().unwrap().by.as_deref(), Some("ann"));
    assert!(client.resume("daily").await.unwrap().hold.is_none());
    assert_eq!(
        client.resume_all("failures").await.unwrap().resumed,
        ["a", "b"]
    );
    let trigger = TriggerRequest {
        dry_run: Some(true),
        content: Some(json!({"body": "x"})),
        ..Default::default()
    };
    let triggered = client.trigger("daily", &trigger).await.unwrap();
    assert_eq!(triggered.execution_id, 9_007_199_254_740_993);
    let asked = server.asked();
    let pause = json!({"reason": "holidays", "until": "2027-01-15T08:00:00Z"});
    assert_eq!(asked[2].json(), pause);
    assert_eq!(asked[3].json(), json!({}));
    assert_eq!(
        asked[5].json(),
        json!({"dry_run": true, "content": {"body": "x"}})
    );
}

#[tokio::test]
async fn runs_are_found_and_cancelled() {
    let server = StandIn::start();
    let query = "actor=daily&status=failed&since=2027-01-15T08%3A00%3A00Z&limit=2&include=all";
    let one = json!([execution(7, "failed")]);
    server.answer(
        &format!("GET /api/v1/executions?{query}"),
        Answer::json(&one),
    );
    server.answer("GET /api/v1/executions/actor/daily", Answer::json(&one));
    server.answer(
        "GET /api/v1/executions/7",
        Answer::json(&execution(7, "running")),
    );
    let cancelling = json!({"message": "Cancelling", "execution_id": 7, "timestamp": within(0)});
    server.answer(
        "POST /api/v1/executions/7/cancel",
        Answer::text(202, "application/json", &cancelling.to_string()),
    );
    let client = server.client();
    let filter = ExecutionFilter {
        actor: Some("daily".into()),
        status: Some("failed".into()),
        since: DateTime::from_timestamp(1_800_000_000, 0),
        limit: Some(2),
        include: Some("all".into()),
        ..Default::default()
    };
    let found = client.executions(&filter).await.unwrap();
    assert_eq!(found[0].status, Some(Status::Failed));
    assert_eq!(found[0].posts[0].platform.as_deref(), Some("console"));
    let of = client
        .executions_of("daily", &ExecutionFilter::default())
        .await
        .unwrap();
    assert_eq!(of.len(), 1);
    assert!(!client.execution(7).await.unwrap().has_ended());
    assert_eq!(client.cancel(7).await.unwrap().execution_id, Some(7));
}

#[tokio::test]
async fn pages_follow_the_cursor_to_the_end() {
    let server = StandIn::start();
    let page = |ids: &[i64]| {
        let rows: Vec<Value> = ids.iter().map(|id| execution(*id, "succeeded")).collect();
        Answer::json(&rows.into())
    };
    server.answer(
        "GET /api/v1/executions?limit=2&offset=1",
        page(&[9, 8]).with("X-Next-Cursor", "c+1"),
    );
    server.answer(
        "GET /api/v1/executions?limit=2&cursor=c%2B1",
        page(&[7]).with("X-Next-Cursor", "c2"),
    );
    server.answer("GET /api/v1/executions?limit=2&cursor=c2", page(&[]));
    let client = server.client();
    let filter = ExecutionFilter {
        limit: Some(2),
        offset: Some(1),
        ..Default::default()
    };
    let stream = client.execution_pages(filter).into_stream();
    let ids: Vec<i64> = stream.map_ok(|run| run.id).try_collect().await.unwrap();
    assert_eq!(ids, [9, 8, 7]);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_server_that_goes_in_circles_is_left_and_a_broken_page_ends_the_list() {
    let server = StandIn::start();
    let page = || Answer::json(&json!([actor("a")])).with("X-Next-Cursor", "same");
    server.answer("GET /api/v1/actors?limit=200", page());
    server.answer("GET /api/v1/actors?limit=200&cursor=same", page());
    let client = server.client();
    let mut pages = client.actor_pages(ActorFilter::default());
    let mut count = 0;
    while pages.next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);
    let mut pages = client.audit_pages(AuditFilter::default());
    assert!(pages.next().await.is_err());
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test]
async fn the_server_is_looked_after() {
    let server = StandIn::start();
    server.answer(
        "GET /api/v1/config",
        Answer::json(&json!({"auth": {"events_secret": "***"}})),
    );
    let plan = json!({"added": [{"actor": "new", "keys": []}], "unchanged": 3, "needs_restart": ["http.api"]});
    server.answer(
        "POST /api/v1/config/reload",
        Answer::json(&json!({"message": "m", "dry_run": true, "plan": plan})),
    );
    server.answer("GET /api/v1/supervision", Answer::json(&supervision()));
    server.answer(
        "POST /api/v1/breakers/web%20hook/reset",
        Answer::json(&json!({"dependency": "web hook"})),
    );
    server.answer(
        "GET /api/v1/audit?action=pause&limit=1",
        Answer::json(&json!([{"id": 3, "at": within(0), "subject": "ann", "action": "pause", "outcome": "ok"}])),
    );
    let client = server.client();
    assert_eq!(
        client.config().await.unwrap()["auth"]["events_secret"],
        "***"
    );
    let reload = client.reload(true).await.unwrap();
    assert_eq!(
        (
            reload.plan.added[0].actor.as_str(),
            &reload.plan.needs_restart[..]
        ),
        ("new", &["http.api".to_owned()][..])
    );
    let tree = client.supervision().await.unwrap();
    assert_eq!(
        (tree.actors.len(), tree.breakers[0].state.as_str()),
        (2, "half_open")
    );
    assert_eq!(tree.replicas.as_ref().unwrap()[0].alive, Some(true));
    client.reset_breaker("web hook").await.unwrap();
    let filter = AuditFilter {
        action: Some("pause".into()),
        limit: Some(1),
        ..Default::default()
    };
    assert_eq!(
        client.audit(&filter).await.unwrap()[0].subject.as_deref(),
        Some("ann")
    );
    assert_eq!(server.asked()[1].json(), json!({"dry_run": true}));
}

#[tokio::test]
async fn that_a_server_is_unwell_is_an_answer() {
    let server = StandIn::start();
    let unwell =
        json!({"status": "unhealthy", "components": {"database": {"status": "unhealthy"}}});
    server.answer(
        "GET /health",
        Answer::text(503, "application/json", &unwell.to_string()),
    );
    let not_ready =
        json!({"status": "not_ready", "timestamp": within(0), "checks": {"database": false}});
    server.answer(
        "GET /health/ready",
        Answer::text(503, "application/json", &not_ready.to_string()),
    );
    server.answer(
        "GET /health/live",
        Answer::problem(503, "Service Unavailable", "stopping"),
    );
    let client = server.client();
    assert_eq!(client.health().await.unwrap().status, "unhealthy");
    assert_eq!(
        client.probe("ready").await.unwrap().checks["database"],
        false
    );
    assert_eq!(client.probe("live").await.unwrap_err().status(), Some(503));
}

#[tokio::test]
async fn knowledge_is_read_added_and_removed() {
    let server = StandIn::start();
    let item = json!({"id": 4, "key": "k", "body": "hi", "priority": 0.5, "created_at": within(0)});
    server.answer(
        "GET /api/v1/content/approved_posts?limit=10",
        Answer::json(&json!([item])),
    );
    server.answer(
        "POST /api/v1/content/approved_posts",
        Answer::json(&json!({"ids": [4]})),
    );
    for (query, removed) in [("id=4", 1), ("all=true", 9)] {
        let line = format!("DELETE /api/v1/content/approved_posts?{query}");
        server.answer(&line, Answer::json(&json!({ "removed": removed })));
    }
    server.answer(
        "GET /api/v1/content",
        Answer::json(&json!([{"table": "approved_posts", "items": 3, "waiting": 1, "expired": 0, "newest": null}])),
    );
    let client = server.client();
    let tables = client.content_tables().await.unwrap();
    assert_eq!(
        (tables[0].table.as_str(), tables[0].items, tables[0].waiting),
        ("approved_posts", 3, 1)
    );
    let filter = ContentFilter {
        limit: Some(10),
        ..Default::default()
    };
    assert_eq!(
        client.content("approved_posts", &filter).await.unwrap()[0].body,
        "hi"
    );
    let new = NewItem {
        body: "hi".into(),
        key: Some("k".into()),
        ..Default::default()
    };
    client.add_content("approved_posts", &[new]).await.unwrap();
    let removed = client.delete_content("approved_posts", 4).await.unwrap();
    assert_eq!(removed.removed, 1);
    assert_eq!(
        client
            .clear_content("approved_posts")
            .await
            .unwrap()
            .removed,
        9
    );
    assert_eq!(
        server.asked()[2].json(),
        json!([{"key": "k", "body": "hi"}])
    );
}

#[tokio::test]
async fn an_event_goes_with_a_token_or_with_a_signature() {
    let server = StandIn::start();
    let taken = json!({"executions": [{"actor": "daily", "execution_id": 5}]});
    server.answer(
        "POST /api/v1/events",
        Answer::text(202, "application/json", &taken.to_string()),
    );
    let event = Event {
        event_type: "build.done".into(),
        source: "ci".into(),
        payload: json!({"n": 1}),
    };
    let accepted = server
        .client()
        .send_event(&event, Some("key-1"))
        .await
        .unwrap();
    assert_eq!(accepted.executions[0].execution_id, 5);
    let key = SigningKey::new(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    server
        .client()
        .send_signed_event(&event, &key, "msg_1", at)
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].headers["idempotency-key"], "key-1");
    assert_eq!(
        asked[0].json(),
        json!({"event_type": "build.done", "source": "ci", "payload": {"n": 1}})
    );
    let signed = &asked[1];
    assert!(!signed.headers.contains_key("authorization"));
    assert_eq!(
        (
            signed.headers["webhook-id"].as_str(),
            signed.headers["webhook-timestamp"].as_str()
        ),
        ("msg_1", "1800000000")
    );
    let verifier =
        standardwebhooks::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let expected = verifier
        .sign("msg_1", 1_800_000_000, signed.body.as_bytes())
        .unwrap();
    assert_eq!(signed.headers["webhook-signature"], expected);
    let broken = server.client().send_event(&event, Some("a\nb")).await;
    assert!(matches!(broken, Err(Error::Argument(_))), "{broken:?}");
    assert_eq!(server.asked().len(), 2);
}
