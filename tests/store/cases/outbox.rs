//! Posts on their way: their order, what has arrived, and what was given up.

use actor_server::{
    domain::{
        bot::BotName,
        outcome::Status,
        post::{Post, PostQuery, PostStatus},
    },
    store::{MOST_UNSENT, NewPost, PostMark, Write},
};

use crate::{
    fixture::Fixture,
    process::{Process, ending, message, outcome, slot},
};

fn mark(id: i64, status: PostStatus) -> PostMark {
    PostMark {
        frees_item: false,
        id,
        status,
        attempts: 3,
        platform_message_id: (status == PostStatus::Sent).then(|| format!("m{id}")),
        error: (status == PostStatus::Dead).then(|| "503".into()),
        posted_at: (status == PostStatus::Sent).then(|| slot(5)),
    }
}

/// A post of the run of a slot, to this destination; the run ends.
async fn posted(a: &Process, bot: &BotName, n: i64, to: &str) -> Post {
    let id = a.run(bot, n).await;
    let new = NewPost {
        destination: to.into(),
        ..message(id, bot, n)
    };
    let post = a.post(new).await;
    a.write(ending(id, bot, n, outcome(Status::Cancelled)))
        .await;
    post
}

async fn line(a: &Process, post: &Post, before: Option<i64>) -> Vec<i64> {
    let (platform, to) = (&post.platform, &post.destination);
    let line = a.store.unsent_before(platform, to, before).await.unwrap();
    line.iter().map(|post| post.id).collect()
}

pub(crate) async fn what_goes_first_is_pending_for_the_same_destination_and_older(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (one, two) = (a.register("one").await, a.register("two").await);
    let first = posted(&a, &one, 0, "1").await;
    let elsewhere = posted(&a, &one, 1, "2").await;
    let sent = posted(&a, &one, 2, "1").await;
    let at_work = b.run(&two, 0).await;
    let theirs = b
        .post(NewPost {
            destination: "1".into(),
            ..message(at_work, &two, 0)
        })
        .await;
    let last = posted(&a, &one, 3, "1").await;
    a.write(Write::MarkPost(mark(sent.id, PostStatus::Sent)))
        .await;
    assert_eq!(
        line(&a, &last, Some(last.turn)).await,
        [first.id, theirs.id]
    );
    assert_eq!(line(&b, &last, Some(theirs.turn)).await, [first.id]);
    assert_eq!(line(&b, &last, None).await, [first.id, theirs.id, last.id]);
    assert_eq!(line(&a, &elsewhere, None).await, [elsewhere.id]);
    assert!(last.turn == last.id && last.id > theirs.id);
}

pub(crate) async fn of_each_destination_a_bounded_number_is_read(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let most = i32::try_from(MOST_UNSENT).unwrap();
    for position in 0..most + 5 {
        let to = if position == 0 { "2" } else { "1" };
        a.post(NewPost {
            position,
            destination: to.into(),
            nonce: position.to_string(),
            ..message(id, &bot, 0)
        })
        .await;
    }
    a.write(ending(id, &bot, 0, outcome(Status::Cancelled)))
        .await;
    let unsent = a.unsent().await;
    assert_eq!(unsent.len(), usize::try_from(most).unwrap() + 1);
    assert!(unsent.is_sorted_by_key(|post| post.turn));
    let line = line(&a, &unsent[1], None).await;
    assert_eq!(line.len(), usize::try_from(most).unwrap());
    assert_eq!(line[0], unsent[1].id);
}

