//! Triggers and events that are sent again: the same wish makes one row.

use actor_server::{
    domain::outcome::{Gap, Status},
    store::{Start, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{claimed, ending, event, name, outcome, repeated, slot, starting},
};

pub(crate) async fn a_repeated_wish_is_answered_with_the_row_it_made(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    let id = a.event(&bot, "one").await;
    assert_eq!(a.repeat(&bot, "one").await, id);
    assert_eq!(b.repeat(&bot, "one").await, id);
    let more = [
        a.event(&bot, "two").await,
        b.event(&other, "one").await,
        a.trigger(&bot).await,
        a.trigger(&bot).await,
    ];
    assert!(!more.contains(&id));
    assert_eq!(a.rows(&bot).await.len(), 4);
    assert_eq!(a.row(&bot, id).await.replica.as_deref(), Some("a"));
}

pub(crate) async fn a_wish_is_recognised_whatever_became_of_its_row(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ran = a.event(&bot, "ran").await;
    let start = Start {
        scheduled: false,
        ..starting(ran, &bot, slot(0))
    };
    a.write(Write::Start(start)).await;
    a.write(ending(ran, &bot, 0, outcome(Status::Failed))).await;
    let declined = a.event(&bot, "declined").await;
    let (execution, gap) = (declined, Gap::Overlap);
    a.write(Write::Decline { execution, gap }).await;
    let released = a.event(&bot, "released").await;
    let execution = released;
    a.write(Write::Release { execution }).await;
    for (key, id) in [("ran", ran), ("declined", declined), ("released", released)] {
        assert_eq!(a.repeat(&bot, key).await, id, "{key}");
    }
    let later = a.row(&bot, released).await.created_at + chrono::TimeDelta::days(1);
    a.store.prune(later, later).await.unwrap();
    assert_ne!(a.event(&bot, "ran").await, ran);
}

pub(crate) async fn of_one_batch_a_wish_makes_one_row(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let batch = [event(&bot, "one"), event(&bot, "two"), event(&bot, "one")];
    let mut answers = a.try_write(&batch).await.unwrap();
    let again = repeated(answers.remove(2));
    let two = claimed(answers.remove(1)).unwrap();
    assert_eq!(claimed(answers.remove(0)), Some(again));
    assert_ne!(two, again);
    assert_eq!(a.rows(&bot).await.len(), 2);
}

pub(crate) async fn of_processes_with_one_wish_one_makes_the_row(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let known = a.register("known").await;
    // Nobody can lock a bot that has no state.
    for bot in [known, name("unknown")] {
        for round in 0..10 {
            let tasks: Vec<_> = [&a, &b, &a, &b]
                .into_iter()
                .map(|process| (process.clone(), event(&bot, &round.to_string())))
                .map(|(process, write)| tokio::spawn(async move { process.write(write).await }))
                .collect();
            let (mut made, mut seen) = (Vec::new(), Vec::new());
            for task in tasks {
                match task.await.unwrap() {
                    Written::Claimed(Some(id)) => made.push(id),
                    Written::Repeated(id) => seen.push(id),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(made.len(), 1);
            assert!(seen.iter().all(|id| made.contains(id)), "{seen:?} {made:?}");
        }
    }
}

pub(crate) async fn any_text_may_be_a_key(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let keys = [
        String::new(),
        "\0".into(),
        "'; DROP TABLE actor_server_executions; --".into(),
        "k".repeat(100_000),
        "k".repeat(100_001),
    ];
    for key in &keys {
        let id = a.event(&bot, key).await;
        assert_eq!(a.repeat(&bot, key).await, id);
    }
    assert_eq!(a.rows(&bot).await.len(), keys.len());
}
