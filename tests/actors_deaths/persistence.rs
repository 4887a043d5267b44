//! Deaths of the PersistenceActor: what was given to it is stored by the next one, once, in order.

use std::{sync::Arc, time::Duration};

use actor_server::{actors::supervision::Exit, store::Written};
use fail::FailScenario;
use tokio::time::timeout;

use super::{
    desk::{Desk, gate},
    scripted::{Act, Scripted, write},
    stand::becomes,
};

#[actix_rt::test]
async fn writes_survive_the_death_of_the_actor_that_was_to_store_them() {
    let scenario = FailScenario::setup();
    let store = Scripted::default();
    store.always(Act::Away);
    let mut desk = Desk::of(&store);
    (1..=5).for_each(|n| desk.queue().keep(write(n)));
    let panic = "as arranged".into();
    assert_eq!(desk.kill().await, Exit::Panic(panic));
    desk.queue().keep(write(6));
    store.always(Act::Store);
    desk.rebuild();
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2, 3, 4, 5, 6]);
    scenario.teardown();
}

#[actix_rt::test]
async fn a_batch_that_commits_while_its_actor_dies_is_stored_once() {
    let scenario = FailScenario::setup();
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let mut desk = Desk::of(&store);
    let answer = desk.queue().send(write(1), true);
    becomes(1, || store.tried().len()).await;
    desk.kill().await;
    desk.rebuild();
    gate.add_permits(1);
    assert!(matches!(answer.await.unwrap(), Ok(Written::Done)));
    desk.queue().drained().await;
    assert_eq!(store.tried(), [[1]]);
    scenario.teardown();
}

#[actix_rt::test]
async fn a_rebuilt_actor_says_again_that_its_process_is_alive() {
    let scenario = FailScenario::setup();
    let store = Scripted::default();
    let mut desk = Desk::of(&store);
    becomes(true, || store.beats() > 0).await;
    desk.kill().await;
    let before = store.beats();
    desk.rebuild();
    becomes(true, || store.beats() > before + 1).await;
    scenario.teardown();
}

#[actix_rt::test]
async fn a_rebuilt_actor_does_not_overtake_the_batch_that_its_predecessor_commits() {
    let scenario = FailScenario::setup();
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let mut desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    desk.kill().await;
    desk.queue().keep(write(2));
    desk.rebuild();
    let overtaken = becomes(true, || store.stored().contains(&2));
    let overtaken = timeout(Duration::from_secs(1), overtaken).await;
    gate.add_permits(1);
    assert!(overtaken.is_err());
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2]);
    scenario.teardown();
}
