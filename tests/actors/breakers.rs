//! Breakers and bots: who is shut out, what an attempt tells, and what is kept.

use std::{sync::Arc, time::Duration};

use actor_server::{
    actors::{
        breakers::{Downstream, Sign},
        env::DISCORD,
    },
    domain::{
        bot::{Bot, Target},
        outcome::Status,
        post::Post,
    },
    platforms::{
        ContentPoster, Found, PostFailure, Receipt,
        stub::{Answer, StubPlatform},
    },
    store::LedgerRow,
};
use tempfile::tempdir;

use super::{
    bots::{every, formatting, set_template, with},
    reload,
    server::Server,
    stand::{Setting, eventually},
};

/// A bot that posts to this channel every second.
fn poster(name: &str, channel: u64) -> Bot {
    let mut bot = formatting(name);
    set_template(&mut bot, "hello");
    let schedule = every(1, name, "succeed").schedule;
    let target = Target::Channel(channel);
    with(
        Bot {
            schedule,
            target,
            ..bot
        },
        |policy| policy.retry.max_attempts = 100,
    )
}

fn channel(id: &str) -> Downstream {
    Downstream::new(DISCORD, id).unwrap()
}

fn open(server: &Server, id: &str) {
    for _ in 0..5 {
        server.stand.env.heard_of(&channel(id), Sign::Failed);
    }
}

fn state(server: &Server, dependency: &str) -> &'static str {
    server.stand.env.breakers.get(dependency).as_str()
}

fn is_shut_out(row: &LedgerRow) -> bool {
    (row.status, row.reason.as_deref()) == (Status::Skipped, Some("breaker_open"))
}

/// The stub in Discord's place.
pub(crate) struct AsDiscord(StubPlatform);

#[async_trait::async_trait]
impl ContentPoster for AsDiscord {
    fn platform(&self) -> &'static str {
        DISCORD
    }

    fn remembers(&self) -> Option<Duration> {
        self.0.remembers()
    }

    async fn find(&self, post: &Post, known: &[String]) -> Result<Found, PostFailure> {
        self.0.find(post, known).await
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        self.0.post(post).await
    }
}

pub(crate) fn in_place_of_discord(server: &Server, stub: StubPlatform) -> StubPlatform {
    let platform = Arc::new(AsDiscord(stub.clone()));
    server.stand.env.platforms.set(DISCORD, Some(platform));
    stub
}

fn discord(server: &Server, answers: impl IntoIterator<Item = Answer>) -> StubPlatform {
    in_place_of_discord(server, StubPlatform::new().answering(answers))
}

#[actix_rt::test]
async fn a_bot_that_is_given_another_channel_leaves_the_breaker_of_the_first_behind() {
    let (_folder, files, server) = reload::server([poster("bot", 1)]).await;
    discord(&server, []);
    open(&server, "1");
    let row = server
        .row("bot", "a slot that is shut out", is_shut_out)
        .await;
    assert_eq!((row.success, row.started_at), (None, None));
    files.say([poster("bot", 2)]);
    reload::reload(&server).await.unwrap();
    server.runs("bot", 2, Status::Succeeded).await;
    assert_eq!(state(&server, "discord:1"), "open");
}

#[actix_rt::test]
async fn a_post_that_waits_out_a_limit_while_the_breaker_opens_is_not_sent_and_keeps_its_attempts()
{
    let (_folder, _files, server) = reload::server([poster("bot", 1)]).await;
    let wait = PostFailure::RateLimited(Duration::from_millis(500));
    let stub = discord(&server, [Answer::Fail(wait)]);
    eventually("the limit", || async {
        (!stub.received().is_empty()).then_some(())
    })
    .await;
    server.stand.env.heard_of(&channel("7"), Sign::TokenRefused);
    let failed = server.runs("bot", 1, Status::Failed).await.remove(0);
    assert_eq!(failed.metadata["post_waits"], true, "{failed:?}");
    assert_eq!(stub.received().len(), 1);
    let posts = server.stand.env.store.posts(None, 10).await.unwrap();
    assert_eq!((posts.len(), posts[0].attempts), (1, 0));
    assert_eq!(server.state("bot").await.consecutive_failures, 0);
    server
        .stand
        .env
        .tell_of(server.stand.env.breakers.reset(DISCORD));
    let post = &posts[0].nonce;
    let arrived = || async {
        stub.delivered()
            .iter()
            .any(|one| one.nonce == *post)
            .then_some(())
    };
    eventually("the post goes out by itself", arrived).await;
}

#[actix_rt::test]
async fn an_outage_of_the_database_forgets_no_breaker_and_a_restart_finds_it() {
    let folder = tempdir().unwrap();
    let setting = || Setting::of([poster("bot", 1)]);
    let server = Server::start(folder.path(), setting()).await;
    server.line().away(true);
    open(&server, "1");
    open(&server, "2");
    server
        .stand
        .env
        .tell_of(server.stand.env.breakers.reset("discord:2"));
    server.line().away(false);
    let stored = || async {
        let all = server.stand.env.store.breakers().await.unwrap();
        let states = all.iter().map(|one| one.breaker.as_str());
        let states: Vec<_> = states.collect();
        (states == ["open", "closed"]).then_some(())
    };
    eventually("both are stored", stored).await;
    server.stop(Duration::ZERO).await;
    let server = Server::start(folder.path(), setting()).await;
    assert_eq!(state(&server, "discord:1"), "open");
    assert_eq!(state(&server, "discord:2"), "closed");
}
