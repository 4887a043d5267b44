//! Items that posts are made of: each is used by a bot once, with the post or not at all.

use actor_server::{
    domain::run::ExecutionId,
    store::{NewPost, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{ending, is_lost, name, outcome, slot},
    shelf::{bodies, item, made_of, marked, refused, wish},
};
use actor_server::domain::outcome::Status;

fn post(answer: Written) -> actor_server::domain::post::Post {
    match answer {
        Written::Post(post) => *post,
        other => panic!("{other:?}"),
    }
}

fn is_taken(answer: &Written) -> bool {
    matches!(answer, Written::ItemTaken)
}

pub(crate) async fn an_item_is_used_once_by_a_bot_and_once_by_another(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    let ids = a.add(&[item("one"), item("two")]).await;
    let (_, first) = a.post_of(&bot, 0, ids[0]).await;
    let first = post(first);
    let run = b.claim(&bot, 1).await;
    let again = b.write(Write::StorePost(made_of(ids[0], run, &bot, 1)));
    assert!(is_taken(&again.await));
    assert_eq!(a.store.posts(Some(&bot), 9).await.unwrap(), [first]);
    assert_eq!(b.row(&bot, run).await.started_at, None);
    let next = b.write(Write::StorePost(made_of(ids[1], run, &bot, 1)));
    post(next.await);
    post(a.post_of(&other, 0, ids[0]).await.1);
}

pub(crate) async fn a_post_that_is_stored_takes_no_other_item(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one"), item("two")]).await;
    let (run, first) = a.post_of(&bot, 0, ids[0]).await;
    let first = post(first);
    for id in [ids[0], ids[1], 12_345] {
        let again = a.write(Write::StorePost(made_of(id, run, &bot, 0)));
        assert_eq!(post(again.await), first);
    }
    post(a.post_of(&bot, 1, ids[1]).await.1);
}

pub(crate) async fn a_run_may_make_several_posts_of_its_item(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one")]).await;
    let (run, first) = a.post_of(&bot, 0, ids[0]).await;
    let second = NewPost {
        position: 1,
        nonce: "another".into(),
        ..made_of(ids[0], run, &bot, 0)
    };
    let second = post(a.write(Write::StorePost(second)).await);
    let first = post(first);
    assert_ne!(second.id, first.id);
    // One was refused, the other stands: the item is not free.
    a.write(refused(first.id, true)).await;
    assert!(is_taken(&a.post_of(&bot, 1, ids[0]).await.1));
    a.write(refused(second.id, true)).await;
    post(a.post_of(&bot, 2, ids[0]).await.1);
}

pub(crate) async fn of_one_batch_an_item_is_used_by_the_first(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one")]).await;
    let (one, two) = (a.run(&bot, 0).await, a.run(&bot, 1).await);
    let writes =
        [(one, 0), (two, 1)].map(|(run, n)| Write::StorePost(made_of(ids[0], run, &bot, n)));
    let answers = a.try_write(&writes).await.unwrap();
    assert!(matches!(answers[0], Written::Post(_)), "{answers:?}");
    assert!(is_taken(&answers[1]), "{answers:?}");
}

pub(crate) async fn of_processes_with_one_item_one_posts_it(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let ids: Vec<i64> = a.add(&crate::shelf::items(10, 0.5)).await;
    for (n, id) in (0..).zip(ids) {
        let (one, two) = (a.run(&bot, 2 * n).await, b.run(&bot, 2 * n + 1).await);
        let (first, second) = tokio::join!(
            a.write(Write::StorePost(made_of(id, one, &bot, n))),
            b.write(Write::StorePost(made_of(id, two, &bot, n))),
        );
        assert_ne!(is_taken(&first), is_taken(&second), "{first:?} {second:?}");
    }
    assert_eq!(a.store.posts(Some(&bot), 99).await.unwrap().len(), 10);
}

pub(crate) async fn a_post_of_an_item_that_was_removed_is_stored(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one")]).await;
    a.store.remove_content("t", Some(ids[0])).await.unwrap();
    post(a.post_of(&bot, 0, ids[0]).await.1);
    // What comes again is another item.
    let again = a.add(&[item("one")]).await;
    assert_ne!(again, ids);
    assert_eq!(bodies(&a.candidates(&wish(&bot, 5)).await), ["one"]);
    post(a.post_of(&bot, 1, again[0]).await.1);
    assert!(a.candidates(&wish(&bot, 5)).await.is_empty());
    a.store.remove_content("t", None).await.unwrap();
    a.add(&[item("one")]).await;
    assert_eq!(bodies(&a.candidates(&wish(&bot, 5)).await), ["one"]);
}

pub(crate) async fn a_refused_post_frees_its_item_if_that_is_said(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one"), item("two"), item("three")]).await;
    let mut posts = Vec::new();
    for (n, id) in (0..).zip(&ids) {
        posts.push(post(a.post_of(&bot, n, *id).await.1).id);
    }
    a.write(refused(posts[0], true)).await;
    a.write(refused(posts[1], false)).await;
    a.write(Write::MarkPost(marked(posts[2]))).await;
    a.write(refused(posts[2], true)).await;
    assert_eq!(bodies(&a.candidates(&wish(&bot, 5)).await), ["one"]);
    post(a.post_of(&bot, 3, ids[0]).await.1);
    assert!(is_taken(&a.post_of(&bot, 4, ids[1]).await.1));
    assert!(is_taken(&a.post_of(&bot, 5, ids[2]).await.1));
}

pub(crate) async fn a_refused_post_that_is_resent_has_its_item_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one"), item("two")]).await;
    let (_, first) = a.post_of(&bot, 0, ids[0]).await;
    let (_, second) = a.post_of(&bot, 1, ids[1]).await;
    let (first, second) = (post(first).id, post(second).id);
    for id in [first, second] {
        a.write(refused(id, true)).await;
    }
    // Of the second one's item another post is made meanwhile.
    post(a.post_of(&bot, 2, ids[1]).await.1);
    for id in [first, second] {
        assert!(a.store.resend_post(id).await.unwrap().is_some());
    }
    assert!(a.candidates(&wish(&bot, 5)).await.is_empty());
    assert!(is_taken(&a.post_of(&bot, 3, ids[0]).await.1));
}

pub(crate) async fn what_is_used_stays_used_when_all_else_is_forgotten(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one")]).await;
    let (run, stored) = a.post_of(&bot, 0, ids[0]).await;
    a.write(Write::MarkPost(marked(post(stored).id))).await;
    a.write(ending(run, &bot, 0, outcome(Status::Succeeded)))
        .await;
    a.store.prune(slot(999), slot(999)).await.unwrap();
    assert!(a.store.posts(None, 9).await.unwrap().is_empty());
    assert!(a.candidates(&wish(&bot, 5)).await.is_empty());
    // An item that is imported again is the same one.
    assert_eq!(a.add(&[item("one")]).await, ids);
    assert!(is_taken(&a.post_of(&bot, 1, ids[0]).await.1));
}

pub(crate) async fn a_post_of_nobody_uses_nothing(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one")]).await;
    let run = a.run(&bot, 0).await;
    for (process, run) in [(&b, run), (&a, ExecutionId(12_345))] {
        let answer = process.write(Write::StorePost(made_of(ids[0], run, &bot, 0)));
        assert!(is_lost(&answer.await));
    }
    assert_eq!(a.candidates(&wish(&name("bot"), 5)).await.len(), 1);
}
