//! Wishes to cancel a run that may be another process's.

use std::collections::HashMap;

use actor_server::{
    domain::{bot::BotName, outcome::Status, run::ExecutionId},
    store::{Rescued, Write, Written},
};

use crate::{
    fixture::{Fixture, replica},
    process::{Process, ending, is_lost, outcome, slot, starting},
};

async fn request(process: &Process, bot: &BotName, execution: Option<ExecutionId>) -> Written {
    let bot = bot.clone();
    process.write(Write::RequestCancel { bot, execution }).await
}

fn is_done(answer: &Written) -> bool {
    matches!(answer, Written::Done)
}

/// What the process is told by its next beat.
async fn told(process: &Process) -> Vec<ExecutionId> {
    let beat = process.store.beat(&replica(process.id.as_str())).await;
    beat.unwrap().cancel
}

pub(crate) async fn a_wish_to_cancel_reaches_the_process_that_runs(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    let (one, two) = (a.run(&bot, 0).await, a.run(&bot, 1).await);
    let theirs = b.run(&bot, 2).await;
    let waiting = a.claim(&bot, 3).await;
    a.run(&other, 0).await;
    assert!(told(&a).await.is_empty());
    assert!(is_done(&request(&b, &bot, None).await));
    assert_eq!(told(&a).await, [one, two]);
    assert_eq!(told(&b).await, [theirs]);
    assert!(a.row(&bot, one).await.cancel_requested);
    assert!(!a.row(&bot, waiting).await.cancel_requested);
    assert_eq!(a.row(&bot, one).await.status, Status::Running);
    assert!(is_done(&request(&a, &bot, None).await), "again");
    assert_eq!(told(&a).await, [one, two], "until they have ended");
}

pub(crate) async fn one_run_is_cancelled_whether_it_has_started_or_not(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let (run, waiting) = (a.run(&bot, 0).await, a.claim(&bot, 1).await);
    assert!(is_done(&request(&b, &bot, Some(waiting)).await));
    assert_eq!(told(&a).await, [waiting]);
    let start = Write::Start(starting(waiting, &bot, slot(1)));
    assert!(matches!(a.write(start).await, Written::Started { .. }));
    assert_eq!(told(&a).await, [waiting]);
    let trigger = b.trigger(&bot).await;
    assert!(is_done(&request(&a, &bot, Some(trigger)).await));
    assert_eq!(told(&b).await, [trigger]);
    assert!(is_done(&request(&b, &bot, Some(run)).await));
    assert_eq!(told(&a).await, [run, waiting]);
}

pub(crate) async fn a_wish_for_a_run_that_is_not_on_is_lost(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    let run = a.run(&bot, 0).await;
    let waiting = a.claim(&other, 0).await;
    let ghost = crate::process::name("ghost");
    assert!(is_lost(&request(&a, &ghost, None).await));
    assert!(is_lost(&request(&a, &ghost, Some(run)).await));
    assert!(is_lost(&request(&a, &other, None).await));
    assert!(is_lost(&request(&a, &other, Some(run)).await));
    assert!(is_lost(
        &request(&a, &bot, Some(ExecutionId(987_654))).await
    ));
    a.write(ending(run, &bot, 0, outcome(Status::Succeeded)))
        .await;
    assert!(is_lost(&request(&a, &bot, None).await));
    assert!(is_lost(&request(&a, &bot, Some(run)).await));
    assert!(told(&a).await.is_empty());
    assert!(!a.row(&other, waiting).await.cancel_requested);
}

pub(crate) async fn a_wish_goes_with_the_end_of_the_run(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (run, waiting) = (a.run(&bot, 0).await, a.claim(&bot, 1).await);
    request(&a, &bot, Some(run)).await;
    request(&a, &bot, Some(waiting)).await;
    a.write(Write::Release { execution: waiting }).await;
    a.write(ending(run, &bot, 0, outcome(Status::Cancelled)))
        .await;
    assert!(told(&a).await.is_empty());
    let again = a.claim(&bot, 1).await;
    assert!(!a.row(&bot, again).await.cancel_requested);
}

pub(crate) async fn a_run_that_is_run_again_is_not_wanted_to_stop(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let run = a.run(&bot, 0).await;
    request(&a, &bot, None).await;
    fixture.kill(&a.id).await;
    let b = fixture.join("b").await;
    fixture.age(&b.id).await;
    let again = HashMap::from([(bot.clone(), 2)]);
    let rescued = b.store.rescue(&b.id, &again, slot(60)).await.unwrap();
    assert!(matches!(&rescued[..], [Rescued::Again(claim)] if claim.execution == run));
    assert!(told(&b).await.is_empty());
    assert!(!b.row(&bot, run).await.cancel_requested);
}
