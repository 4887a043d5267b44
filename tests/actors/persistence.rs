//! The PersistenceActor before a store that fails in every way: what was given to it is stored, once, in order.

use std::{sync::Arc, time::Duration};

use actix::Addr;
use actix_rt::Arbiter;
use actor_server::{
    actors::{
        messages::{DEADLINE, Ping},
        persistence::{PersistenceActor, WriteError, WriteQueue},
        supervision::{Child, Exit, spawn},
    },
    store::Written,
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    scripted::{Act, Scripted, write},
    stand::{Setting, Stand, becomes},
};

/// An actor at work for a scripted store.
pub(crate) struct Desk {
    stand: Stand,
    arbiter: Arbiter,
    actor: Addr<PersistenceActor>,
}

impl Desk {
    pub(crate) fn of(store: &Scripted) -> Self {
        Self::bounded(store, 1000)
    }

    pub(crate) fn bounded(store: &Scripted, results_in_memory: usize) -> Self {
        let setting = Setting {
            results_in_memory,
            ..Setting::of([])
        };
        let (stand, arbiter) = (Stand::over(store.clone(), setting), Arbiter::new());
        let actor = born(&stand, &arbiter, 1);
        Self {
            stand,
            arbiter,
            actor,
        }
    }

    pub(crate) fn queue(&self) -> &WriteQueue {
        &self.stand.env.queue
    }

    /// Waits for the actor's death, which was arranged.
    async fn dies(&self) -> Exit {
        let notice = timeout(DEADLINE, self.stand.env.exits.next()).await;
        notice.expect("the actor lives").exit
    }

    fn rebuild(&mut self) {
        self.actor = born(&self.stand, &self.arbiter, 2);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

fn born(stand: &Stand, arbiter: &Arbiter, incarnation: u64) -> Addr<PersistenceActor> {
    let (env, exits) = (Arc::clone(&stand.env), &stand.env.exits);
    let build = || PersistenceActor::new(env);
    spawn(
        &arbiter.handle(),
        Child::Persistence,
        incarnation,
        exits,
        build,
    )
}

fn gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

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
async fn writes_survive_the_death_of_the_actor_that_was_to_store_them() {
    let store = Scripted::default();
    store.always(Act::Away);
    let mut desk = Desk::of(&store);
    (1..=5).for_each(|n| desk.queue().keep(write(n)));
    store.kill_who_asks();
    let panic = "the store says something impossible".into();
    assert_eq!(desk.dies().await, Exit::Panic(panic));
    desk.queue().keep(write(6));
    store.always(Act::Store);
    desk.rebuild();
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2, 3, 4, 5, 6]);
}

#[actix_rt::test]
async fn a_batch_that_commits_while_its_actor_dies_is_stored_once() {
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let mut desk = Desk::of(&store);
    let answer = desk.queue().send(write(1), true);
    becomes(1, || store.tried().len()).await;
    store.kill_who_asks();
    desk.dies().await;
    desk.rebuild();
    gate.add_permits(1);
    assert!(matches!(answer.await.unwrap(), Ok(Written::Done)));
    desk.queue().drained().await;
    assert_eq!(store.tried(), [[1]]);
}

#[actix_rt::test]
async fn a_rebuilt_actor_says_again_that_its_process_is_alive() {
    let store = Scripted::default();
    let mut desk = Desk::of(&store);
    becomes(true, || store.beats() > 0).await;
    store.kill_who_asks();
    desk.dies().await;
    let before = store.beats();
    desk.rebuild();
    becomes(true, || store.beats() > before + 1).await;
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

#[actix_rt::test]
async fn a_rebuilt_actor_does_not_overtake_the_batch_that_its_predecessor_commits() {
    let gate = gate();
    let store = Scripted::meeting([Act::Gate(Arc::clone(&gate))]);
    let mut desk = Desk::of(&store);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    store.kill_who_asks();
    desk.dies().await;
    desk.queue().keep(write(2));
    desk.rebuild();
    let overtaken = becomes(true, || store.stored().contains(&2));
    let overtaken = timeout(Duration::from_secs(1), overtaken).await;
    gate.add_permits(1);
    assert!(overtaken.is_err());
    desk.queue().drained().await;
    assert_eq!(store.stored(), [1, 2]);
}
