//! Posts: stored before they are sent, and never twice.

use actor_server::{
    domain::{
        outcome::Status,
        post::{Message, PostStatus},
        run::ExecutionId,
    },
    store::{NewPost, PostMark, Write, Written},
};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{ending, is_lost, message, outcome, slot},
};

fn mark(id: i64, status: PostStatus) -> PostMark {
    PostMark {
        frees_item: false,
        id,
        status,
        attempts: 1,
        platform_message_id: None,
        error: None,
        posted_at: None,
    }
}

pub(crate) async fn a_post_is_stored_pending_with_all_it_says(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let new = NewPost {
        position: 3,
        message: Message {
            body: "it's \"quoted\" 🦀\n\\ %s ' ; --".into(),
            options: json!({"embeds": [{"title": "ä"}], "allowed_mentions": {"parse": []}}),
        },
        ..message(id, &bot, 0)
    };
    let post = a.post(new.clone()).await;
    assert_eq!((post.execution, &post.bot), (id, &bot));
    assert_eq!((post.position, &post.message), (3, &new.message));
    assert_eq!(
        (&post.platform, &post.destination),
        (&new.platform, &new.destination)
    );
    assert_eq!((&post.nonce, post.created_at), (&new.nonce, new.at));
    assert_eq!((post.status, post.attempts), (PostStatus::Pending, 0));
    assert_eq!((&post.platform_message_id, &post.error), (&None, &None));
    assert_eq!(a.store.posts(Some(&bot), 10).await.unwrap(), [post]);
}

pub(crate) async fn a_later_attempt_finds_the_post_of_an_earlier_one(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let first = a.post(message(id, &bot, 0)).await;
    a.write(Write::MarkPost(mark(first.id, PostStatus::Sent)))
        .await;
    let mut other_words = message(id, &bot, 0);
    other_words.message.body = "said differently".into();
    let again = a.post(other_words).await;
    assert_eq!(again.id, first.id);
    assert_eq!(again.message, first.message);
    assert_eq!(again.status, PostStatus::Sent);
    let second = NewPost {
        position: 1,
        nonce: "another".into(),
        ..message(id, &bot, 0)
    };
    assert_ne!(a.post(second).await.id, first.id);
    assert_eq!(a.store.posts(None, 10).await.unwrap().len(), 2);
}

pub(crate) async fn a_post_of_a_row_that_is_not_ours_is_lost(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = Write::StorePost(message(id, &bot, 0));
    assert!(is_lost(&b.write(post.clone()).await));
    a.write(ending(id, &bot, 0, outcome(Status::Cancelled)))
        .await;
    assert!(is_lost(&a.write(post).await));
    assert!(a.store.posts(None, 10).await.unwrap().is_empty());
}

pub(crate) async fn a_post_stores_a_start_that_was_not_stored(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    a.post(message(id, &bot, 0)).await;
    assert_eq!(a.row(&bot, id).await.started_at, Some(slot(0)));
    let state = a.state(&bot).await;
    assert_eq!((state.runs, state.last_run), (1, Some(slot(0))));
}

pub(crate) async fn a_mark_is_kept_and_sent_stays_sent(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    let failing = PostMark {
        error: Some("503 it's away".into()),
        ..mark(post.id, PostStatus::Pending)
    };
    a.write(Write::MarkPost(failing)).await;
    let found = a.post(message(id, &bot, 0)).await;
    assert_eq!((found.status, found.attempts), (PostStatus::Pending, 1));
    assert_eq!(found.error.as_deref(), Some("503 it's away"));
    let arrived = PostMark {
        attempts: 2,
        platform_message_id: Some("99".into()),
        posted_at: Some(slot(1)),
        ..mark(post.id, PostStatus::Sent)
    };
    a.write(Write::MarkPost(arrived)).await;
    a.write(Write::MarkPost(mark(post.id, PostStatus::Dead)))
        .await;
    let found = a.post(message(id, &bot, 0)).await;
    assert_eq!((found.status, found.attempts), (PostStatus::Sent, 2));
    assert_eq!(found.platform_message_id.as_deref(), Some("99"));
    assert_eq!((found.error, found.posted_at), (None, Some(slot(1))));
    a.write(ending(id, &bot, 0, outcome(Status::Succeeded)))
        .await;
    assert!(a.unsent().await.is_empty());
}

pub(crate) async fn a_mark_needs_no_claim(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    a.write(ending(id, &bot, 0, outcome(Status::Cancelled)))
        .await;
    let answer = b
        .write(Write::MarkPost(mark(post.id, PostStatus::Failed)))
        .await;
    assert!(matches!(answer, Written::Done), "{answer:?}");
    let found = a.store.posts(Some(&bot), 1).await.unwrap();
    assert_eq!(found[0].status, PostStatus::Failed);
    let nothing = b.write(Write::MarkPost(mark(12_345, PostStatus::Sent)));
    assert!(matches!(nothing.await, Written::Done));
}

pub(crate) async fn unsent_posts_come_oldest_first(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for n in 0..4 {
        let id = a.run(&bot, n).await;
        let post = a.post(message(id, &bot, n)).await;
        if n == 1 {
            a.write(Write::MarkPost(mark(post.id, PostStatus::Dead)))
                .await;
        }
        a.write(ending(id, &bot, n, outcome(Status::Succeeded)))
            .await;
    }
    let bodies = |posts: Vec<actor_server::domain::post::Post>| -> Vec<String> {
        posts.into_iter().map(|post| post.message.body).collect()
    };
    let unsent = bodies(a.unsent().await);
    assert_eq!(unsent, ["message 0", "message 2", "message 3"]);
    let newest = bodies(a.store.posts(None, 2).await.unwrap());
    assert_eq!(newest, ["message 3", "message 2"]);
}

pub(crate) async fn posts_of_a_run_at_work_are_left_to_it(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    assert!(a.unsent().await.is_empty());
    assert!(b.unsent().await.is_empty());
    a.write(ending(id, &bot, 0, outcome(Status::TimedOut)))
        .await;
    assert_eq!(a.unsent().await, [post]);
}

pub(crate) async fn posts_outlive_their_forgotten_runs(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    a.write(ending(id, &bot, 0, outcome(Status::Failed))).await;
    assert_eq!(a.store.prune(slot(9), slot(9)).await.unwrap(), 1);
    assert_eq!(a.unsent().await, [post]);
}

pub(crate) async fn posts_of_runs_come_in_their_order(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut runs = Vec::new();
    for n in 0..3 {
        let id = a.run(&bot, n).await;
        runs.push(id);
        for position in [1, 0] {
            let new = NewPost {
                position,
                nonce: format!("{id} {position}"),
                ..message(id, &bot, n)
            };
            a.post(new).await;
        }
    }
    let places = async |runs: &[ExecutionId]| -> Vec<(ExecutionId, i32)> {
        let posts = a.store.posts_of(runs).await.unwrap();
        let places = posts.iter().map(|post| (post.execution, post.position));
        places.collect()
    };
    let wanted = [runs[2], ExecutionId(0), runs[0], runs[2]];
    let expected = [(runs[0], 0), (runs[0], 1), (runs[2], 0), (runs[2], 1)];
    assert_eq!(places(&wanted).await, expected);
    assert!(places(&[]).await.is_empty());
    let many: Vec<_> = (0..40_000).map(ExecutionId).collect();
    assert_eq!(places(&many).await.len(), 6);
}
