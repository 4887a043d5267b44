//! What runs, holds and deaths tell, while a whole server is at work.

use std::time::Duration;

use actor_server::{
    actors::{
        messages::Unresponsive,
        news::{Happening, Heard, Interest, Listener, News},
        supervision::Child,
    },
    domain::{
        hold::{Hold, HoldKind},
        outcome::Status,
        run::Trigger,
        state::BotState,
    },
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
    let server = Server::start(folder.path(), Setting::of([bot("bot", deed)])).await;
    let listener = server.stand.env.news.subscribe(None, Interest::default());
    (folder, server, listener.unwrap())
}

async fn next(listener: &mut Listener) -> Happening {
    match timeout(Duration::from_secs(20), listener.next()).await {
        Ok(Heard::Told(told)) => told.what.clone(),
        other => panic!("{other:?}"),
    }
}

/// Reads the store as the scheduler does from time to time.
async fn look(server: &Server) {
    let env = &server.stand.env;
    let before = env.news.before_look();
    let states = env.store.states().await.unwrap();
    env.news.holds_are(env.clock.now(), before, &states);
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
    for _ in 0..4 {
        server.trigger("bot").await.unwrap();
        next(&mut listener).await;
        next(&mut listener).await;
    }
    server.trigger("bot").await.unwrap();
    next(&mut listener).await;
    let ended = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::RunEnded { status: Status::Failed, error: Some(error), .. } if error.contains("no luck"));
    assert!(right(&ended), "{ended:?}");
    let held = next(&mut listener).await;
    let right = |it: &Happening| matches!(it, Happening::HoldSet { hold, .. } if hold.kind == HoldKind::Failures);
    assert!(right(&held), "{held:?}");
    look(&server).await;
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
    look(&server).await;
    for _ in 0..2 {
        server.resume("bot").await.unwrap();
    }
    let cleared = next(&mut listener).await;
    assert!(
        matches!(cleared, Happening::HoldCleared { .. }),
        "{cleared:?}"
    );
    look(&server).await;
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
    let ended = |it: &Happening| matches!(it, Happening::RunEnded { execution, status: Status::Panicked | Status::Abandoned, .. } if *execution == run);
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

#[actix_rt::test]
async fn a_hold_that_another_process_sets_or_clears_is_told_once_it_is_read() {
    let (_folder, server, _) = one("succeed").await;
    let now = server.stand.env.clock.now();
    let free = server.state("bot").await;
    let hold = Some(Hold::by_server(HoldKind::Manual, "elsewhere"));
    let held = BotState {
        hold: hold.clone(),
        ..free.clone()
    };
    let news = News::default();
    let mut listener = news.subscribe(None, Interest::default()).unwrap();
    let look = |state: &BotState| {
        let before = news.before_look();
        news.holds_are(now, before, std::slice::from_ref(state));
    };
    look(&held);
    nothing_more(&mut listener);
    look(&free);
    let cleared = next(&mut listener).await;
    assert!(
        matches!(cleared, Happening::HoldCleared { .. }),
        "{cleared:?}"
    );
    look(&held);
    let set = next(&mut listener).await;
    assert!(matches!(set, Happening::HoldSet { .. }), "{set:?}");
    let stale = news.before_look();
    news.hold_is(now, &name("bot"), None);
    let cleared = next(&mut listener).await;
    assert!(
        matches!(cleared, Happening::HoldCleared { .. }),
        "{cleared:?}"
    );
    news.holds_are(now, stale, &[held]);
    nothing_more(&mut listener);
    let removed = BotState {
        removed: true,
        hold,
        ..free
    };
    look(&removed);
    nothing_more(&mut listener);
}
