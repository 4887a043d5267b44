//! Posts whose attempts are spent, in a whole server.

use std::slice::from_ref;

use actor_server::{
    domain::{
        post::{Message, PostStatus},
        run::Trigger,
    },
    store::{NewPost, PostMark, Write, Written},
};
use serde_json::json;

use super::{
    bots::name,
    desk::{Desk, Scripted},
};

#[actix_rt::test]
async fn posts_that_were_given_up_are_told_of_until_somebody_resends_them() {
    let channel = Scripted::new("webhook", []);
    let desk = Desk::with(from_ref(&channel)).await;
    let post = dead_post(&desk).await;
    channel.hears(&["raised dead_posts/a"]).await;
    let env = &desk.server.stand.env;
    let open = env.store.alerts().unwrap().incidents(env.clock.now()).await;
    let incident = open.unwrap().remove(0);
    assert_eq!(incident.title, "a: a post was given up");
    assert!(incident.detail.contains("503"), "{}", incident.detail);
    env.store.resend_post(post).await.unwrap().unwrap();
    channel
        .hears(&["raised dead_posts/a", "recovered dead_posts/a"])
        .await;
}

/// A run of `a` has left one.
async fn dead_post(desk: &Desk) -> i64 {
    let env = &desk.server.stand.env;
    let ask = async |write| env.queue.ask(write, true).await.unwrap();
    let claim = Write::Insert {
        bot: name("a"),
        trigger: Trigger::Manual,
        metadata: json!({}),
        key: None,
    };
    let Written::Claimed(Some(execution)) = ask(claim).await else {
        panic!("no claim");
    };
    let now = env.clock.now();
    let new = NewPost {
        execution,
        bot: name("a"),
        position: 0,
        platform: "elsewhere".into(),
        destination: "1".into(),
        message: Message {
            body: "hello".into(),
            options: json!({}),
        },
        item: None,
        nonce: "n".into(),
        started_at: now,
        at: now,
    };
    let Written::Post(post) = ask(Write::StorePost(new)).await else {
        panic!("no post");
    };
    ask(Write::MarkPost(PostMark {
        id: post.id,
        status: PostStatus::Dead,
        attempts: 3,
        platform_message_id: None,
        error: Some("503".into()),
        posted_at: None,
        frees_item: false,
    }))
    .await;
    post.id
}
