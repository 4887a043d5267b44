//! What feeds bring.

use actor_server::domain::content::{ContentItem, ContentQuery, FeedLook, FeedState, StoredItem};

use crate::{
    fixture::Fixture,
    process::{Process, slot},
    shelf::{item, wish},
};

const URL: &str = "https://example.com/feed.xml";

fn entry(key: &str, body: &str) -> ContentItem {
    ContentItem {
        key: Some(key.into()),
        ..item(body)
    }
}

fn look(items: Vec<ContentItem>) -> FeedLook {
    FeedLook {
        table: "t".into(),
        url: URL.into(),
        state: FeedState {
            etag: Some("\"1\"".into()),
            last_modified: Some("Sun, 22 Nov 2026 10:00:00 GMT".into()),
            read_at: Some(slot(5)),
        },
        items,
        at: slot(5),
    }
}

async fn take(process: &Process, items: Vec<ContentItem>) -> u64 {
    process.store.take_feed(&look(items)).await.unwrap()
}

async fn stored(process: &Process) -> Vec<StoredItem> {
    let query = ContentQuery {
        table: "t".into(),
        after: None,
        limit: 99,
    };
    process.store.content(&query).await.unwrap()
}

pub(crate) async fn a_feed_is_remembered_as_it_was_read_last(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    assert_eq!(a.store.feed("t", URL).await.unwrap(), None);
    let first = look(Vec::new());
    assert_eq!(a.store.take_feed(&first).await.unwrap(), 0);
    assert_eq!(
        a.store.feed("t", URL).await.unwrap(),
        Some(first.state.clone())
    );
    assert_eq!(a.store.feed("u", URL).await.unwrap(), None);
    let long = format!("{URL}?{}", "x".repeat(100_000));
    let second = FeedLook {
        url: long.clone(),
        state: FeedState::default(),
        ..first.clone()
    };
    a.store.take_feed(&second).await.unwrap();
    assert_eq!(a.store.feed("t", &long).await.unwrap(), Some(second.state));
    assert_eq!(a.store.feed("t", URL).await.unwrap(), Some(first.state));
}

pub(crate) async fn an_entry_is_added_once_and_brought_up_to_date(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    assert_eq!(take(&a, vec![entry("1", "a"), entry("2", "b")]).await, 2);
    let before = stored(&a).await;
    let again = vec![entry("1", "a"), entry("2", "new b"), entry("3", "c")];
    assert_eq!(take(&a, again).await, 1);
    let after = stored(&a).await;
    let bodies: Vec<_> = after.iter().map(|row| row.item.body.as_str()).collect();
    assert_eq!(bodies, ["c", "new b", "a"]);
    assert_eq!((after[1].id, &after[2]), (before[0].id, &before[1]));
    assert_eq!(a.candidates(&wish(&bot, 9)).await.len(), 3);
}

pub(crate) async fn an_entry_that_was_removed_does_not_come_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    take(&a, vec![entry("1", "a"), item("by its body")]).await;
    a.store.remove_content("t", None).await.unwrap();
    let again = vec![
        entry("1", "other words"),
        item("by its body"),
        entry("2", "b"),
    ];
    assert_eq!(take(&a, again).await, 1);
    assert_eq!(stored(&a).await.len(), 1);
    // An operator may bring it back.
    a.add(&[entry("1", "by hand")]).await;
    assert_eq!(take(&a, vec![entry("1", "by feed")]).await, 0);
    assert_eq!(stored(&a).await[0].item.body, "by feed");
}

pub(crate) async fn of_entries_with_one_id_the_last_counts(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let long = "k".repeat(100_000);
    let odd = vec![
        entry("1", "a"),
        entry("1", "b"),
        entry(&long, "long"),
        entry("nul\0", "\0"),
    ];
    assert_eq!(take(&a, odd.clone()).await, 3);
    assert_eq!(take(&a, odd.clone()).await, 0);
    let bodies = stored(&a).await;
    assert!(bodies.iter().any(|row| row.item.body == "b"));
    a.store.remove_content("t", None).await.unwrap();
    assert_eq!(take(&a, odd).await, 0);
}

pub(crate) async fn of_looks_at_once_one_adds_an_entry(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    for round in 0..5 {
        let entries: Vec<_> = (0..50)
            .map(|n| entry(&format!("{round} {n}"), "x"))
            .collect();
        let mut turned = entries.clone();
        turned.reverse();
        let (one, two) = tokio::join!(take(&a, entries), take(&b, turned));
        assert_eq!(one + two, 50);
    }
}
