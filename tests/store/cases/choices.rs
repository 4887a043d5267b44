//! What a bot may choose from.

use actor_server::{
    domain::content::{ContentItem, Selection},
    store::{NewPost, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::slot,
    shelf::{bodies, item, items, made_of, ranked, refused, wish},
};

pub(crate) async fn candidates_are_the_first_by_priority_and_the_newest(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.add(&[
        ranked("old", 0.1),
        ranked("second", 0.9),
        ranked("third", 0.9),
        ranked("first", 1.0),
        ranked("newer", 0.2),
        ranked("newest", 0.0),
    ])
    .await;
    let two = a.candidates(&wish(&bot, 2)).await;
    assert_eq!(bodies(&two), ["first", "second", "newest", "newer"]);
    let all = a.candidates(&wish(&bot, 10)).await;
    assert_eq!(
        bodies(&all),
        ["first", "second", "third", "newer", "old", "newest"]
    );
    assert!(a.candidates(&wish(&bot, 0)).await.is_empty());
}

pub(crate) async fn items_are_chosen_in_their_time_only(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let window = |body: &str, from: Option<i64>, to: Option<i64>| ContentItem {
        not_before: from.map(slot),
        expires_at: to.map(slot),
        ..item(body)
    };
    a.add(&[
        window("always", None, None),
        window("over", None, Some(100)),
        window("early", Some(101), None),
        window("begins", Some(100), Some(101)),
        window("turned", Some(101), Some(99)),
    ])
    .await;
    let at = |n: i64| Selection {
        now: slot(n),
        ..wish(&bot, 9)
    };
    for (n, expected) in [
        (0, vec!["always", "over"]),
        (99, vec!["always", "over"]),
        (100, vec!["always", "begins"]),
        (101, vec!["always", "early"]),
        (99, vec!["always", "over"]),
    ] {
        assert_eq!(bodies(&a.candidates(&at(n)).await), expected, "at {n}");
    }
}

pub(crate) async fn candidates_come_from_the_named_tables(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.add(&[item("mine")]).await;
    for (table, body) in [("u", "yours"), ("v", "theirs")] {
        a.store
            .add_content(table, &[item(body)], slot(0))
            .await
            .unwrap();
    }
    let from = |tables: &[&str]| Selection {
        tables: tables.iter().map(|&table| table.into()).collect(),
        ..wish(&bot, 5)
    };
    let both = a.candidates(&from(&["u", "t", "u", "none", "x\0"])).await;
    assert_eq!(bodies(&both), ["yours", "mine"]);
    assert!(a.candidates(&from(&[])).await.is_empty());
}

pub(crate) async fn what_has_been_looked_at_is_not_chosen_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&items(200, 0.5)).await;
    let mut skip = Vec::new();
    while skip.len() < ids.len() {
        let next = Selection {
            skip: skip.clone(),
            ..wish(&bot, 30)
        };
        let found = a.candidates(&next).await;
        assert!(!found.is_empty());
        let oldest = ids.iter().find(|id| !skip.contains(id)).unwrap();
        assert_eq!(found[0].id, *oldest);
        skip.extend(found.iter().map(|row| row.id));
    }
    skip.sort_unstable();
    assert_eq!(skip, ids);
}

pub(crate) async fn what_the_run_itself_has_used_comes_first(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a
        .add(&[
            ranked("top", 0.9),
            ranked("mine", 0.1),
            ranked("also mine", 0.5),
        ])
        .await;
    let (run, _) = a.post_of(&bot, 0, ids[1]).await;
    let second = NewPost {
        position: 1,
        nonce: "another".into(),
        ..made_of(ids[2], run, &bot, 0)
    };
    a.write(Write::StorePost(second)).await;
    let mine = Selection {
        execution: run,
        ..wish(&bot, 1)
    };
    let found = a.candidates(&mine).await;
    assert_eq!(bodies(&found), ["mine", "also mine", "top"]);
    let skipping = Selection {
        skip: vec![ids[1]],
        ..mine.clone()
    };
    assert_eq!(bodies(&a.candidates(&skipping).await), ["also mine", "top"]);
    let elsewhere = Selection {
        tables: vec!["u".into()],
        ..mine
    };
    assert!(a.candidates(&elsewhere).await.is_empty());
    assert_eq!(bodies(&a.candidates(&wish(&bot, 5)).await), ["top"]);
}

