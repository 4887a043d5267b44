//! What dead processes leave behind.

use std::collections::HashMap;

use actor_server::{
    domain::{
        bot::BotName,
        outcome::{Gap, Status},
        run::{Claim, ExecutionId},
    },
    store::{Rescued, Start, Write, Written},
};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{Process, change, ending, is_lost, message, outcome, slot, starting},
};

/// `a` dies, and `b` deals with what it left; two attempts for these bots.
async fn rescue(fixture: &dyn Fixture, a: &Process, again: &[&BotName]) -> (Process, Vec<Rescued>) {
    rescue_up_to(2, fixture, a, "b", again).await
}

/// The same with so many attempts, by a process of that name.
async fn rescue_up_to(
    most: u32,
    fixture: &dyn Fixture,
    dead: &Process,
    name: &str,
    again: &[&BotName],
) -> (Process, Vec<Rescued>) {
    fixture.kill(&dead.id).await;
    let next = fixture.join(name).await;
    fixture.age(&next.id).await;
    let again = again.iter().map(|bot| ((*bot).clone(), most)).collect();
    let rescued = next.store.rescue(&next.id, &again, slot(60)).await;
    (next, rescued.unwrap())
}

fn again(rescued: &[Rescued]) -> &Claim {
    match rescued {
        [Rescued::Again(claim)] => claim,
        other => panic!("{other:?}"),
    }
}