pub(crate) async fn what_was_given_up_is_resent_behind_all_others_and_anew(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let dead = posted(&a, &bot, 0, "1").await;
    let waits = posted(&a, &bot, 1, "1").await;
    a.write(Write::MarkPost(mark(dead.id, PostStatus::Dead)))
        .await;
    assert_eq!(a.store.dead_posts().await.unwrap(), 1);
    let again = a.store.resend_post(dead.id).await.unwrap().unwrap();
    assert_eq!((again.id, again.status), (dead.id, PostStatus::Pending));
    assert_eq!((again.attempts, &again.nonce), (0, &dead.nonce));
    assert_eq!(again.error.as_deref(), Some("503"));
    let newer = posted(&a, &bot, 2, "1").await;
    let order = [waits.id, dead.id, newer.id];
    assert_eq!(line(&a, &newer, None).await, order);
    let unsent: Vec<i64> = a.unsent().await.iter().map(|post| post.id).collect();
    assert_eq!(unsent, order);
    assert!(again.turn > waits.turn && again.turn < newer.turn);
    assert_eq!(a.store.post(dead.id).await.unwrap(), Some(again));
    assert_eq!(a.store.dead_posts().await.unwrap(), 0);
}

pub(crate) async fn nothing_but_what_was_given_up_is_resent(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (pending, sent) = (
        posted(&a, &bot, 0, "1").await,
        posted(&a, &bot, 1, "1").await,
    );
    let failed = posted(&a, &bot, 2, "1").await;
    a.write(Write::MarkPost(mark(sent.id, PostStatus::Sent)))
        .await;
    a.write(Write::MarkPost(mark(failed.id, PostStatus::Failed)))
        .await;
    for id in [pending.id, sent.id, 99_999] {
        assert_eq!(a.store.resend_post(id).await.unwrap(), None);
    }
    assert!(a.store.resend_post(failed.id).await.unwrap().is_some());
    assert_eq!(a.store.resend_post(failed.id).await.unwrap(), None);
}

pub(crate) async fn what_has_arrived_at_a_destination_is_known_by_its_ids(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (here, there) = (
        posted(&a, &bot, 0, "1").await,
        posted(&a, &bot, 1, "2").await,
    );
    for post in [&here, &there] {
        a.write(Write::MarkPost(mark(post.id, PostStatus::Sent)))
            .await;
    }
    posted(&a, &bot, 2, "1").await;
    let arrived = async |since| {
        let (platform, to) = (&here.platform, &here.destination);
        a.store.arrived(platform, to, since).await.unwrap()
    };
    assert_eq!(arrived(slot(5)).await, [format!("m{}", here.id)]);
    assert!(arrived(slot(6)).await.is_empty());
}

pub(crate) async fn posts_are_found_by_bot_and_status_newest_first(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let (one, two) = (a.register("one").await, a.register("two").await);
    let mut posts = Vec::new();
    for n in 0..3 {
        posts.push(posted(&a, &one, n, "1").await.id);
        posts.push(posted(&a, &two, n, "1").await.id);
    }
    for id in [posts[0], posts[1], posts[4]] {
        a.write(Write::MarkPost(mark(id, PostStatus::Dead))).await;
    }
    let find = async |bot: Option<&BotName>, status, after, limit| -> Vec<i64> {
        let query = PostQuery {
            bot: bot.cloned(),
            status,
            after,
            limit,
        };
        let found = a.store.find_posts(&query).await.unwrap();
        found.iter().map(|post| post.id).collect()
    };
    let dead = Some(PostStatus::Dead);
    assert_eq!(find(None, None, None, 2).await, [posts[5], posts[4]]);
    assert_eq!(
        find(None, dead, None, 9).await,
        [posts[4], posts[1], posts[0]]
    );
    assert_eq!(find(Some(&one), dead, None, 9).await, [posts[4], posts[0]]);
    assert_eq!(find(Some(&one), dead, Some(posts[4]), 9).await, [posts[0]]);
    assert_eq!(
        find(Some(&two), Some(PostStatus::Pending), None, 9).await,
        [posts[5], posts[3]]
    );
    assert!(find(None, Some(PostStatus::Sent), None, 9).await.is_empty());
    assert_eq!(a.store.post(99_999).await.unwrap(), None);
}
