//! Faults that can only be put in from inside: a file that may not grow, and work that dies half-way.

use std::path::Path;

use diesel::connection::SimpleConnection;
use serde_json::json;

use super::*;
use crate::{
    domain::run::Trigger,
    store::{StatePersistence, Write},
};

async fn open(folder: &Path) -> SqliteStore {
    let clock = Clock::process();
    let me = Replica {
        id: ReplicaId::new("me"),
        address: String::new(),
        version: String::new(),
        started_at: clock.now(),
    };
    SqliteStore::open(&folder.join("a.db"), &me, clock)
        .await
        .unwrap()
}

fn large(bytes: usize) -> Write {
    Write::Insert {
        bot: BotName::parse("bot").unwrap(),
        trigger: Trigger::Manual,
        metadata: json!({ "note": "x".repeat(bytes) }),
        key: None,
    }
}

#[tokio::test]
async fn a_full_disk_is_an_outage_and_ends_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let me = ReplicaId::new("me");
    store.write(&me, &[large(1)]).await.unwrap();
    let full = |conn: &mut SqliteConnection| Ok(conn.batch_execute("PRAGMA max_page_count = 1")?);
    store.writer.run(full).await.unwrap();
    let refused = store.write(&me, &[large(1), large(1_000_000)]).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Unavailable(what) if what.contains("full")),
        "{refused:?}"
    );
    assert_eq!(store.ledger(None, 10).await.unwrap().len(), 1);
    // The limit went with the connection that met it.
    store.write(&me, &[large(1_000_000)]).await.unwrap();
    assert_eq!(store.ledger(None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_panic_inside_a_transaction_takes_it_back_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let me = ReplicaId::new("me");
    let died: Result<(), _> = store
        .transaction(|conn| {
            conn.batch_execute("DELETE FROM actor_server_meta")?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(died, Err(StoreError::Broken(_))), "{died:?}");
    store.ping().await.unwrap();
    store.write(&me, &[large(1)]).await.unwrap();
    drop(store);
    assert_eq!(open(folder.path()).await.database_id().len(), 32);
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let write =
        |conn: &mut SqliteConnection| Ok(conn.batch_execute("DELETE FROM actor_server_meta")?);
    assert!(store.readers.run(write).await.is_err());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn what_is_committed_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let level = store.writer.run(|conn| {
        let level: i64 = diesel::RunQueryDsl::get_result(
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "synchronous FROM pragma_synchronous",
            )),
            conn,
        )?;
        Ok(level)
    });
    assert_eq!(level.await.unwrap(), 2);
}
