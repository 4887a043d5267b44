//! Random bots through random days: whatever stalls, holds and jitter do, every slot is accounted for once, in order, and
//! only those run that the rules for late slots let run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod jitter;
mod late;
mod ledger;

use std::time::Duration;

use actor_server::domain::{
    Instant,
    bot::BotName,
    policy::{Misfire, OnResume, Policy},
    schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
};
use chrono::TimeDelta;
use ledger::{Event, Ledger};
use proptest::prelude::*;

fn kinds() -> impl Strategy<Value = ScheduleKind> {
    let expressions = prop_oneof![
        Just("0 */7 * * * *"),
        Just("*/20 * * * * *"),
        Just("0 30 2 * * *"),
        Just("0 0,30 1-3 * * *"),
        Just("0 9 * * MON-FRI"),
        Just("0 0 0 29 2 *"),
    ];
    let zones = prop_oneof![Just(chrono_tz::UTC), Just(chrono_tz::Europe::Berlin)];
    let cron = (expressions, zones).prop_map(|(expression, timezone)| ScheduleKind::Cron {
        expression: expression.into(),
        timezone,
        dst_gap: DstGap::RunAfter,
        dst_fold: DstFold::Both,
    });
    prop_oneof![
        4 => cron,
        3 => (1_u32..100_000).prop_map(|seconds| ScheduleKind::Interval { seconds }),
        1 => (0_i64..10_000).prop_map(|late| ScheduleKind::Once { at: start() + TimeDelta::seconds(late) }),
        1 => Just(ScheduleKind::Immediate),
    ]
}

/// Two days before the clock of Berlin goes forward.
pub(crate) fn start() -> Instant {
    "2026-03-27T10:00:00Z".parse().unwrap()
}

/// Two days before it goes back.
fn autumn() -> Instant {
    "2026-10-23T10:00:00Z".parse().unwrap()
}

fn policies() -> impl Strategy<Value = Policy> {
    let misfire = prop_oneof![
        Just(Misfire::FireOnceNow),
        Just(Misfire::DoNothing),
        Just(Misfire::FireAll)
    ];
    let resume = prop_oneof![Just(OnResume::SkipPaused), Just(OnResume::RunLatest)];
    let jitter = prop_oneof![2 => Just(0_u64), 1 => 0_u64..600_000];
    (misfire, resume, 0_u64..300, 0_u64..20_000, jitter).prop_map(
        |(misfire, on_resume, threshold, window, jitter)| Policy {
            misfire,
            on_resume,
            misfire_threshold: Duration::from_secs(threshold),
            catchup_window: Duration::from_secs(window),
            jitter: Duration::from_millis(jitter),
            ..Policy::default()
        },
    )
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let wait = || {
        prop_oneof![
            4 => 0_i64..3_000,
            4 => 0_i64..600_000,
            1 => 0_i64..200_000_000,
        ]
    };
    let event = prop_oneof![
        6 => wait().prop_map(Event::Plan),
        1 => Just(Event::Hold),
        1 => wait().prop_map(Event::Resume),
    ];
    prop::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_slot_is_accounted_for_once(
        start in prop_oneof![Just(start()), Just(autumn())],
        kind in kinds(),
        policy in policies(),
        events in events(),
        bounds in (prop::option::of(0_i64..100_000), prop::option::of(100_000_i64..400_000)),
    ) {
        let (first, last) = (bounds.0, bounds.1);
        let spec = ScheduleSpec {
            kind,
            starts_at: first.map(|n| start + TimeDelta::seconds(n)),
            ends_at: last.map(|n| start + TimeDelta::seconds(n)),
        };
        let Ok(schedule) = spec.compile(start) else { return Ok(()) };
        let mut ledger = Ledger {
            bot: BotName::parse("random").unwrap(),
            schedule: schedule.as_ref(),
            policy: &policy,
            start,
            now: start,
            cursor: schedule.next_from(start),
            held: false,
            slots: 0,
        };
        for event in &events {
            ledger.happens(event);
            ledger.check_sum();
        }
    }
}
