//! Knowledge items: added, put in each other's place, read and removed.

use actor_server::domain::content::{ContentItem, ContentQuery, StoredItem};
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{Process, slot},
};

fn item(key: Option<&str>, body: &str) -> ContentItem {
    ContentItem {
        key: key.map(str::to_owned),
        title: None,
        body: body.into(),
        source: None,
        tags: Vec::new(),
        priority: 0.5,
        not_before: None,
        expires_at: None,
        media: Vec::new(),
        metadata: json!({}),
    }
}

async fn page(process: &Process, table: &str, after: Option<i64>, limit: u32) -> Vec<StoredItem> {
    let query = ContentQuery {
        table: table.into(),
        after,
        limit,
    };
    process.store.content(&query).await.unwrap()
}

async fn add(process: &Process, table: &str, items: &[ContentItem]) -> Vec<i64> {
    let store = &process.store;
    store.add_content(table, items, slot(0)).await.unwrap()
}

pub(crate) async fn items_come_back_newest_first_as_they_were(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let full = ContentItem {
        key: Some("k".into()),
        title: Some("it's a \"title\"".into()),
        body: "🦀\n\\ %s ' ; --".into(),
        source: Some("https://example.com/?a=1".into()),
        tags: vec!["one".into(), "zwei ü".into()],
        priority: 0.25,
        not_before: Some(slot(1)),
        expires_at: Some(slot(2)),
        media: vec!["https://example.com/a.png".into()],
        metadata: json!({"n": [1, null]}),
    };
    let ids = add(&a, "t", &[full.clone(), item(Some("l"), "second")]).await;
    let found = page(&a, "t", None, 10).await;
    let back: Vec<_> = found.iter().map(|row| row.id).collect();
    assert_eq!(back, [ids[1], ids[0]]);
    assert_eq!(found[1].item, full);
    assert_eq!(
        (found[1].table.as_str(), found[1].created_at),
        ("t", slot(0))
    );
    assert!(add(&a, "t", &[]).await.is_empty());
    assert!(page(&a, "other", None, 10).await.is_empty());
    assert!(page(&a, "t\0", None, 10).await.is_empty());
    assert!(page(&a, "t", None, 0).await.is_empty());
}

pub(crate) async fn an_item_with_a_known_key_takes_the_place_of_the_first(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let first = add(&a, "t", &[item(Some("k"), "old"), item(Some("l"), "other")]).await;
    let same_key_elsewhere = add(&a, "u", &[item(Some("k"), "elsewhere")]).await;
    let again = item(Some("k"), "new");
    let store = &a.store;
    let second = store
        .add_content("t", std::slice::from_ref(&again), slot(5))
        .await;
    assert_eq!(second.unwrap(), first[..1]);
    let found = page(&a, "t", None, 10).await;
    assert_eq!(found.len(), 2);
    assert_eq!((&found[1].item, found[1].created_at), (&again, slot(0)));
    let elsewhere = page(&a, "u", None, 10).await;
    assert_eq!(elsewhere[0].id, same_key_elsewhere[0]);
    assert_eq!(elsewhere[0].item.body, "elsewhere");
}

pub(crate) async fn an_item_without_a_key_is_known_by_its_body(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let ids = add(
        &a,
        "t",
        &[
            item(None, "same"),
            item(None, "another"),
            item(None, "same"),
        ],
    )
    .await;
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
    let found = page(&a, "t", None, 10).await;
    let key = found[0].item.key.clone().unwrap();
    assert_eq!(key.len(), 32, "{key}");
    assert_eq!(add(&a, "t", &[item(None, "same")]).await, ids[..1]);
    assert_eq!(page(&a, "t", None, 10).await, found);
}

pub(crate) async fn of_items_with_one_key_the_last_counts(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let items: Vec<_> = (0..1200)
        .map(|n| item(Some(&format!("k{}", n % 700)), &format!("body {n}")))
        .collect();
    let ids = add(&a, "t", &items).await;
    assert_eq!(ids.len(), 1200);
    assert_eq!(ids[0], ids[700]);
    let found = page(&a, "t", None, 2000).await;
    assert_eq!(found.len(), 700);
    let first = found.iter().find(|row| row.id == ids[0]).unwrap();
    assert_eq!(first.item.body, "body 700");
}

pub(crate) async fn pages_of_items_follow_each_other(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    for n in 0..5 {
        add(&a, "t", &[item(None, &n.to_string())]).await;
        add(&a, "u", &[item(None, &n.to_string())]).await;
    }
    let first = page(&a, "t", None, 3).await;
    let second = page(&a, "t", first.last().map(|row| row.id), 3).await;
    let bodies: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|row| row.item.body.as_str())
        .collect();
    assert_eq!(bodies, ["4", "3", "2", "1", "0"]);
}

pub(crate) async fn items_are_removed_one_by_one_or_all(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let ids = add(
        &a,
        "t",
        &[item(None, "1"), item(None, "2"), item(None, "3")],
    )
    .await;
    add(&a, "u", &[item(None, "1")]).await;
    let remove = async |table: &str, id| a.store.remove_content(table, id).await.unwrap();
    assert_eq!(remove("t", Some(ids[0])).await, 1);
    assert_eq!(remove("t", Some(ids[0])).await, 0);
    assert_eq!(remove("u", Some(ids[1])).await, 0);
    assert_eq!(remove("t\0", None).await, 0);
    assert_eq!(remove("t", None).await, 2);
    assert!(page(&a, "t", None, 10).await.is_empty());
    assert_eq!(page(&a, "u", None, 10).await.len(), 1);
}

pub(crate) async fn hostile_items_are_stored_and_not_refused(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let long = "k".repeat(100_000);
    let odd = ContentItem {
        title: Some("\0".into()),
        tags: vec!["a\0".into()],
        media: vec!["\0".into()],
        not_before: Some(DateTime::<Utc>::MIN_UTC),
        expires_at: Some(DateTime::<Utc>::MAX_UTC),
        metadata: json!({"\0": "\0"}),
        ..item(Some("key\0"), &"🦀\0".repeat(100_000))
    };
    let ids = add(&a, "t", &[odd.clone(), item(Some(&long), "long")]).await;
    let found = page(&a, "t", None, 10).await;
    assert_eq!(found.len(), 2);
    assert!(found[1].item.not_before < Some(slot(0)));
    assert!(found[1].item.expires_at > Some(slot(0)));
    assert_eq!(add(&a, "t", &[odd, item(Some(&long), "long")]).await, ids);
}

pub(crate) async fn imports_at_once_do_not_lock_each_other_out(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let items: Vec<_> = (0..300).map(|n| item(None, &n.to_string())).collect();
    let mut turned = items.clone();
    turned.reverse();
    let one = tokio::spawn(async move { add(&a, "t", &items).await });
    let mut two = add(&b, "t", &turned).await;
    two.reverse();
    assert_eq!(one.await.unwrap(), two);
}
