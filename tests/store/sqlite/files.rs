//! Opening files, good and bad.

use std::fs;

use actor_server::store::{StatePersistence, StoreError};

use super::open;
use crate::process::{insertion, state};

async fn error(path: &std::path::Path) -> StoreError {
    match open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_missing_file_is_made_with_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some/where/else/a.db");
    let store = open(&path).await.unwrap();
    store.ping().await.unwrap();
    assert!(path.is_file() && !store.is_shared());
}

#[tokio::test]
async fn an_empty_file_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    fs::write(&path, "").unwrap();
    open(&path).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn names_that_look_like_addresses_are_names_of_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:a.db?mode=memory", "ä b#c%20.db", ":memory:", "'\".db"] {
        let path = folder.path().join(name);
        open(&path).await.unwrap().close().await;
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn a_second_owner_is_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let first = open(&path).await.unwrap();
    let refused = error(&path).await;
    assert!(matches!(refused, StoreError::Owned(_)), "{refused:?}");
    let text = refused.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    assert!(text.contains("a.db.lock") && text.len() < 400, "{text}");
    assert!(!refused.is_transient());
    first.close().await;
    let second = open(&path).await.unwrap();
    drop(second);
    open(&path).await.unwrap();
}

#[tokio::test]
async fn what_is_stored_is_there_after_reopening_under_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let first = open(&path).await.unwrap();
    let me = crate::fixture::replica("owner").id;
    first.write(&me, &[insertion(&state("bot"))]).await.unwrap();
    let id = first.database_id().to_owned();
    drop(first);
    let second = open(&path).await.unwrap();
    assert_eq!(second.database_id(), id);
    assert_eq!(second.states().await.unwrap(), [state("bot")]);
    let other = open(&folder.path().join("b.db")).await.unwrap();
    assert_ne!(other.database_id(), id);
    assert!(id.len() >= 32, "{id}");
}

#[tokio::test]
async fn paths_that_can_be_no_database_are_refused_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "not a database, but longer than the header of one: ".repeat(20),
    )
    .unwrap();
    for (path, hint) in [
        (folder.path().to_owned(), "folder"),
        (text.clone(), "not a database"),
        (text.join("a.db"), "notes.txt"),
    ] {
        let refused = error(&path).await;
        assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains(hint), "{said}");
        assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
    }
    assert!(
        fs::read_to_string(&text)
            .unwrap()
            .starts_with("not a database")
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_made_now_may_be_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    // A dangling link is a file that cannot be opened, for root too.
    std::os::unix::fs::symlink(folder.path().join("away/a.db"), &path).unwrap();
    let refused = error(&path).await;
    assert!(refused.is_transient(), "{refused:?}");
    assert!(refused.to_string().contains("a.db"), "{refused}");
    fs::create_dir(folder.path().join("away")).unwrap();
    open(&path).await.unwrap().ping().await.unwrap();
}
