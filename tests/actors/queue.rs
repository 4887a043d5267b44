//! Writes on their way to the store, as those who send them see it.

use actor_server::{
    actors::persistence::{WriteError, WriteQueue},
    store::Written,
};
use futures::{FutureExt, poll};

use super::{
    desk::Desk,
    scripted::{Act, Scripted, write},
    stand::becomes,
};

#[actix_rt::test]
async fn what_passes_the_bound_is_refused_and_counted_and_nothing_within_it_is() {
    let queue = WriteQueue::new(3);
    (1..=5).for_each(|n| queue.keep(write(n)));
    assert_eq!((queue.len(), queue.refused()), (3, 2));
    assert_eq!(
        queue.ask(write(6), true).await.unwrap_err(),
        WriteError::Full
    );
    assert_eq!(queue.refused(), 3);
}

#[actix_rt::test]
async fn within_the_bound_nothing_is_lost_however_long_the_store_is_away() {
    let store = Scripted::default();
    store.always(Act::Away);
    let desk = Desk::bounded(&store, 10);
    (1..=12).for_each(|n| desk.queue().keep(write(n)));
    becomes(true, || store.tried().len() > 5).await;
    assert_eq!((desk.queue().len(), desk.queue().refused()), (10, 2));
    store.always(Act::Store);
    desk.queue().drained().await;
    assert_eq!(store.stored(), (1..=10).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn a_batch_that_comes_back_finds_room_beyond_the_bound() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let store = Scripted::meeting([Act::Gate(gate.clone()), Act::Away]);
    let desk = Desk::bounded(&store, 2);
    desk.queue().keep(write(1));
    becomes(1, || store.tried().len()).await;
    (2..=3).for_each(|n| desk.queue().keep(write(n)));
    gate.add_permits(1);
    desk.queue().drained().await;
    assert_eq!((store.stored(), desk.queue().refused()), (vec![1, 2, 3], 0));
}

#[actix_rt::test]
async fn waiting_for_everything_to_be_stored_ends_when_it_is_and_not_before() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let store = Scripted::meeting([Act::Gate(gate.clone())]);
    let desk = Desk::of(&store);
    assert!(
        desk.queue().drained().now_or_never().is_some(),
        "nothing waits"
    );
    desk.queue().keep(write(1));
    let drained = desk.queue().drained();
    tokio::pin!(drained);
    becomes(1, || store.tried().len()).await;
    assert!(poll!(drained.as_mut()).is_pending());
    gate.add_permits(1);
    drained.await;
    assert_eq!(store.stored(), [1]);
}

#[actix_rt::test]
async fn many_may_wait_for_the_same_end() {
    let store = Scripted::meeting([Act::Away, Act::Away]);
    let desk = Desk::of(&store);
    (1..=50).for_each(|n| desk.queue().keep(write(n)));
    let all: Vec<_> = (0..20).map(|_| desk.queue().drained()).collect();
    futures::future::join_all(all).await;
    assert!(desk.queue().is_empty());
    assert_eq!(store.stored().len(), 50);
}

#[actix_rt::test]
async fn who_does_not_wait_for_an_answer_any_more_costs_nothing() {
    let store = Scripted::default();
    let desk = Desk::of(&store);
    drop(desk.queue().send(write(1), true));
    drop(desk.queue().send(write(2), false));
    let answer = desk.queue().ask(write(3), false).await;
    assert!(matches!(answer, Ok(Written::Done)));
    assert_eq!(store.stored(), [1, 2, 3]);
}

#[actix_rt::test]
async fn what_is_not_kept_takes_no_room_from_results() {
    let queue = WriteQueue::new(3);
    let _asked: Vec<_> = (1..=3).map(|n| queue.send(write(n), false)).collect();
    (4..=6).for_each(|n| queue.keep(write(n)));
    assert_eq!((queue.len(), queue.refused()), (6, 0));
}
