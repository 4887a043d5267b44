//! Who did what, from the queue to the table.

use std::time::Duration;

use actor_server::{
    actors::{
        messages::{DEADLINE, NoteAudit},
        persistence::record_what_is_left,
    },
    domain::audit::{AuditEntry, AuditQuery},
};
use tempfile::tempdir;

use super::{
    server::Server,
    stand::{Setting, becomes, eventually},
};

const GRACE: Duration = Duration::from_secs(2);

fn entry(server: &Server, subject: &str) -> AuditEntry {
    AuditEntry {
        at: server.stand.env.clock.now(),
        subject: subject.into(),
        role: Some("operator".into()),
        action: "pause".into(),
        target: Some("ticker".into()),
        remote: Some("203.0.113.9".into()),
        request_id: None,
        before: Some(serde_json::json!({"is_paused": false})),
        after: None,
        outcome: "ok".into(),
    }
}

/// Who is in the table, newest first.
async fn recorded(server: &Server) -> Vec<String> {
    let query = AuditQuery {
        limit: 400,
        ..AuditQuery::default()
    };
    let rows = server.stand.env.store.audit(&query).await.unwrap();
    rows.into_iter().map(|row| row.entry.subject).collect()
}

#[actix_rt::test]
async fn what_is_noted_is_in_the_table_a_moment_later() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    server.stand.env.audit.note(entry(&server, "ann"));
    let inside = NoteAudit(Box::new(entry(&server, "SIGHUP")));
    server.ask(inside).await;
    eventually("both are stored", || async {
        (recorded(&server).await == ["SIGHUP", "ann"]).then_some(())
    })
    .await;
    server.stop(GRACE).await;
}

#[actix_rt::test]
async fn rows_wait_while_the_database_is_away_and_keep_their_order() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    server.line().away(true);
    for n in 0..300 {
        server.stand.env.audit.note(entry(&server, &n.to_string()));
    }
    server.line().away(false);
    becomes(true, || server.stand.env.audit.is_empty()).await;
    let expected: Vec<String> = (0..300).rev().map(|n| n.to_string()).collect();
    eventually("all are stored once", || async {
        (recorded(&server).await == expected).then_some(())
    })
    .await;
    assert_eq!(server.stand.env.audit.lost(), 0);
    server.stop(GRACE).await;
}

#[actix_rt::test]
async fn what_waits_at_the_end_is_stored_also_what_was_only_summed() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    for n in 0..9 {
        let stranger = entry(&server, &n.to_string());
        server.stand.env.audit.note_stranger(stranger);
    }
    record_what_is_left(&server.stand.env, DEADLINE).await;
    assert!(server.stand.env.audit.is_empty());
    let found = recorded(&server).await;
    assert_eq!(found, ["anonymous", "4", "3", "2", "1", "0"]);
    server.stop(GRACE).await;
}
