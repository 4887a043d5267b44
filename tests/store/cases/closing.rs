//! What is left open of a bot whose actor died while the process lives.

use actor_server::{
    domain::{bot::BotName, outcome::Status},
    store::{Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{Process, ending, is_lost, outcome, slot},
};

async fn close(process: &Process, bot: &BotName, status: Status) {
    let write = Write::CloseRuns {
        bot: bot.clone(),
        status,
        error: "its actor died".into(),
        at: slot(30),
    };
    let answer = process.write(write).await;
    assert!(matches!(answer, Written::Done), "{answer:?}");
}

pub(crate) async fn runs_of_a_dead_actor_are_closed_and_its_claims_given_back(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let run = a.run(&bot, 0).await;
    let trigger = a.trigger(&bot).await;
    a.claim(&bot, 1).await;
    a.claim(&bot, 2).await;
    close(&a, &bot, Status::Panicked).await;
    let row = a.row(&bot, run).await;
    assert_eq!((row.status, row.success), (Status::Panicked, Some(false)));
    assert_eq!(row.completed_at, Some(slot(30)));
    assert_eq!(row.error.as_deref(), Some("its actor died"));
    assert_eq!(a.row(&bot, trigger).await.status, Status::Abandoned);
    assert_eq!(a.slots(&bot).await.len(), 1);
    let state = a.state(&bot).await;
    assert_eq!(state.next_run, Some(slot(1)));
    assert_eq!((state.consecutive_failures, state.hold), (1, None));
    assert_eq!(state.last_run, Some(slot(0)));
    let late = ending(run, &bot, 0, outcome(Status::Succeeded));
    assert!(is_lost(&a.write(late).await));
}

pub(crate) async fn runs_of_other_bots_and_processes_stay_open(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    let theirs = b.run(&bot, 0).await;
    let sibling = a.run(&other, 0).await;
    close(&a, &bot, Status::Panicked).await;
    assert_eq!(a.row(&bot, theirs).await.status, Status::Running);
    assert_eq!(a.row(&other, sibling).await.status, Status::Running);
    assert_eq!(a.state(&bot).await.consecutive_failures, 0);
}

pub(crate) async fn a_stop_closes_runs_without_a_failure(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let run = a.run(&bot, 0).await;
    close(&a, &bot, Status::Abandoned).await;
    let row = a.row(&bot, run).await;
    assert_eq!((row.status, row.success), (Status::Abandoned, Some(false)));
    assert_eq!(a.state(&bot).await.consecutive_failures, 0);
}
