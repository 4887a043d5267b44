//! Triggers and events that were answered, and whose process died before they started.

use std::{path::Path, time::Duration};

use actor_server::{
    clock::Clock,
    domain::{
        outcome::Status,
        run::{ExecutionId, ReplicaId, Trigger},
    },
    store::{self, Replica, Write, Written},
};
use serde_json::json;
use tempfile::tempdir;

use super::{
    bots::{bot, name},
    server::Server,
    stand::Setting,
};

const GRACE: Duration = Duration::from_secs(2);

/// A process stores an event for each bot and dies.
async fn answered(folder: &Path, bots: &[&str]) -> Vec<ExecutionId> {
    let me = Replica {
        id: ReplicaId::new("dead"),
        address: String::new(),
        version: String::new(),
        started_at: Clock::process().now(),
    };
    let url = format!("sqlite://{}/bots.db", folder.display());
    let (_, store) = store::open(&url, &me).await.unwrap();
    let event = |bot: &&str| Write::Insert {
        bot: name(bot),
        trigger: Trigger::Event,
        metadata: json!({ "input": { "event": "arrived" } }),
        key: Some("once".into()),
    };
    let batch: Vec<Write> = bots.iter().map(event).collect();
    let answers = store.write(&me.id, &batch).await.unwrap();
    store.close().await;
    let id = |answer| match answer {
        Written::Claimed(Some(id)) => id,
        other => panic!("{other:?}"),
    };
    answers.into_iter().map(id).collect()
}

#[actix_rt::test]
async fn an_event_that_was_answered_runs_in_the_next_process() {
    let folder = tempdir().unwrap();
    let setting = || Setting::of([bot("bot", "succeed")]);
    let first = Server::start(folder.path(), setting()).await;
    first.stop(GRACE).await;
    let run = answered(folder.path(), &["bot"]).await[0];
    let server = Server::start(folder.path(), setting()).await;
    let row = server.run("bot", run, Status::Succeeded).await;
    assert_eq!((row.trigger, row.attempt), (Trigger::Event, 1));
    assert_eq!(row.metadata["rescued_from"], json!("dead"));
    assert_eq!(row.metadata["input"], json!({ "event": "arrived" }));
    assert_eq!(server.state("bot").await.last_run, row.started_at);
    server.stop(GRACE).await;
}

#[actix_rt::test]
async fn an_event_of_a_bot_that_is_no_longer_configured_is_abandoned() {
    let folder = tempdir().unwrap();
    let both = Setting::of([bot("bot", "succeed"), bot("gone", "succeed")]);
    let first = Server::start(folder.path(), both).await;
    first.stop(GRACE).await;
    let run = answered(folder.path(), &["gone"]).await[0];
    let left = Setting::of([bot("bot", "succeed")]);
    let server = Server::start(folder.path(), left).await;
    let over = |row: &actor_server::store::LedgerRow| {
        (row.id, row.status, row.started_at) == (run, Status::Abandoned, None)
    };
    server.row("gone", "its event is abandoned", over).await;
    server.stop(GRACE).await;
}
