//! Circuit breakers.

use actor_server::domain::breaker::Breaker;

use crate::{
    fixture::Fixture,
    process::{Process, slot},
};

const CHANNEL: &str = "discord:42";

async fn keep(process: &Process, dependency: &str, breaker: Breaker) -> i64 {
    let kept = process
        .store
        .keep_breaker(dependency, breaker, Some("a1b2"), slot(1));
    kept.await.unwrap()
}

async fn only(process: &Process) -> (String, Breaker, i64) {
    let mut all = process.store.breakers().await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    let one = all.remove(0);
    assert_eq!(
        (one.updated_at, one.credential.as_deref()),
        (slot(1), Some("a1b2"))
    );
    (one.dependency, one.breaker, one.revision)
}

pub(crate) async fn a_breaker_comes_back_in_the_state_it_was_stored_in(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    assert_eq!(a.store.breakers().await.unwrap(), []);
    let half_open = |probe_until| Breaker::HalfOpen {
        successes: 2,
        probe_until,
    };
    for breaker in [
        Breaker::Open { until: slot(9) },
        half_open(Some(slot(3))),
        half_open(None),
        Breaker::Closed { failures: 4 },
        Breaker::default(),
    ] {
        keep(&a, CHANNEL, breaker).await;
        assert_eq!(only(&a).await.1, breaker);
    }
}

pub(crate) async fn the_last_one_to_store_a_breaker_wins_and_every_change_is_another_revision(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let open = Breaker::Open { until: slot(9) };
    assert_eq!(keep(&a, CHANNEL, open).await, 1);
    assert_eq!(keep(&b, CHANNEL, Breaker::default()).await, 2);
    assert_eq!(only(&a).await, (CHANNEL.into(), Breaker::default(), 2));
    assert_eq!(keep(&a, CHANNEL, open).await, 3);
    assert_eq!(only(&b).await, (CHANNEL.into(), open, 3));
}

pub(crate) async fn any_text_may_be_a_dependency(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let open = Breaker::Open { until: slot(9) };
    for text in ["it's \"me\" 🦀", "nul\0", ""] {
        keep(&a, text, open).await;
        keep(&a, text, Breaker::default()).await;
    }
    let all = a.store.breakers().await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one.breaker.is_closed()));
}
