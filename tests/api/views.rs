//! Answers are what the document says.

use std::sync::Arc;

use actor_server::{
    actors::{
        messages::{ChildReport, ChildState, Tree},
        supervision::{Child, Exit},
    },
    domain::{
        content::{ContentItem, StoredItem},
        hold::HoldKind,
        ledger::LedgerRow,
        outcome::Status,
        post::{Message, Post, PostStatus},
        replica::ReplicaRow,
        run::{ExecutionId, Trigger},
    },
    http::view::{
        content::Item, gallery::Gallery, run::Execution, status::ActorStatus, tree::Supervision,
    },
};
use serde_json::{Value, json};

use super::{
    cards::{at, bot, card, held, name},
    document::document,
    schema::problems,
};

fn is_a(schema: &str, value: &Value) {
    let document = document();
    let schema = &document["components"]["schemas"][schema];
    assert!(schema.is_object(), "there is no such schema");
    assert_eq!(problems(&document, schema, value), Vec::<String>::new());
}

fn row() -> LedgerRow {
    LedgerRow {
        id: ExecutionId(i64::MAX),
        bot: name("a"),
        actor_name: "The a".into(),
        trigger: Trigger::Manual,
        scheduled_for: None,
        slots: 1,
        slot_last: None,
        status: Status::Failed,
        reason: None,
        attempt: 2,
        replica: Some("r".into()),
        started_at: Some(at(0)),
        completed_at: Some(at(2)),
        success: Some(false),
        skills: [1, 1, 0],
        error: Some("it broke".into()),
        cancel_requested: false,
        created_at: at(0),
        metadata: json!({
            "input": { "note": "please" },
            "attempts": [{ "attempt": 1, "status": "failed", "error": "x", "skills": [] }],
            "skills": [{ "skill": "content_formatter", "status": "succeeded", "duration_ms": 3 },
                { "skill": "content_posting", "status": "failed", "detail": "it broke", "duration_ms": 9 }],
        }),
    }
}

fn post() -> Post {
    Post {
        id: 7,
        execution: ExecutionId(i64::MAX),
        bot: name("a"),
        position: 0,
        platform: "console".into(),
        destination: "stdout".into(),
        message: Message {
            body: "hello".into(),
            options: json!({}),
        },
        nonce: "n".into(),
        status: PostStatus::Sent,
        attempts: 1,
        platform_message_id: Some("9".into()),
        error: None,
        created_at: at(1),
        posted_at: Some(at(2)),
        turn: 7,
    }
}

#[test]
fn a_bot_is_what_the_document_says() {
    let cards = [card(bot("a")), held(card(bot("b")), HoldKind::GivenUp)];
    let cards = cards.map(Arc::new);
    let list = Gallery::default().some(cards.iter(), at(130));
    let list: Value = serde_json::from_slice(&list).unwrap();
    let [free, held] = [&list[0], &list[1]];
    is_a("Actor", free);
    is_a("Actor", held);
    assert_eq!(free["schedule_type"], "Interval");
    assert_eq!(free["schedule"], "every 60 seconds");
    assert_eq!(free["hold"], Value::Null);
    let hold = json!({ "kind": "given_up", "reason": "because", "until": "2026-03-01T12:10:00.000000Z", "by": "ann" });
    assert_eq!(held["hold"], hold);
    is_a(
        "ActorStatus",
        &json!(ActorStatus::of(&cards[0], [Some(true), None].into_iter())),
    );
}

#[test]
fn a_run_is_what_the_document_says() {
    let shown = json!(Execution::from((row(), vec![post()])));
    is_a("Execution", &shown);
    assert_eq!(shown["id"], i64::MAX);
    assert_eq!(shown["duration_ms"], 2000);
    assert_eq!(shown["skills"][1]["name"], "content_posting");
    assert_eq!(shown["skills"][1]["detail"], "it broke");
    assert_eq!(
        shown["posts"][0]["posted_at"],
        "2026-03-01T12:00:02.000000Z"
    );
    assert_eq!(shown["input"]["note"], "please");
    assert_eq!(shown["earlier_attempts"][0]["attempt"], 1);
}

#[test]
fn a_range_of_slots_that_did_not_run_is_what_the_document_says() {
    let gap = LedgerRow {
        trigger: Trigger::Schedule,
        scheduled_for: Some(at(0)),
        slots: 3,
        slot_last: Some(at(120)),
        status: Status::Missed,
        reason: Some("late".into()),
        started_at: None,
        completed_at: None,
        success: None,
        replica: None,
        metadata: Value::Null,
        ..row()
    };
    let shown = json!(Execution::from((gap, Vec::new())));
    is_a("Execution", &shown);
    assert_eq!(
        (&shown["duration_ms"], &shown["input"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown["skills"], json!([]));
}

#[test]
fn metadata_that_somebody_else_wrote_breaks_no_answer() {
    for metadata in [
        json!(3),
        json!([]),
        json!({ "skills": "none", "attempts": 1, "input": null }),
    ] {
        let odd = LedgerRow { metadata, ..row() };
        is_a("Execution", &json!(Execution::from((odd, Vec::new()))));
    }
}

#[test]
fn the_tree_is_what_the_document_says_also_while_the_database_is_away() {
    let tree = || Tree {
        children: vec![ChildReport {
            child: Child::Scheduler,
            state: ChildState::Restarting,
            restarts: 2,
            budget_left: 3,
            last_crash: Some(Exit::Panic("boom".into())),
            mailbox: Some(4),
        }],
        breakers: vec![("discord".into(), "half_open".into())],
    };
    let replica = ReplicaRow {
        id: "r".into(),
        address: String::new(),
        version: "0.1.0".into(),
        started_at: at(0),
        last_seen: at(1),
        alive: true,
    };
    let shown = json!(Supervision::of(tree(), Ok(vec![replica])));
    is_a("Supervision", &shown);
    assert_eq!(shown["actors"][0]["name"], "coordinator");
    assert_eq!(shown["actors"][1]["last_crash"], "panic: boom");
    assert_eq!(shown["replicas"][0]["address"], Value::Null);
    let mut whole = tree();
    let coordinator = ChildReport {
        child: Child::Coordinator,
        ..whole.children[0].clone()
    };
    whole.children.push(coordinator);
    let shown = json!(Supervision::of(whole, Ok(Vec::new())));
    is_a("Supervision", &shown);
    assert_eq!(shown["actors"].as_array().unwrap().len(), 2);
    assert_eq!(shown["actors"][0]["name"], "coordinator");
    assert_eq!(shown["actors"][0]["supervisor"], Value::Null);
    assert_eq!(shown["actors"][0]["restarts"], 2);
    assert_eq!(shown["actors"][1]["supervisor"], "coordinator");
    let shown = json!(Supervision::of(tree(), Err("the database is away".into())));
    is_a("Supervision", &shown);
    assert_eq!(shown["replicas"], Value::Null);
    assert_eq!(shown["replicas_error"], "the database is away");
}

#[test]
fn a_knowledge_item_is_what_the_document_says() {
    let stored = StoredItem {
        id: 1,
        table: "approved".into(),
        item: ContentItem {
            key: Some("k".into()),
            title: None,
            body: "hello".into(),
            source: None,
            tags: vec!["a".into()],
            priority: 0.5,
            not_before: None,
            expires_at: Some(at(0)),
            media: Vec::new(),
            metadata: json!({}),
        },
        created_at: at(0),
    };
    is_a("Item", &json!(Item::from(stored)));
}
