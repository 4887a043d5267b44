//! The schema's steps, up and down.

use std::{fs, path::Path, sync::Arc};

use actor_server::{
    domain::{outcome::Status, run::ReplicaId},
    store::{
        StatePersistence, StoreError, Write,
        sqlite::{migrate_down, migrate_up, migration_status},
    },
};
use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};

use super::open;
use crate::process::{Process, ending, outcome, slot};

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn tables(path: &Path) -> Vec<String> {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let ours = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'actor_server%' ORDER BY name";
    let rows: Vec<Named> = sql_query(ours).load(&mut conn).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[tokio::test]
async fn steps_go_up_down_and_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/a.db");
    let status = migration_status(&path).await.unwrap();
    assert!(status.len() >= 2 && status.iter().all(|step| !step.applied));
    assert!(!path.exists());
    let up = migrate_up(&path).await.unwrap();
    assert_eq!(up.len(), status.len());
    let all = tables(&path);
    assert_eq!(all.len(), 15, "{all:?}");
    assert!(migrate_up(&path).await.unwrap().is_empty());

    assert_eq!(migrate_down(&path, 1).await.unwrap(), up[up.len() - 1..]);
    let status = migration_status(&path).await.unwrap();
    let applied = status.iter().filter(|step| step.applied).count();
    assert_eq!(applied, up.len() - 1);
    assert_eq!(migrate_down(&path, 99).await.unwrap().len(), up.len() - 1);
    assert!(tables(&path).is_empty());
    assert!(migrate_down(&path, 1).await.unwrap().is_empty());

    open(&path).await.unwrap().ping().await.unwrap();
    assert_eq!(tables(&path), all);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    migrate_up(&path).await.unwrap();
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999'); PRAGMA journal_mode = DELETE;",
    )
    .unwrap();
    drop(conn);
    let before = fs::read(&path).unwrap();
    for refused in [
        open(&path).await.map(drop).unwrap_err(),
        migrate_up(&path).await.unwrap_err(),
        migrate_down(&path, 1).await.unwrap_err(),
    ] {
        assert!(matches!(refused, StoreError::NewerSchema(_)), "{refused:?}");
        assert!(refused.to_string().contains("9999"), "{refused}");
    }
    assert!(fs::read(&path).unwrap() == before);
    let status = migration_status(&path).await.unwrap();
    assert_eq!(status.last().unwrap().version, "9999");
}

#[tokio::test]
async fn a_schema_of_an_older_program_is_brought_up_to_date_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path).await.unwrap();
    let id = store.database_id().to_owned();
    drop(store);
    migrate_down(&path, 1).await.unwrap();
    assert_eq!(open(&path).await.unwrap().database_id(), id);
}

#[tokio::test]
async fn a_file_that_is_owned_is_not_migrated_but_its_status_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let _owner = open(&path).await.unwrap();
    for refused in [migrate_up(&path).await, migrate_down(&path, 1).await] {
        assert!(matches!(refused, Err(StoreError::Owned(_))), "{refused:?}");
    }
    let status = migration_status(&path).await.unwrap();
    assert!(status.iter().all(|step| step.applied));
}

#[tokio::test]
async fn the_last_success_is_filled_in_from_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let process = Process::new(Arc::new(open(&path).await.unwrap()), ReplicaId::new("a"));
    let (bot, other) = (
        process.register("bot").await,
        process.register("other").await,
    );
    for (n, status) in [
        (0, Status::Succeeded),
        (1, Status::Succeeded),
        (2, Status::Failed),
    ] {
        process.finish(&bot, n, status).await;
    }
    process.finish(&other, 0, Status::Failed).await;
    let id = process.run(&bot, 3).await;
    let Write::Finish(mut dry) = ending(id, &bot, 3, outcome(Status::Succeeded)) else {
        unreachable!();
    };
    dry.metadata = serde_json::json!({ "dry_run": true });
    process.write(Write::Finish(dry)).await;
    let states = process.store.states().await.unwrap();
    process.store.close().await;
    drop(process);
    while migrate_down(&path, 1).await.unwrap() != ["0005"] {}
    let again = open(&path).await.unwrap();
    assert_eq!(again.states().await.unwrap(), states);
    let success = slot(1) + chrono::TimeDelta::milliseconds(500);
    let state = again.state(&bot).await.unwrap();
    assert_eq!(state.unwrap().last_success, Some(success));
}
