//! Single plans, as a table.

use std::time::Duration;

use actor_server::domain::{
    Instant,
    bot::BotName,
    outcome::Gap,
    policy::{Misfire, Policy},
    schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
    slots::{SlotPlan, SlotsDue},
};

use crate::{ledger::AHEAD, start};

fn plan_at(kind: ScheduleKind, policy: &Policy, cursor: &str, now: &str) -> Option<SlotPlan> {
    let spec = ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    };
    let bot = BotName::parse("one").unwrap();
    let schedule = spec.compile(cursor.parse().unwrap()).unwrap();
    let due = SlotsDue {
        bot: &bot,
        schedule: schedule.as_ref(),
        policy,
        cursor: cursor.parse().unwrap(),
        now: now.parse().unwrap(),
        ahead: AHEAD,
    };
    due.plan()
}

fn hourly() -> ScheduleKind {
    ScheduleKind::Cron {
        expression: "@hourly".into(),
        timezone: chrono_tz::UTC,
        dst_gap: DstGap::RunAfter,
        dst_fold: DstFold::First,
    }
}

#[test]
fn a_day_of_downtime_runs_the_newest_slot_and_misses_the_rest_as_one_range() {
    let policy = Policy::default();
    let plan = plan_at(
        hourly(),
        &policy,
        "2026-05-01T00:00:00Z",
        "2026-05-01T20:30:00Z",
    )
    .unwrap();
    assert_eq!(plan.gaps.len(), 1);
    assert_eq!((plan.gaps[0].slots, plan.gaps[0].gap), (20, Gap::Late));
    let claim = plan.claim.unwrap();
    assert_eq!(
        claim.slot,
        "2026-05-01T20:00:00Z".parse::<Instant>().unwrap()
    );
    assert_eq!(plan.next, Some("2026-05-01T21:00:00Z".parse().unwrap()));
}

#[test]
fn a_cursor_that_is_no_slot_any_more_moves_to_the_next_one() {
    let policy = Policy::default();
    let moved = plan_at(
        hourly(),
        &policy,
        "2026-05-01T00:30:00Z",
        "2026-05-01T00:31:00Z",
    )
    .unwrap();
    assert_eq!((moved.gaps, moved.claim), (Vec::new(), None));
    assert_eq!(moved.next, Some("2026-05-01T01:00:00Z".parse().unwrap()));
}

#[test]
fn a_jitter_longer_than_the_window_still_lets_every_slot_run() {
    let policy = Policy {
        jitter: Duration::from_secs(3_000),
        catchup_window: Duration::from_secs(1),
        ..Policy::default()
    };
    let (bot, spec) = (
        BotName::parse("late").unwrap(),
        ScheduleSpec {
            kind: hourly(),
            starts_at: None,
            ends_at: None,
        },
    );
    let schedule = spec.compile(start()).unwrap();
    let cursor = start();
    let mut due = SlotsDue {
        bot: &bot,
        schedule: schedule.as_ref(),
        policy: &policy,
        cursor,
        now: cursor,
        ahead: Duration::ZERO,
    };
    due.now = due.due(cursor);
    let plan = due.plan().unwrap();
    assert_eq!(plan.claim.map(|claim| claim.slot), Some(cursor));
}

#[test]
fn an_endless_window_breaks_nothing() {
    let policy = Policy {
        catchup_window: Duration::MAX,
        jitter: Duration::MAX,
        misfire: Misfire::FireAll,
        ..Policy::default()
    };
    let plan = plan_at(
        hourly(),
        &policy,
        "1990-05-01T00:00:00Z",
        "2026-05-01T20:30:00Z",
    )
    .unwrap();
    let first: Instant = "1990-05-01T00:00:00Z".parse().unwrap();
    assert_eq!(plan.claim.map(|claim| claim.slot), Some(first));
    assert!(plan.gaps.is_empty());
}