pub(crate) async fn an_item_is_found_behind_many_that_are_used(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut all = items(1_500, 0.9);
    all.push(ranked("last", 0.1));
    let ids = a.add(&all).await;
    let run = a.run(&bot, 0).await;
    let posts = (0..).zip(&ids[..1_500]).map(|(position, id)| {
        Write::StorePost(NewPost {
            position,
            nonce: format!("n{position}"),
            ..made_of(*id, run, &bot, 0)
        })
    });
    let answers = a.try_write(&posts.collect::<Vec<_>>()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(bodies(&a.candidates(&wish(&bot, 5)).await), ["last"]);
    }
    let Written::Post(post) = &answers[700] else {
        panic!("{:?}", answers[700]);
    };
    a.write(refused(post.id, true)).await;
    for _ in 0..3 {
        let found = a.candidates(&wish(&bot, 1)).await;
        assert_eq!(bodies(&found), ["700", "last"]);
    }
    a.add(&[ranked("1400", 0.95), ranked("new", 0.9)]).await;
    let found = a.candidates(&wish(&bot, 2)).await;
    assert_eq!(bodies(&found), ["700", "new", "last"]);
}

pub(crate) async fn an_item_that_changes_among_many_that_are_over_is_found(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let over = |n: usize| ContentItem {
        expires_at: Some(slot(50)),
        ..ranked(&format!("over {n}"), 0.9)
    };
    let early = |n: usize| ContentItem {
        not_before: Some(slot(200)),
        ..ranked(&format!("early {n}"), 0.8)
    };
    let mut all: Vec<_> = (0..500).map(over).chain((0..500).map(early)).collect();
    all.push(ranked("now", 0.1));
    a.store.add_content("t", &all, slot(100)).await.unwrap();
    assert_eq!(bodies(&a.candidates(&wish(&bot, 1)).await), ["now"]);
    let changed = [
        ContentItem {
            expires_at: Some(slot(101)),
            ..over(250)
        },
        ContentItem {
            not_before: None,
            ..early(250)
        },
        ranked("added", 0.85),
    ];
    a.store.add_content("t", &changed, slot(100)).await.unwrap();
    let expected = ["over 250", "added", "early 250"];
    assert_eq!(bodies(&a.candidates(&wish(&bot, 3)).await)[..3], expected);
    let at = |n: i64| Selection {
        now: slot(n),
        ..wish(&bot, 1)
    };
    // A clock that goes on, back, and on again.
    for (n, expected) in [
        (200, "added"),
        (49, "over 0"),
        (150, "added"),
        (100, "over 250"),
    ] {
        assert_eq!(bodies(&a.candidates(&at(n)).await)[0], expected, "at {n}");
    }
    a.store.remove_content("t", None).await.unwrap();
    assert!(a.candidates(&wish(&bot, 1)).await.is_empty());
    a.add(&[ranked("again", 0.9)]).await;
    assert_eq!(bodies(&a.candidates(&wish(&bot, 1)).await), ["again"]);
}

pub(crate) async fn a_priority_that_is_no_number_is_a_middling_one(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0];
    let odd: Vec<_> = odd.iter().map(|p| ranked(&format!("{p:?}"), *p)).collect();
    a.add(&odd).await;
    let found = a.candidates(&wish(&bot, 9)).await;
    assert_eq!(bodies(&found), ["NaN", "inf", "-inf", "-0.0", "0.0"]);
    assert!((found[0].item.priority - 0.5).abs() < f64::EPSILON);
}

pub(crate) async fn tables_are_told_by_name(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    assert!(a.store.content_tables(slot(0)).await.unwrap().is_empty());
    let window = |body: &str, from: Option<i64>, to: Option<i64>| ContentItem {
        not_before: from.map(slot),
        expires_at: to.map(slot),
        ..item(body)
    };
    a.add(&[
        window("always", None, None),
        window("over", None, Some(10)),
        window("early", Some(11), None),
        window("both", Some(11), Some(9)),
    ])
    .await;
    let store = &a.store;
    store.add_content("b", &[item("x")], slot(7)).await.unwrap();
    let told = store.content_tables(slot(10)).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|t| (t.table.as_str(), [t.items, t.waiting, t.expired], t.newest))
        .collect();
    let expected = [
        ("b", [1, 0, 0], Some(slot(7))),
        ("t", [4, 1, 2], Some(slot(0))),
    ];
    assert_eq!(told, expected);
    store.remove_content("b", None).await.unwrap();
    assert_eq!(store.content_tables(slot(10)).await.unwrap().len(), 1);
}
