//! The outbox: posts in a channel keep their order, what may have arrived is looked for, what was given up is resent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actor_server::{
    actors::{
        env::DISCORD,
        messages::{ControlError, FindPost, ResendPost},
    },
    domain::{
        bot::Bot,
        hold::HoldKind,
        outcome::Status,
        post::{Post, PostStatus},
    },
    platforms::{
        ContentPoster, Found, PostFailure, Receipt,
        stub::{Answer, StubPlatform},
    },
    store::{PostMark, Write},
};
use async_trait::async_trait;
use tempfile::{TempDir, tempdir};

use super::{
    bots::{formatting, set_template, with},
    breakers::in_place_of_discord,
    server::Server,
    stand::{Setting, eventually},
};

/// A bot that posts its name to this channel when it is triggered.
fn poster(name: &str, channel: u64, attempts: u32) -> Bot {
    let mut bot = formatting(name);
    set_template(&mut bot, name);
    bot.target = actor_server::domain::bot::Target::Channel(channel);
    with(bot, |policy| policy.retry.max_attempts = attempts)
}

async fn server(
    bots: impl IntoIterator<Item = Bot>,
    stub: StubPlatform,
) -> (TempDir, Server, StubPlatform) {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    let stub = in_place_of_discord(&server, stub);
    (folder, server, stub)
}

fn cut() -> PostFailure {
    PostFailure::Transient("the connection was cut".into())
}

fn texts(posts: &[Post]) -> Vec<&str> {
    posts
        .iter()
        .map(|post| post.message.body.as_str())
        .collect()
}

async fn becomes(server: &Server, status: PostStatus) -> Post {
    eventually("the post's fate is stored", || async {
        let posts = server.stand.env.store.posts(None, 10).await.unwrap();
        let posts: Vec<Post> = posts
            .into_iter()
            .filter(|one| one.status == status)
            .collect();
        posts.into_iter().next()
    })
    .await
}

async fn delivered(stub: &StubPlatform, count: usize) -> Vec<Post> {
    eventually("posts arrive", || async {
        Some(stub.delivered()).filter(|posts| posts.len() >= count)
    })
    .await
}

