//! Who is shut out, and what a store has to know.

use super::*;
use crate::{
    domain::{breaker::StoredBreaker, post::Post},
    platforms::{ContentPoster, PostFailure, Receipt},
};

fn breakers() -> Breakers {
    Breakers::new(BreakerRules {
        failure_threshold: 3,
        ..BreakerRules::default()
    })
}

fn at(seconds: i64) -> Instant {
    chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn channel(name: &str) -> Downstream {
    Downstream::new("discord", name).unwrap()
}

fn fail(breakers: &Breakers, name: &str, times: usize) {
    let downstream = channel(name);
    for _ in 0..times {
        breakers.noted(&downstream, Sign::Failed, at(0), 0.0);
    }
}

fn is_open(breakers: &Breakers, name: &str) -> bool {
    !breakers.would_let_through(&channel(name), at(1))
}

#[test]
fn one_bad_channel_never_shuts_the_others_out() {
    let breakers = breakers();
    fail(&breakers, "1", 100);
    assert!(is_open(&breakers, "1") && !is_open(&breakers, "2"));
}

#[test]
fn a_platform_that_fails_everywhere_is_shut_as_a_whole() {
    let breakers = breakers();
    for channel in ["1", "2", "3"] {
        fail(&breakers, channel, 1);
    }
    assert!(is_open(&breakers, "4"));
}

#[test]
fn a_refused_token_shuts_the_platform_at_once_until_it_is_reset() {
    let breakers = breakers();
    let changes = breakers.noted(&channel("1"), Sign::TokenRefused, at(0), 0.0);
    assert_eq!(changes.len(), 1);
    assert!(is_open(&breakers, "2"));
    assert!(breakers.reset("discord").is_some());
    assert!(!is_open(&breakers, "2") && breakers.reset("discord").is_none());
}

#[test]
fn a_channel_that_refuses_says_that_the_platform_is_well() {
    let breakers = breakers();
    fail(&breakers, "1", 1);
    fail(&breakers, "2", 1);
    breakers.noted(&channel("3"), Sign::Answered, at(0), 0.0);
    fail(&breakers, "4", 1);
    assert!(!is_open(&breakers, "5"));
}

#[test]
fn destinations_that_have_nothing_in_common_never_shut_each_other_out() {
    struct Apart;
    #[async_trait::async_trait]
    impl ContentPoster for Apart {
        fn platform(&self) -> &'static str {
            "apart"
        }
        fn is_one_downstream(&self) -> bool {
            false
        }
        async fn post(&self, _: &Post) -> Result<Receipt, PostFailure> {
            Err(PostFailure::Transient("no".into()))
        }
    }
    let platforms = Platforms::default().with(Arc::new(Apart));
    let breakers = Breakers::over(platforms, BreakerRules::default());
    let hook = |n: usize| Downstream::new("apart", &n.to_string()).unwrap();
    for n in 0..100 {
        breakers.noted(&hook(n % 50), Sign::Failed, at(0), 0.0);
        breakers.noted(&hook(7), Sign::TokenRefused, at(0), 0.0);
    }
    let shut = (0..100).filter(|n| !breakers.would_let_through(&hook(*n), at(1)));
    assert_eq!(shut.collect::<Vec<_>>(), [7]);
    assert!(!breakers.all().contains_key("apart"));
}

fn stored(breaker: Breaker, revision: i64) -> Vec<StoredBreaker> {
    let (dependency, updated_at) = ("discord:1".into(), at(0));
    vec![StoredBreaker {
        dependency,
        breaker,
        credential: None,
        revision,
        updated_at,
    }]
}

const OPEN: Breaker = Breaker::Open {
    until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
};

#[test]
fn nothing_is_looked_up_while_all_are_closed() {
    let breakers = breakers();
    assert!(breakers.are_all_closed());
    fail(&breakers, "1", 3);
    fail(&breakers, "2", 3);
    assert!(!breakers.are_all_closed());
    for name in ["discord:1", "discord:2", "discord:3"] {
        breakers.reset(name);
    }
    assert!(breakers.are_all_closed());
}

#[test]
fn what_opens_and_closes_waits_for_the_store_and_single_failures_do_not() {
    let breakers = breakers();
    fail(&breakers, "1", 2);
    assert_eq!(breakers.unstored(), []);
    fail(&breakers, "1", 1);
    let one = breakers.unstored().remove(0);
    assert_eq!(
        (one.dependency.as_str(), one.breaker.as_str()),
        ("discord:1", "open")
    );
    breakers.reset("discord:1");
    breakers.stored("discord:1", one.breaker, 1);
    let meanwhile = breakers.unstored().remove(0);
    assert!(meanwhile.breaker.is_closed(), "it was closed meanwhile");
    breakers.stored("discord:1", meanwhile.breaker, 2);
    assert_eq!(breakers.unstored(), []);
}

#[test]
fn what_another_process_stored_is_taken_over_once() {
    let breakers = breakers();
    assert_eq!(breakers.adopt(stored(OPEN, 1)).len(), 1);
    assert!(is_open(&breakers, "1") && breakers.unstored().is_empty());
    breakers.reset("discord:1");
    assert_eq!(
        breakers.adopt(stored(OPEN, 2)),
        [],
        "the reset is on its way to the store"
    );
    breakers.stored("discord:1", Breaker::default(), 3);
    assert_eq!(
        breakers.adopt(stored(OPEN, 2)),
        [],
        "that is older than the reset"
    );
    assert_eq!(breakers.adopt(stored(OPEN, 4)).len(), 1);
    assert_eq!(breakers.adopt(stored(Breaker::default(), 5)).len(), 1);
    assert!(breakers.are_all_closed());
}
