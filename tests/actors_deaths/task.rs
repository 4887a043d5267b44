//! Deaths of one bot's actor.

use std::time::Duration;

use actor_server::{
    actors::{messages::ChildState, supervision::Child},
    domain::{hold::HoldKind, outcome::Status, policy::Overlap},
    store::LedgerRow,
};
use fail::FailScenario;
use tempfile::tempdir;

use super::{
    bots::{bot, every, name, with},
    server::Server,
    stand::Setting,
};

#[actix_rt::test]
async fn a_run_whose_actor_dies_is_closed_as_panicked_and_the_bot_goes_on() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let quick = |bot| {
        with(bot, |policy| {
            policy.overlap = Overlap::AllowAll;
            policy.timeout = Duration::from_secs(1);
        })
    };
    let setting = Setting::of([quick(every(2, "bot", "hang"))]);
    let server = Server::start(folder.path(), setting).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    fail::cfg("task.handle", "1*panic(as arranged)").unwrap();
    let row = server.run("bot", run, Status::Panicked).await;
    let error = row.error.unwrap();
    assert!(
        error.contains("actor died") && error.contains("as arranged"),
        "{error}"
    );
    server
        .child_is(&Child::Task(name("bot")), ChildState::Running)
        .await;
    let after =
        |row: &LedgerRow| row.id > run && row.status == Status::Running && row.started_at.is_some();
    server.row("bot", "runs again", after).await;
    assert_eq!(server.stop(Duration::from_secs(3)).await.unstored, 0);
    scenario.teardown();
}

#[actix_rt::test]
async fn a_bot_whose_actor_keeps_dying_is_held_until_it_is_resumed_and_hurts_no_other() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "succeed"), bot("other", "succeed")]);
    setting.rules.supervision.max_restarts = 2;
    fail::cfg("task.handle", "panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting).await;
    let held = |row: &LedgerRow| {
        (row.status, row.reason.as_deref()) == (Status::Skipped, Some("given_up"))
    };
    server.row("bot", "a slot under the hold", held).await;
    // The slot is declined by what the server knows, which is a moment ahead of what is stored.
    let hold = super::stand::eventually("the hold is stored", || async {
        server.state("bot").await.hold
    })
    .await;
    assert_eq!(hold.kind, HoldKind::GivenUp);
    assert!(hold.reason.contains("as arranged"), "{}", hold.reason);
    server
        .child_is(&Child::Task(name("bot")), ChildState::GivenUp)
        .await;
    // A run by hand works under any hold.
    let by_hand = server.trigger("bot").await.unwrap();
    server.run("bot", by_hand, Status::Succeeded).await;
    let run = server.trigger("other").await.unwrap();
    server.run("other", run, Status::Succeeded).await;
    fail::remove("task.handle");
    assert_eq!(server.resume("bot").await.unwrap().hold, None);
    server.runs("bot", 1, Status::Succeeded).await;
    server
        .child_is(&Child::Task(name("bot")), ChildState::Running)
        .await;
    scenario.teardown();
}

#[actix_rt::test]
async fn a_hold_of_a_given_up_bot_stays_over_a_restart() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "succeed")]);
    setting.rules.supervision.max_restarts = 0;
    fail::cfg("task.handle", "panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting.clone()).await;
    server
        .child_is(&Child::Task(name("bot")), ChildState::GivenUp)
        .await;
    let held = |row: &LedgerRow| row.reason.as_deref() == Some("given_up");
    server.row("bot", "a slot under the hold", held).await;
    fail::remove("task.handle");
    server.stop(Duration::from_secs(1)).await;
    let server = Server::start(folder.path(), setting).await;
    let hold = server.state("bot").await.hold.unwrap();
    assert_eq!(hold.kind, HoldKind::GivenUp);
    server.resume("bot").await.unwrap();
    server.runs("bot", 1, Status::Succeeded).await;
    scenario.teardown();
}

#[actix_rt::test]
async fn an_actor_that_dies_when_its_run_ends_leaves_no_run_open() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    fail::cfg("task.future", "1*panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Panicked).await;
    let again = super::stand::eventually("the actor is back", || async {
        server.trigger("bot").await.ok()
    })
    .await;
    server.run("bot", again, Status::Succeeded).await;
    scenario.teardown();
}

#[actix_rt::test]
async fn a_post_of_a_run_whose_actor_dies_goes_out_once() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let setting = Setting::of([bot("bot", "post")]);
    let platform = setting.platform.clone();
    fail::cfg("task.future", "1*panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Panicked).await;
    super::stand::becomes(1, || platform.delivered().len()).await;
    assert_eq!(server.stop(Duration::from_secs(1)).await.unstored, 0);
    assert_eq!(platform.received().len(), 1);
    scenario.teardown();
}

#[actix_rt::test]
async fn a_run_whose_actor_dies_in_a_later_attempt_keeps_the_number_of_that_attempt() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let patient = with(every(3, "bot", "fickle"), |policy| {
        policy.overlap = Overlap::AllowAll;
        policy.retry.initial_backoff = Duration::from_secs(60);
    });
    let server = Server::start(folder.path(), Setting::of([patient])).await;
    let second = |row: &LedgerRow| row.attempt == 2 && row.status == Status::Running;
    let run = server.row("bot", "its second attempt", second).await.id;
    fail::cfg("task.handle", "1*panic(as arranged)").unwrap();
    let row = server.run("bot", run, Status::Panicked).await;
    assert_eq!(row.attempt, 2);
    scenario.teardown();
}