#[actix_rt::test]
async fn a_later_post_to_the_same_channel_waits_for_the_retries_of_an_earlier_one() {
    let answers = [Answer::Fail(cut()), Answer::Fail(cut())];
    let stub = StubPlatform::new().answering(answers);
    let bots = [poster("one", 7, 9), poster("two", 7, 9)];
    let (_folder, server, stub) = server(bots, stub).await;
    server.trigger("one").await.unwrap();
    eventually("the first try", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    server.trigger("two").await.unwrap();
    assert_eq!(texts(&delivered(&stub, 2).await), ["one", "two"]);
    assert_eq!(texts(&stub.received()), ["one", "one", "one", "two"]);
}

#[actix_rt::test]
async fn a_channel_that_hangs_holds_up_no_other() {
    let stub = StubPlatform::new().answering([Answer::Hang]);
    let bots = [poster("one", 7, 9), poster("two", 8, 9)];
    let (_folder, server, stub) = server(bots, stub).await;
    server.trigger("one").await.unwrap();
    eventually("the first try", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    server.trigger("two").await.unwrap();
    assert_eq!(texts(&delivered(&stub, 1).await), ["two"]);
}

#[actix_rt::test]
async fn bots_that_wait_for_a_channel_that_hangs_leave_their_places_to_others() {
    let stub = StubPlatform::new().answering([Answer::Hang]);
    let stuck: Vec<String> = (0..20).map(|n| format!("stuck{n}")).collect();
    let bots = stuck.iter().map(|name| poster(name, 7, 9));
    let (_folder, server, stub) = server(bots.chain([poster("well", 8, 9)]), stub).await;
    for name in &stuck {
        server.trigger(name).await.unwrap();
    }
    eventually("the first try", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    server.trigger("well").await.unwrap();
    assert_eq!(texts(&delivered(&stub, 1).await), ["well"]);
}

#[actix_rt::test]
async fn a_run_that_is_cancelled_while_it_sends_leaves_its_post_and_its_place_in_the_line() {
    let stub = StubPlatform::new().answering([Answer::Hang]);
    let bots = [poster("one", 7, 9), poster("two", 7, 9)];
    let (_folder, server, stub) = server(bots, stub).await;
    let run = server.trigger("one").await.unwrap();
    eventually("the first try", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    server.trigger("two").await.unwrap();
    server.cancel(run).await.unwrap();
    assert_eq!(texts(&delivered(&stub, 2).await), ["one", "two"]);
}

#[actix_rt::test]
async fn what_an_earlier_process_left_goes_first() {
    let folder = tempdir().unwrap();
    let bots = || [poster("one", 7, 9), poster("two", 7, 9)];
    let before = Server::start(folder.path(), Setting::of(bots())).await;
    let refused = PostFailure::Unauthorized("401".into());
    in_place_of_discord(
        &before,
        StubPlatform::new().answering([Answer::Fail(refused)]),
    );
    before.trigger("one").await.unwrap();
    before.runs("one", 1, Status::Failed).await;
    before.stop(Duration::ZERO).await;
    let server = Server::start(folder.path(), Setting::of(bots())).await;
    let stub = in_place_of_discord(&server, StubPlatform::new());
    server.trigger("two").await.unwrap();
    assert_eq!(texts(&delivered(&stub, 2).await), ["one", "two"]);
}

#[actix_rt::test]
async fn a_refusal_of_what_an_earlier_run_left_holds_its_bot() {
    let answers = [
        PostFailure::Unauthorized("401".into()),
        PostFailure::Forbidden("403".into()),
    ];
    let stub = StubPlatform::new().answering(answers.map(Answer::Fail));
    let (_folder, server, _stub) = server([poster("one", 7, 9)], stub).await;
    server.trigger("one").await.unwrap();
    server.runs("one", 1, Status::Failed).await;
    let env = &server.stand.env;
    env.tell_of(env.breakers.reset("discord"));
    let hold = eventually("the hold", || async { server.state("one").await.hold }).await;
    assert_eq!(
        (hold.kind, hold.reason.as_str()),
        (HoldKind::Refused, "403")
    );
    assert_eq!(becomes(&server, PostStatus::Failed).await.attempts, 1);
}

#[actix_rt::test]
async fn as_long_as_the_platform_remembers_the_nonce_is_enough() {
    let stub = StubPlatform::new()
        .answering([Answer::DeliverAndFail(cut())])
        .remembering(Duration::from_secs(3600))
        .readable();
    let (_folder, server, stub) = server([poster("one", 7, 9)], stub).await;
    server.trigger("one").await.unwrap();
    assert_eq!(becomes(&server, PostStatus::Sent).await.attempts, 2);
    assert_eq!((stub.received().len(), stub.delivered().len()), (2, 1));
    assert!(stub.looked_for().is_empty());
}

#[actix_rt::test]
async fn what_may_have_arrived_and_is_not_remembered_is_looked_for_and_not_doubled() {
    let stub = StubPlatform::new()
        .answering([Answer::DeliverAndFail(cut())])
        .remembering(Duration::ZERO)
        .readable();
    let (_folder, server, stub) = server([poster("one", 7, 9)], stub).await;
    server.trigger("one").await.unwrap();
    let post = becomes(&server, PostStatus::Sent).await;
    assert_eq!(post.platform_message_id.as_deref(), Some("1"));
    assert_eq!((stub.received().len(), stub.delivered().len()), (1, 1));
    assert_eq!(stub.looked_for().len(), 1);
}

/// A platform whose messages show nothing but their text, which is always the same; it loses every second one.
#[derive(Default)]
struct Monotonous(Mutex<(usize, Vec<String>)>);

#[async_trait]
impl ContentPoster for Monotonous {
    fn platform(&self) -> &'static str {
        DISCORD
    }

    fn remembers(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    async fn find(&self, _: &Post, known: &[String]) -> Result<Found, PostFailure> {
        let (_, messages) = &*self.0.lock().unwrap();
        let unknown = messages.iter().find(|id| !known.contains(id));
        Ok(unknown.map_or(Found::No, |id| {
            let message_id = Some(id.clone());
            Found::Yes(Receipt { message_id })
        }))
    }

    async fn post(&self, _: &Post) -> Result<Receipt, PostFailure> {
        let (asked, messages) = &mut *self.0.lock().unwrap();
        *asked += 1;
        if *asked % 2 == 0 {
            return Err(cut());
        }
        messages.push(asked.to_string());
        let message_id = messages.last().cloned();
        Ok(Receipt { message_id })
    }
}

#[actix_rt::test]
async fn a_message_of_just_before_is_not_taken_for_a_post_with_the_same_text() {
    let (_folder, server, _) = server([poster("one", 7, 9)], StubPlatform::new()).await;
    let platform = Arc::new(Monotonous::default());
    let platforms = &server.stand.env.platforms;
    platforms.set(DISCORD, Some(platform.clone()));
    for n in 1..=2 {
        server.trigger("one").await.unwrap();
        server.runs("one", n, Status::Succeeded).await;
    }
    assert_eq!(platform.0.lock().unwrap().1, ["1", "3"]);
}

#[actix_rt::test]
async fn what_another_process_has_said_to_be_sent_is_not_sent_again() {
    let stub = StubPlatform::new()
        .answering([Answer::Fail(PostFailure::RateLimited(Duration::from_secs(
            1,
        )))])
        .remembering(Duration::ZERO)
        .readable();
    let (_folder, server, stub) = server([poster("one", 7, 9)], stub).await;
    server.stand.line.as_ref().unwrap().share();
    server.trigger("one").await.unwrap();
    eventually("the first try", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    let env = &server.stand.env;
    let post = becomes(&server, PostStatus::Pending).await;
    let mark = PostMark {
        id: post.id,
        status: PostStatus::Sent,
        attempts: 1,
        platform_message_id: Some("theirs".into()),
        error: None,
        posted_at: Some(env.clock.now()),
        frees_item: false,
    };
    let written = env.store.write(&env.me.id, &[Write::MarkPost(mark)]).await;
    written.unwrap();
    server.runs("one", 1, Status::Succeeded).await;
    assert_eq!(stub.received().len(), 1);
    let post = becomes(&server, PostStatus::Sent).await;
    assert_eq!(post.platform_message_id.as_deref(), Some("theirs"));
}

#[actix_rt::test]
async fn what_is_looked_for_and_is_not_there_is_sent() {
    let stub = StubPlatform::new()
        .answering([Answer::Fail(cut())])
        .remembering(Duration::ZERO)
        .readable();
    let (_folder, server, stub) = server([poster("one", 7, 9)], stub).await;
    server.trigger("one").await.unwrap();
    assert_eq!(becomes(&server, PostStatus::Sent).await.attempts, 2);
    assert_eq!((stub.looked_for().len(), stub.received().len()), (1, 2));
}

#[actix_rt::test]
async fn a_post_that_has_spent_its_attempts_and_has_arrived_is_sent_and_not_dead() {
    let stub = StubPlatform::new()
        .answering([Answer::DeliverAndFail(cut())])
        .readable();
    let (_folder, server, stub) = server([poster("one", 7, 1)], stub).await;
    server.trigger("one").await.unwrap();
    let post = becomes(&server, PostStatus::Sent).await;
    assert_eq!((post.attempts, stub.received().len()), (1, 1));
    server.runs("one", 1, Status::Succeeded).await;
}

#[actix_rt::test]
async fn a_dead_post_is_resent_anew_behind_what_waits() {
    let stub = StubPlatform::new().answering([Answer::Fail(cut())]);
    let bots = [poster("one", 7, 1), poster("two", 7, 9)];
    let (_folder, server, stub) = server(bots, stub).await;
    server.trigger("one").await.unwrap();
    let dead = becomes(&server, PostStatus::Dead).await;
    assert_eq!(dead.error.as_deref(), Some("the connection was cut"));
    server.runs("one", 1, Status::Failed).await;
    let (before, again) = server.ask(ResendPost(dead.id)).await.unwrap();
    assert_eq!(
        (before.status, again.status),
        (PostStatus::Dead, PostStatus::Pending)
    );
    assert_eq!(texts(&delivered(&stub, 1).await), ["one"]);
    assert_eq!(becomes(&server, PostStatus::Sent).await.attempts, 1);
    let refusal = server.ask(ResendPost(dead.id)).await;
    assert_eq!(
        refusal.unwrap_err(),
        ControlError::NotGivenUp(dead.id, PostStatus::Sent)
    );
    for id in [0, 99] {
        let unknown = server.ask(ResendPost(id)).await.unwrap_err();
        assert_eq!(unknown, ControlError::UnknownPost(id));
        assert_eq!(server.ask(FindPost(id)).await.unwrap_err(), unknown);
    }
}

#[actix_rt::test]
async fn a_dead_post_that_had_arrived_after_all_is_found_and_not_doubled_when_it_is_resent() {
    let answers = [Answer::DeliverAndFail(cut())];
    let stub = StubPlatform::new()
        .answering(answers)
        .remembering(Duration::ZERO);
    let (_folder, server, stub) = server([poster("one", 7, 1)], stub).await;
    server.trigger("one").await.unwrap();
    let dead = becomes(&server, PostStatus::Dead).await;
    server.runs("one", 1, Status::Failed).await;
    stub.forget();
    let stub = stub.readable();
    server.ask(ResendPost(dead.id)).await.unwrap();
    let post = becomes(&server, PostStatus::Sent).await;
    assert_eq!(post.platform_message_id.as_deref(), Some("1"));
    assert_eq!((stub.received().len(), stub.delivered().len()), (1, 1));
}
