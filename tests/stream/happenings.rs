//! What runs, holds and deaths tell, while a whole server is at work.

use std::time::Duration;

use actor_server::{
    actors::{
        messages::Unresponsive,
        news::{Happening, Heard, Interest, Listener},
        supervision::Child,
    },
    domain::{hold::HoldKind, outcome::Status, run::Trigger},
};
use futures::FutureExt;
use tempfile::{TempDir, tempdir};
use tokio::time::timeout;

use super::{
    bots::{bot, name},
    server::Server,
    stand::{Setting, becomes},
};

async fn one(deed: &str) -> (TempDir, Server, Listener) {
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([bot("bot", deed)]);
    setting.rules.max_consecutive_failures = 1;
    let server = Server::start(folder.path(), setting).await;
    let listener = server.stand.env.news.subscribe(None, Interest::default());
    (folder, server, listener.unwrap())
}

async fn next(listener: &mut Listener) -> Happening {
    match timeout(Duration::from_secs(20), listener.next()).await {
        Ok(Heard::Told(told)) => told.what.clone(),
        other => panic!("{other:?}"),
    }
}

fn nothing_more(listener: &mut Listener) {
    let more = listener.next().now_or_never();
    assert!(more.is_none(), "{more:?}");
}

#[actix_rt::test]
async fn a_run_tells_of_its_start_and_of_its_end() {
    let (_folder, server, mut listener) = one("succeed").await;
    let run = server.trigger("bot").await.unwrap();
    let started = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::RunStarted { bot, execution, trigger: Trigger::Manual, .. } if *bot == name("bot") && *execution == run);
    assert!(right(&started), "{started:?}");
    let ended = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::RunEnded { execution, status: Status::Succeeded, error: None, .. } if *execution == run);
    assert!(right(&ended), "{ended:?}");
    let row = server.run("bot", run, Status::Succeeded).await;
    assert!(row.completed_at.is_some());
    nothing_more(&mut listener);
}

#[actix_rt::test]
async fn an_end_is_told_when_the_store_has_taken_it_and_not_before() {
    let (_folder, server, mut listener) = one("hang").await;
    let run = server.trigger("bot").await.unwrap();
    next(&mut listener).await;
    server.run("bot", run, Status::Running).await;
    server.line().away(true);
    server.cancel(run).await.unwrap();
    becomes(true, || server.stand.env.runs.is_empty()).await;
    nothing_more(&mut listener);
    server.line().away(false);
    let ended = next(&mut listener).await;
    let right = matches!(
        ended,
        Happening::RunEnded {
            status: Status::Cancelled,
            ..
        }
    );
    assert!(right, "{ended:?}");
}

#[actix_rt::test]
async fn a_failed_run_that_holds_its_bot_tells_of_both_once() {
    let (_folder, server, mut listener) = one("fail").await;
    server.trigger("bot").await.unwrap();
    next(&mut listener).await;
    let ended = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::RunEnded { status: Status::Failed, error: Some(error), .. } if error.contains("no luck"));
    assert!(right(&ended), "{ended:?}");
    let held = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::HoldSet { hold, .. } if hold.kind == HoldKind::Failures);
    assert!(right(&held), "{held:?}");
    // The scheduler reads the store in between.
    tokio::time::sleep(Duration::from_millis(700)).await;
    nothing_more(&mut listener);
}

#[actix_rt::test]
async fn a_pause_and_a_resume_are_told_once_each_and_repetitions_not_at_all() {
    let (_folder, server, mut listener) = one("succeed").await;
    for _ in 0..2 {
        server.pause("bot", None).await.unwrap();
    }
    let held = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::HoldSet { hold, .. } if hold.by == "ada");
    assert!(right(&held), "{held:?}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    for _ in 0..2 {
        server.resume("bot").await.unwrap();
    }
    let cleared = next(&mut listener).await;
    assert!(
        matches!(cleared, Happening::HoldCleared { .. }),
        "{cleared:?}"
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    nothing_more(&mut listener);
}

#[actix_rt::test]
async fn the_death_of_an_actor_tells_of_the_restart_and_of_the_end_of_its_run() {
    let (_folder, server, mut listener) = one("hang").await;
    let run = server.trigger("bot").await.unwrap();
    next(&mut listener).await;
    let child = Child::Task(name("bot"));
    server.ask(Unresponsive(child)).await;
    let both = [next(&mut listener).await, next(&mut listener).await];
    let died = |it: &Happening| matches!(it, Happening::ActorRestarted { child, given_up: false, .. } if child == "task/bot");
    let ended = |it: &Happening| matches!(it, Happening::RunEnded { execution, status: Status::Panicked, .. } if *execution == run);
    assert!(both.iter().any(died) && both.iter().any(ended), "{both:?}");
}

#[actix_rt::test]
async fn what_a_stop_cuts_off_is_told_as_abandoned() {
    let (_folder, server, mut listener) = one("hang").await;
    server.trigger("bot").await.unwrap();
    next(&mut listener).await;
    server.stop(Duration::from_millis(50)).await;
    let ended = next(&mut listener).await;
    let right = matches!(
        ended,
        Happening::RunEnded {
            status: Status::Abandoned,
            ..
        }
    );
    assert!(right, "{ended:?}");
}
