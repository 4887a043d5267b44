//! The PersistenceActor before a store that fails in every way: what was given to it is stored, once, in order.

use std::{sync::Arc, time::Duration};

use actor_server::{
    actors::{
        messages::{DEADLINE, Ping},
        persistence::WriteError,
    },
    store::Written,
};
use tokio::time::timeout;

use super::{
    desk::{Desk, gate},
    scripted::{Act, Scripted, write},
    stand::becomes,
};

#[actix_rt::test]
async fn what_arrives_while_a_batch_commits_goes_together_and_in_order() {
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    (2..=40).for_each(|n| desk.queue().keep(write(n)));
    gate.add_permits(1);
    desk.queue().drained().await;
    assert_eq!(store.tried(), [vec![1], (2..=40).collect()]);
}

#[actix_rt::test]
async fn a_group_has_a_bound_and_the_order_goes_over_groups() {
    let (gate, all): (_, Vec<i64>) = (gate(), (1..=2500).collect());
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let desk = Desk::bounded(&store, 10_000);
    all.iter().for_each(|n| desk.queue().keep(write(*n)));
    gate.add_permits(1);
    desk.queue().drained().await;
    assert_eq!(store.stored(), all);
    assert!(store.tried().iter().all(|batch| batch.len() <= 1000));
}

#[actix_rt::test]
async fn kept_writes_survive_a_store_that_is_away_and_stay_in_order() {
    let store = Scripted::meeting([Act::Away, Act::Away, Act::Away]);
    let desk = Desk::of(&store);
    for n in 1..=9 {
        desk.queue().keep(write(n));
        tokio::task::yield_now().await;
    }
    desk.queue().drained().await;
    assert_eq!(store.stored(), (1..=9).collect::<Vec<_>>());
    assert_eq!(desk.queue().refused(), 0);
}

#[actix_rt::test]
async fn what_is_not_kept_is_told_at_once_that_the_store_is_away_and_accepted_when_it_is_back() {
    let store = Scripted::default();
    store.always(Act::Away);
    let desk = Desk::of(&store);
    let answer = desk.queue().ask(write(1), false).await;
    assert_eq!(answer.unwrap_err(), WriteError::Unavailable);
    desk.queue().keep(write(2));
    becomes(true, || store.tried().len() > 3).await;
    becomes(true, || desk.queue().is_away()).await;
    let answer = timeout(DEADLINE, desk.queue().ask(write(3), false)).await;
    assert_eq!(answer.unwrap().unwrap_err(), WriteError::Unavailable);
    store.always(Act::Store);
    desk.queue().drained().await;
    let answer = desk.queue().ask(write(4), false).await;
    assert!(matches!(answer, Ok(Written::Done)));
    assert_eq!(store.stored(), [2, 4]);
}

#[actix_rt::test]
async fn a_store_that_was_away_is_noticed_to_be_back_without_any_kept_write() {
    let store = Scripted::meeting([Act::Away]);
    let desk = Desk::of(&store);
    let answer = desk.queue().ask(write(1), false).await;
    assert_eq!(answer.unwrap_err(), WriteError::Unavailable);
    super::stand::eventually("the store is back", || async {
        desk.queue().ask(write(2), false).await.ok()
    })
    .await;
    assert_eq!(store.stored(), [2]);
}

#[actix_rt::test]
async fn a_write_that_the_store_refuses_takes_no_other_with_it() {
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    store.poison(3, Act::Refuse);
    let desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    let answers: Vec<_> = (2..=5).map(|n| desk.queue().send(write(n), true)).collect();
    gate.add_permits(1);
    for (n, answer) in (2..).zip(answers) {
        let failed = matches!(answer.await.unwrap(), Err(WriteError::Failed(_)));
        assert_eq!(failed, n == 3);
    }
    assert_eq!(store.stored(), [1, 2, 4, 5]);
}

#[actix_rt::test]
async fn a_store_that_goes_away_between_single_writes_loses_none_of_them() {
    let gate = gate();
    let store = Scripted::meeting([
        Act::Gate(Arc::clone(&gate)),
        Act::Store,
        Act::Refuse,
        Act::Store,
        Act::Away,
    ]);
    let desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    (2..=5).for_each(|n| desk.queue().keep(write(n)));
    gate.add_permits(1);
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2, 3, 4, 5]);
}

#[actix_rt::test]
async fn a_panic_of_the_store_costs_neither_the_write_nor_the_actor() {
    let store = Scripted::meeting([Act::Panic, Act::Panic]);
    let desk = Desk::of(&store);
    (1..=3).for_each(|n| desk.queue().keep(write(n)));
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2, 3]);
    assert!(desk.actor.send(Ping).timeout(DEADLINE).await.is_ok());
}

#[actix_rt::test]
async fn a_write_that_always_makes_the_store_panic_is_given_up_after_the_third_time() {
    let store = Scripted::default();
    store.poison(1, Act::Panic);
    let desk = Desk::of(&store);
    let answer = desk.queue().ask(write(1), true).await;
    assert_eq!(answer.unwrap_err(), WriteError::Unavailable);
    assert_eq!(store.tried(), [[1], [1], [1]]);
    desk.queue().keep(write(2));
    desk.queue().drained().await;
    assert_eq!(store.stored(), [2]);
}

#[actix_rt::test]
async fn the_actor_answers_while_its_store_does_not() {
    let store = Scripted::meeting([Act::Hang]);
    let desk = Desk::of(&store);
    let stuck = desk.queue().send(write(1), true);
    becomes(1, || store.tried().len()).await;
    assert!(desk.actor.send(Ping).timeout(DEADLINE).await.is_ok());
    let drained = timeout(Duration::from_millis(50), desk.queue().drained()).await;
    assert!(drained.is_err() && desk.queue().len() == 1);
    drop(stuck);
}

#[actix_rt::test]
async fn a_write_that_makes_the_store_panic_takes_no_other_with_it() {
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    store.poison(3, Act::Panic);
    let desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    (2..=5).for_each(|n| desk.queue().keep(write(n)));
    gate.add_permits(1);
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2, 4, 5]);
}
