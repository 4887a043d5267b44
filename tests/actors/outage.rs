//! A database that goes away and comes back under a server at work.

use std::time::Duration;

use actor_server::{
    actors::messages::{ControlError, Stop},
    domain::{outcome::Status, post::PostStatus},
    store::LedgerRow,
};
use tempfile::tempdir;

use super::{
    bots::{bot, every, name},
    server::Server,
    stand::{Setting, becomes, eventually},
};

const GRACE: Duration = Duration::from_secs(2);

#[actix_rt::test]
async fn a_run_that_ends_while_the_database_is_away_is_stored_when_it_is_back() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "hang")])).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    server.line().away(true);
    server.cancel(run).await.unwrap();
    becomes(false, || server.stand.env.runs.has(run)).await;
    becomes(true, || server.stand.env.queue.is_away()).await;
    server.line().away(false);
    server.run("bot", run, Status::Cancelled).await;
    assert_eq!(server.stop(GRACE).await.unstored, 0);
}

#[actix_rt::test]
async fn operators_are_told_that_the_database_is_away_and_nothing_happens_behind_their_back() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    server.line().away(true);
    let unavailable = |error| matches!(error, ControlError::Unavailable(_));
    assert!(server.trigger("bot").await.is_err_and(unavailable));
    assert!(server.pause("bot", None).await.is_err_and(unavailable));
    assert!(server.resume("bot").await.is_err_and(unavailable));
    server.line().away(false);
    let run = eventually("a trigger is taken", || async {
        server.trigger("bot").await.ok()
    })
    .await;
    server.run("bot", run, Status::Succeeded).await;
    assert_eq!(server.ledger("bot").await.len(), 1);
    assert_eq!(server.state("bot").await.hold, None);
}

#[actix_rt::test]
async fn every_slot_of_an_outage_is_accounted_for_once_it_is_over() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(1, "bot", "succeed")])).await;
    server.runs("bot", 1, Status::Succeeded).await;
    let cut = server.stand.env.clock.now();
    server.line().away(true);
    let late = chrono::TimeDelta::seconds(4);
    becomes(true, || server.stand.env.clock.now() > cut + late).await;
    server.line().away(false);
    let after =
        |row: &LedgerRow| row.status == Status::Succeeded && row.scheduled_for > Some(cut + late);
    let last = server.row("bot", "runs after the outage", after).await;
    let rows = server.ledger("bot").await;
    let first = rows
        .iter()
        .filter_map(|row| row.scheduled_for)
        .min()
        .unwrap();
    let upto = |row: &&LedgerRow| row.scheduled_for <= last.scheduled_for;
    let slots: i64 = rows.iter().filter(upto).map(|row| row.slots).sum();
    assert_eq!(
        slots,
        (last.scheduled_for.unwrap() - first).num_seconds() + 1
    );
}

#[actix_rt::test]
async fn a_post_that_could_not_be_marked_is_marked_later_and_not_sent_twice() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([bot("bot", "post")]);
    let platform = setting.platform.clone();
    let server = Server::start(folder.path(), setting).await;
    let run = server.trigger("bot").await.unwrap();
    becomes(1, || platform.received().len()).await;
    server.line().away(true);
    becomes(false, || server.stand.env.runs.has(run)).await;
    server.line().away(false);
    server.run("bot", run, Status::Succeeded).await;
    eventually("the post is marked", || async {
        let posts = server.stand.env.store.posts(Some(&name("bot")), 10).await;
        let posts = posts.unwrap();
        (posts.len() == 1 && posts[0].status == PostStatus::Sent).then_some(())
    })
    .await;
    assert_eq!(platform.received().len(), 1);
}

#[actix_rt::test]
async fn a_stop_without_a_database_ends_in_time_and_says_what_is_not_stored() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([bot("bot", "hang")]);
    let server = Server::start(folder.path(), setting.clone()).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    server.line().away(true);
    let grace = Duration::from_millis(100);
    let stop = server.coordinator.send(Stop { grace });
    let stopped = tokio::time::timeout(Duration::from_secs(15), stop).await;
    assert_eq!(stopped.unwrap().unwrap().unstored, 1);
    server.stand.env.store.close().await;
    drop(server);
    let server = Server::start(folder.path(), setting).await;
    let row = server.run("bot", run, Status::Abandoned).await;
    assert_eq!(row.success, Some(false));
}