fn abandoned(rescued: &[Rescued]) -> ExecutionId {
    match rescued {
        [Rescued::Abandoned(_, id)] => *id,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_claim_that_never_started_is_decided_anew(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.claim(&bot, 0).await;
    let (b, rescued) = rescue(fixture, &a, &[&bot]).await;
    assert!(matches!(&rescued[..], [Rescued::Released(who)] if *who == bot));
    assert!(b.rows(&bot).await.is_empty());
    assert_eq!(b.state(&bot).await.next_run, Some(slot(0)));
    b.claim(&bot, 0).await;
}

pub(crate) async fn a_run_that_started_is_abandoned(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    let (b, rescued) = rescue(fixture, &a, &[]).await;
    assert_eq!(abandoned(&rescued), id);
    let row = b.row(&bot, id).await;
    assert_eq!((row.status, row.success), (Status::Abandoned, Some(false)));
    assert_eq!(row.started_at, Some(slot(0)));
    assert_eq!(row.completed_at, Some(slot(60)));
    assert!(row.error.is_some());
    let state = b.state(&bot).await;
    assert_eq!((state.consecutive_failures, state.runs), (0, 1));
    assert_eq!(state.last_run, Some(slot(0)));
    assert_eq!(b.unsent().await, [post]);
    let nothing = b.store.rescue(&b.id, &HashMap::new(), slot(61)).await;
    assert!(nothing.unwrap().is_empty());
}

pub(crate) async fn a_trigger_that_never_started_is_taken_over_as_it_is(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (event, manual) = (a.event(&bot, "one").await, a.trigger(&bot).await);
    let execution = Some(manual);
    let bot_name = bot.clone();
    a.write(Write::RequestCancel {
        bot: bot_name,
        execution,
    })
    .await;
    let (b, rescued) = rescue(fixture, &a, &[]).await;
    assert_eq!(rescued.len(), 2, "{rescued:?}");
    for (id, one) in [event, manual].into_iter().zip(&rescued) {
        let claim = again(std::slice::from_ref(one));
        assert_eq!((claim.execution, claim.attempt), (id, 1));
        let row = b.row(&bot, id).await;
        assert_eq!((row.status, row.attempt), (Status::Running, 1));
        assert_eq!((row.started_at, row.replica.as_deref()), (None, Some("b")));
        assert_eq!(row.metadata["rescued_from"], json!("a"));
        // What an operator wanted cancelled is still wanted so.
        assert_eq!(row.cancel_requested, id == manual);
    }
    let live = b.store.live(&b.id).await.unwrap();
    assert_eq!(live[0].metadata["input"], json!({"n": 1}));
    let start = Start {
        scheduled: false,
        ..starting(event, &bot, slot(61))
    };
    assert!(is_lost(&a.write(Write::Start(start.clone())).await));
    let answer = b.write(Write::Start(start)).await;
    assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
    assert_eq!(b.repeat(&bot, "one").await, event);
}

pub(crate) async fn a_trigger_that_waited_too_long_is_abandoned(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (old, young) = (a.trigger(&bot).await, a.trigger(&bot).await);
    fixture.backdate(old, 901).await;
    fixture.backdate(young, 800).await;
    let (b, rescued) = rescue(fixture, &a, &[]).await;
    assert_eq!(abandoned(&rescued[..1]), old);
    assert_eq!(again(&rescued[1..]).execution, young);
    let row = b.row(&bot, old).await;
    assert_eq!((row.status, row.success), (Status::Abandoned, Some(false)));
    assert_eq!((row.started_at, row.completed_at), (None, Some(slot(60))));
}

pub(crate) async fn a_trigger_of_a_removed_bot_is_abandoned(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    let state = a.state(&bot).await;
    let mut removed = state.clone();
    removed.removed = true;
    a.write(change(&state, &removed)).await;
    let (_, rescued) = rescue(fixture, &a, &[&bot]).await;
    assert_eq!(abandoned(&rescued), id);
}

pub(crate) async fn a_run_to_be_run_again_is_claimed_with_the_next_attempt(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let post = a.post(message(id, &bot, 0)).await;
    let (b, rescued) = rescue(fixture, &a, &[&bot]).await;
    let claim = again(&rescued);
    assert_eq!((claim.execution, claim.attempt), (id, 2));
    assert_eq!((claim.slot, claim.due), (Some(slot(0)), slot(0)));
    let row = b.row(&bot, id).await;
    assert_eq!((row.status, row.attempt), (Status::Running, 2));
    assert_eq!((row.started_at, row.replica.as_deref()), (None, Some("b")));
    let cut_off = &row.metadata["interrupted"][0];
    assert_eq!(
        (&cut_off["attempt"], &cut_off["replica"]),
        (&json!(1), &json!("a"))
    );
    assert_eq!(b.store.live(&b.id).await.unwrap()[0].claim, *claim);
    b.write(Write::Start(starting(id, &bot, slot(61)))).await;
    assert_eq!(b.post(message(id, &bot, 61)).await.id, post.id);
    b.write(ending(id, &bot, 61, outcome(Status::Succeeded)))
        .await;
    let row = b.row(&bot, id).await;
    assert_eq!(
        (row.status, row.started_at),
        (Status::Succeeded, Some(slot(61)))
    );
    assert_eq!(row.metadata["interrupted"][0]["attempt"], json!(1));
}

pub(crate) async fn a_slot_that_is_run_again_counts_once(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let start = Start {
        max_runs: Some(1),
        ..starting(a.claim(&bot, 0).await, &bot, slot(0))
    };
    a.write(Write::Start(start.clone())).await;
    let (b, rescued) = rescue(fixture, &a, &[&bot]).await;
    assert_eq!(again(&rescued).attempt, 2);
    let answer = b.write(Write::Start(start)).await;
    assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
    let state = b.state(&bot).await;
    assert_eq!((state.runs, state.next_run), (1, None));
}

pub(crate) async fn a_run_that_kills_its_processes_is_not_run_for_ever(fixture: &dyn Fixture) {
    let mut process = fixture.join("0").await;
    let bot = process.register("bot").await;
    let id = process.run(&bot, 0).await;
    for attempt in 2..=3 {
        let name = attempt.to_string();
        let (next, rescued) = rescue_up_to(3, fixture, &process, &name, &[&bot]).await;
        process = next;
        assert_eq!(again(&rescued).attempt, attempt);
        let answer = process
            .write(Write::Start(starting(id, &bot, slot(i64::from(attempt)))))
            .await;
        assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
    }
    let (last, rescued) = rescue_up_to(3, fixture, &process, "4", &[&bot]).await;
    assert_eq!(abandoned(&rescued), id);
    let row = last.row(&bot, id).await;
    assert_eq!((row.status, row.attempt), (Status::Abandoned, 3));
    assert_eq!(row.started_at, Some(slot(3)));
    let starts = row.metadata["interrupted"].as_array().unwrap().len();
    assert_eq!(starts, 2);
}

pub(crate) async fn the_last_attempt_is_not_used_up_by_a_process_that_dies_before_it(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let (b, rescued) = rescue_up_to(2, fixture, &a, "b", &[&bot]).await;
    assert_eq!(again(&rescued).attempt, 2);
    let (c, rescued) = rescue_up_to(2, fixture, &b, "c", &[&bot]).await;
    assert_eq!(again(&rescued).attempt, 2);
    let (d, rescued) = rescue_up_to(1, fixture, &c, "d", &[&bot]).await;
    assert_eq!(abandoned(&rescued), id);
    let row = d.row(&bot, id).await;
    assert_eq!((row.attempt, row.started_at), (2, Some(slot(0))));
}

pub(crate) async fn a_trigger_that_is_run_again_keeps_what_it_came_with(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    let mut start = starting(id, &bot, slot(0));
    start.scheduled = false;
    a.write(Write::Start(start)).await;
    let (b, rescued) = rescue(fixture, &a, &[&bot]).await;
    assert_eq!(again(&rescued).execution, id);
    let live = b.store.live(&b.id).await.unwrap();
    assert_eq!(live[0].claim, *again(&rescued));
    assert_eq!(live[0].metadata["note"], json!("now"));
    assert_eq!(live[0].metadata["interrupted"][0]["attempt"], json!(1));
}

pub(crate) async fn work_that_was_cut_off_is_never_taken_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let mut bots = Vec::new();
    for name in ["declined", "released", "outdated", "removed"] {
        let bot = a.register(name).await;
        bots.push((bot.clone(), a.run(&bot, 0).await));
    }
    let names: Vec<&BotName> = bots.iter().map(|(bot, _)| bot).collect();
    let (b, rescued) = rescue(fixture, &a, &names).await;
    assert_eq!(rescued.len(), 4);
    let gap = Gap::Late;
    let execution = bots[0].1;
    b.write(Write::Decline { execution, gap }).await;
    let execution = bots[1].1;
    b.write(Write::Release { execution }).await;
    let mut start = starting(bots[2].1, &bots[2].0, slot(61));
    start.schedule = Some("another".into());
    let answer = b.write(Write::Start(start)).await;
    assert!(matches!(answer, Written::Outdated), "{answer:?}");
    let (removed, id) = &bots[3];
    let state = b.state(removed).await;
    let mut retired = state.clone();
    retired.removed = true;
    b.write(change(&state, &retired)).await;
    assert_eq!(b.row(removed, *id).await.status, Status::Running);
    let answer = b
        .write(Write::Start(starting(*id, removed, slot(61))))
        .await;
    assert!(matches!(answer, Written::Outdated), "{answer:?}");
    for (bot, id) in &bots {
        let row = b.row(bot, *id).await;
        assert_eq!(row.status, Status::Abandoned, "{bot}");
        assert_eq!(row.started_at, Some(slot(0)), "{bot}");
        assert_eq!(b.state(bot).await.next_run, Some(slot(1)));
    }
}

pub(crate) async fn what_a_rescued_process_still_sends_is_lost(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let other = a.register("other").await;
    let id = a.run(&bot, 0).await;
    let waiting = a.claim(&other, 0).await;
    let (b, _) = rescue(fixture, &a, &[&bot]).await;
    let zombie = [
        ending(id, &bot, 0, outcome(Status::Failed)),
        Write::StorePost(message(id, &bot, 0)),
        Write::Attempt {
            execution: id,
            attempt: 2,
            metadata: json!({}),
        },
        Write::Start(starting(waiting, &other, slot(1))),
        Write::Release { execution: waiting },
    ];
    let answers = a.try_write(&zombie).await.unwrap();
    assert!(answers.iter().all(is_lost), "{answers:?}");
    assert_eq!(b.row(&bot, id).await.status, Status::Running);
    assert_eq!(b.state(&bot).await.consecutive_failures, 0);
}

pub(crate) async fn what_is_ours_is_left_alone(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.run(&bot, 0).await;
    a.claim(&bot, 1).await;
    fixture.age(&a.id).await;
    let all = HashMap::from([(bot.clone(), 2)]);
    let rescued = a.store.rescue(&a.id, &all, slot(60)).await.unwrap();
    assert!(rescued.is_empty(), "{rescued:?}");
    assert_eq!(a.store.live(&a.id).await.unwrap().len(), 2);
}

pub(crate) async fn several_claims_of_one_bot_are_all_given_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Succeeded).await;
    for n in 1..4 {
        a.claim(&bot, n).await;
    }
    let (b, rescued) = rescue(fixture, &a, &[]).await;
    assert_eq!(rescued.len(), 3);
    assert_eq!(b.state(&bot).await.next_run, Some(slot(1)));
    assert_eq!(b.slots(&bot).await.len(), 1);
}
