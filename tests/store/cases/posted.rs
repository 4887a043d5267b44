//! What a bot has posted lately.

use actor_server::{
    domain::{
        bot::BotName,
        content::{PostTally, PostedText},
        post::PostStatus,
        run::ExecutionId,
    },
    store::{PostMark, Write},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    fixture::Fixture,
    process::{Process, message, slot},
    shelf::{item, made_of, marked},
};

const NOBODY: ExecutionId = ExecutionId(0);

/// A post in each state, stored in slots 0 to 3; the one that was sent arrived in slot 50.
async fn one_of_each(process: &Process, bot: &BotName) -> Vec<ExecutionId> {
    let mut runs = Vec::new();
    for (n, status) in [
        (0, PostStatus::Sent),
        (1, PostStatus::Pending),
        (2, PostStatus::Failed),
        (3, PostStatus::Dead),
    ] {
        let run = process.run(bot, n).await;
        let post = process.post(message(run, bot, n)).await;
        let sent = status == PostStatus::Sent;
        let mark = PostMark {
            status,
            posted_at: sent.then(|| slot(50)),
            ..marked(post.id)
        };
        process.write(Write::MarkPost(mark)).await;
        runs.push(run);
    }
    runs
}

fn stored(n: i64) -> DateTime<Utc> {
    slot(n) + TimeDelta::milliseconds(100)
}

pub(crate) async fn texts_are_those_that_were_sent_or_will_be(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let runs = one_of_each(&a, &bot).await;
    let other = a.register("other").await;
    let texts = async |since: i64, but_not, limit| -> Vec<String> {
        let found = a.store.posted_texts(&bot, slot(since), but_not, limit);
        let found = found.await.unwrap();
        found.into_iter().map(|text| text.body).collect()
    };
    let all = ["message 0", "message 3", "message 1"];
    assert_eq!(texts(0, NOBODY, 9).await, all);
    assert_eq!(texts(0, NOBODY, 2).await, all[..2]);
    assert_eq!(texts(3, NOBODY, 9).await, all[..2]);
    assert_eq!(texts(50, NOBODY, 9).await, all[..1]);
    assert!(texts(51, NOBODY, 9).await.is_empty());
    assert_eq!(texts(0, runs[0], 9).await, all[1..]);
    let ever = DateTime::<Utc>::MIN_UTC;
    let other = a.store.posted_texts(&other, ever, NOBODY, 9);
    assert!(other.await.unwrap().is_empty());
    let ever = a.store.posted_texts(&bot, ever, NOBODY, 9).await;
    assert_eq!(ever.unwrap().len(), 3);
}

pub(crate) async fn a_text_is_told_with_that_of_its_item(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ids = a.add(&[item("one"), item("two")]).await;
    a.post_of(&bot, 0, ids[0]).await;
    let run = a.run(&bot, 1).await;
    let mut same = made_of(ids[1], run, &bot, 1);
    same.message.body = format!("item {}", ids[1]);
    a.post(same).await;
    let run = a.run(&bot, 2).await;
    a.post(message(run, &bot, 2)).await;
    let found = a.store.posted_texts(&bot, slot(0), NOBODY, 9).await;
    let text = |body: &str, item: Option<String>| PostedText {
        body: body.into(),
        item,
    };
    let own = |n: usize| format!("item {}", ids[n]);
    let expected = [
        text("message 2", None),
        text(&own(1), Some(own(1))),
        text("message 0", Some(own(0))),
    ];
    assert_eq!(found.unwrap(), expected);
}

pub(crate) async fn the_tally_counts_what_was_sent_or_will_be(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let tally = async |since: i64, but_not| {
        let tally = a.store.post_tally(&bot, slot(since), but_not).await;
        let PostTally { since, newest } = tally.unwrap();
        (since, newest)
    };
    assert_eq!(tally(0, NOBODY).await, (0, None));
    let runs = one_of_each(&a, &bot).await;
    assert_eq!(tally(0, NOBODY).await, (3, Some(slot(50))));
    assert_eq!(tally(4, NOBODY).await, (1, Some(slot(50))));
    assert_eq!(tally(51, NOBODY).await, (0, Some(slot(50))));
    assert_eq!(tally(0, runs[0]).await, (2, Some(stored(3))));
    assert_eq!(tally(3, runs[0]).await, (1, Some(stored(3))));
}
