//! The stable delay of a slot.

use std::time::Duration;

use actor_server::domain::{bot::BotName, schedule::jitter};
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

proptest! {
    #[test]
    fn jitter_is_stable_and_stays_below_its_bound_and_the_next_slot(
        name in "[a-z]{1,64}",
        slot in 0_i64..4_000_000_000,
        distance in prop::option::of(1_i64..1_000_000),
        longest in 0_u64..1_000_000,
    ) {
        let bot = BotName::parse(&name).unwrap();
        let slot = DateTime::from_timestamp(slot, 0).unwrap();
        let next = distance.map(|ms| slot + TimeDelta::milliseconds(ms));
        let longest = Duration::from_millis(longest);
        let delay = jitter(&bot, slot, next, longest);
        prop_assert_eq!(delay, jitter(&bot, slot, next, longest));
        prop_assert!(delay < longest || longest.is_zero() && delay.is_zero());
        prop_assert!(next.is_none_or(|next| slot + TimeDelta::from_std(delay).unwrap() < next));
    }
}

#[test]
fn jitter_is_the_same_in_every_version() {
    let slot = "2026-01-01T00:00:00Z".parse().unwrap();
    let delay = |name: &str| {
        jitter(
            &BotName::parse(name).unwrap(),
            slot,
            None,
            Duration::from_secs(3_600),
        )
        .as_millis()
    };
    assert_eq!((delay("a"), delay("b")), (849167, 1589935));
}

#[test]
fn jitter_spreads_evenly() {
    let bot = BotName::parse("spread").unwrap();
    let mut tenths = [0_u32; 10];
    for n in 0..10_000 {
        let slot = DateTime::from_timestamp(n * 60, 0).unwrap();
        let delay = jitter(&bot, slot, None, Duration::from_secs(10));
        tenths[usize::try_from(delay.as_secs()).unwrap()] += 1;
    }
    assert!(
        tenths.iter().all(|n| (850..1_150).contains(n)),
        "{tenths:?}"
    );
}
