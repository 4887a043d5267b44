//! The record of who did what.

use actor_server::domain::audit::{AuditEntry, AuditQuery, AuditRow};
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{Process, slot},
};

fn entry(n: i64, subject: &str, action: &str) -> AuditEntry {
    AuditEntry {
        at: slot(n),
        subject: subject.into(),
        role: Some("operator".into()),
        action: action.into(),
        target: Some(format!("bot{n}")),
        remote: Some("127.0.0.1".into()),
        request_id: Some(format!("request-{n}")),
        before: Some(json!({"is_paused": false})),
        after: Some(json!([1, "two", null])),
        outcome: "ok".into(),
    }
}

fn any() -> AuditQuery {
    AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    }
}

async fn found(process: &Process, query: AuditQuery) -> Vec<AuditRow> {
    process.store.audit(&query).await.unwrap()
}

pub(crate) async fn entries_come_back_newest_first_as_they_were(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bare = AuditEntry {
        role: None,
        target: None,
        remote: None,
        request_id: None,
        before: None,
        after: None,
        ..entry(1, "SIGHUP", "reload")
    };
    let entries = [entry(0, "it's \"me\" 🦀", "pause"), bare];
    a.store.record(&entries).await.unwrap();
    a.store.record(&[]).await.unwrap();
    let rows = found(&a, any()).await;
    assert!(rows[0].id > rows[1].id);
    let back: Vec<_> = rows.into_iter().rev().map(|row| row.entry).collect();
    assert_eq!(back, entries);
}

pub(crate) async fn entries_are_found_by_what_they_say(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let entries = [
        entry(0, "ann", "pause"),
        entry(1, "ann", "resume"),
        entry(2, "bob", "pause"),
    ];
    a.store.record(&entries).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let (since, until) = (Some(slot(1)), Some(slot(2)));
    for (query, expected) in [
        (any(), vec![2, 1, 0]),
        (AuditQuery { limit: 0, ..any() }, vec![]),
        (
            AuditQuery {
                subject: text("ann"),
                ..any()
            },
            vec![1, 0],
        ),
        (
            AuditQuery {
                action: text("pause"),
                ..any()
            },
            vec![2, 0],
        ),
        (
            AuditQuery {
                target: text("bot1"),
                ..any()
            },
            vec![1],
        ),
        (
            AuditQuery {
                subject: text("ann"),
                action: text("pause"),
                ..any()
            },
            vec![0],
        ),
        (AuditQuery { since, ..any() }, vec![2, 1]),
        (AuditQuery { until, ..any() }, vec![1, 0]),
        (
            AuditQuery {
                since,
                until,
                ..any()
            },
            vec![1],
        ),
        (
            AuditQuery {
                subject: text("' OR 1=1 --"),
                ..any()
            },
            vec![],
        ),
        (
            AuditQuery {
                subject: text("ann\0"),
                ..any()
            },
            vec![],
        ),
        (
            AuditQuery {
                since: Some(DateTime::<Utc>::MAX_UTC),
                ..any()
            },
            vec![],
        ),
        (
            AuditQuery {
                since: Some(DateTime::<Utc>::MIN_UTC),
                ..any()
            },
            vec![2, 1, 0],
        ),
    ] {
        let rows = found(&a, query.clone()).await;
        let rows: Vec<_> = rows.into_iter().map(|row| row.entry).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|n: &usize| entries[*n].clone())
            .collect();
        assert_eq!(rows, expected, "{query:?}");
    }
}

pub(crate) async fn pages_of_entries_follow_each_other(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let entries: Vec<_> = (0..5).map(|n| entry(n, "ann", "pause")).collect();
    a.store.record(&entries).await.unwrap();
    let first = found(&a, AuditQuery { limit: 3, ..any() }).await;
    let after = first.last().map(|row| row.id);
    a.store.record(&[entry(9, "ann", "pause")]).await.unwrap();
    let second = found(
        &a,
        AuditQuery {
            after,
            limit: 3,
            ..any()
        },
    )
    .await;
    let times: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|row| row.entry.at)
        .collect();
    assert_eq!(times, [4, 3, 2, 1, 0].map(slot));
}

pub(crate) async fn hostile_texts_are_stored_and_not_refused(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let mut odd = entry(0, "a\0b", "pause\0");
    odd.target = Some("\0".into());
    odd.remote = Some("x".repeat(100_000));
    odd.after = Some(json!({"k\0": ["v\0"]}));
    odd.at = DateTime::<Utc>::MAX_UTC;
    a.store.record(&[odd]).await.unwrap();
    let rows = found(&a, any()).await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].entry.subject.starts_with('a'));
}

pub(crate) async fn old_entries_are_forgotten(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let entries: Vec<_> = (0..4).map(|n| entry(n, "ann", "pause")).collect();
    a.store.record(&entries).await.unwrap();
    assert_eq!(a.store.prune(slot(2), slot(0)).await.unwrap(), 2);
    let times: Vec<_> = found(&a, any())
        .await
        .iter()
        .map(|row| row.entry.at)
        .collect();
    assert_eq!(times, [slot(3), slot(2)]);
    assert_eq!(a.store.prune(slot(2), slot(0)).await.unwrap(), 0);
}
