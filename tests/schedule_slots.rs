//! Random bots through random days: whatever stalls, holds and jitter do, every slot is accounted for once, in order, and
//! only those run that the rules for late slots let run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::time::Duration;

use actor_server::domain::{
    Instant,
    bot::BotName,
    hold::HoldKind,
    outcome::Gap,
    policy::{Misfire, OnResume, Policy},
    schedule::{DstFold, DstGap, Schedule, ScheduleKind, ScheduleSpec, jitter},
    slots::{SlotPlan, SlotsDue},
};
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

const PAUSED: Gap = Gap::Held(HoldKind::Manual);
const AHEAD: Duration = Duration::from_secs(2);

/// What happens next to a bot.
#[derive(Clone, Debug)]
enum Event {
    /// So many milliseconds pass, then a plan is made.
    Plan(i64),
    /// A hold is set at once.
    Hold,
    /// The hold ends after so many milliseconds, and what passed under it is recorded first.
    Resume(i64),
}

/// The ledger of one bot, checked as it grows.
struct Ledger<'a> {
    bot: BotName,
    schedule: &'a dyn Schedule,
    policy: &'a Policy,
    start: Instant,
    now: Instant,
    cursor: Option<Instant>,
    held: bool,
    slots: u64,
}

impl Ledger<'_> {
    fn due(&self, cursor: Instant) -> SlotsDue<'_> {
        SlotsDue {
            bot: &self.bot,
            schedule: self.schedule,
            policy: self.policy,
            cursor,
            now: self.now,
            ahead: AHEAD,
        }
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Plan(wait) => {
                self.now += TimeDelta::milliseconds(*wait);
                self.plan();
            }
            Event::Hold => self.held = true,
            Event::Resume(wait) => {
                self.now += TimeDelta::milliseconds(*wait);
                self.plan();
                self.held = false;
                self.plan();
            }
        }
    }

    fn plan(&mut self) {
        for _ in 0..10_000 {
            let Some(cursor) = self.cursor else { return };
            let plan = if self.held {
                self.due(cursor).plan_closed(PAUSED)
            } else {
                self.due(cursor).plan()
            };
            let Some(plan) = plan else { return };
            self.check(&plan, cursor);
            self.cursor = plan.next;
        }
        panic!("planning does not end");
    }

    fn check(&mut self, plan: &SlotPlan, cursor: Instant) {
        let mut expected = Some(cursor);
        for gap in &plan.gaps {
            assert_eq!(Some(gap.first), expected);
            assert_eq!(self.schedule.next_from(gap.last), Some(gap.last));
            assert_eq!(gap.slots, self.schedule.count(gap.first, gap.last));
            assert!(self.due(cursor).due(gap.last) <= self.now);
            self.check_reason(gap.gap, gap.first, gap.last);
            self.slots += gap.slots;
            expected = self.schedule.next_after(gap.last);
        }
        if let Some(claim) = plan.claim {
            assert_eq!(Some(claim.slot), expected);
            assert_eq!(claim.due, self.due(cursor).due(claim.slot));
            self.check_claim(claim.slot, claim.due, claim.catching_up);
            self.slots += 1;
            expected = self.schedule.next_after(claim.slot);
        }
        assert!(plan.claim.is_some() || !plan.gaps.is_empty());
        assert_eq!(plan.next, expected);
    }

    fn check_reason(&self, gap: Gap, first: Instant, last: Instant) {
        let window = self.now - TimeDelta::from_std(self.policy.catchup_window).unwrap();
        let due = |slot| self.due(self.start).due(slot);
        match gap {
            Gap::Window => assert!(!self.held && due(last) < window),
            Gap::Late => {
                assert!(!self.held && due(first) >= window);
                assert_ne!(self.policy.misfire, Misfire::FireAll);
            }
            reason => assert!(self.held && reason == PAUSED),
        }
    }

    fn check_claim(&self, slot: Instant, due: Instant, catching_up: bool) {
        assert!(!self.held);
        assert!(due <= self.now + TimeDelta::from_std(AHEAD).unwrap());
        let lateness = (self.now - due).to_std().unwrap_or_default();
        assert!(lateness <= self.policy.catchup_window);
        let next = self.schedule.next_after(slot);
        let newer = next.is_some_and(|next| self.due(self.start).due(next) <= self.now);
        match self.policy.misfire {
            Misfire::FireAll => assert_eq!(catching_up, newer),
            Misfire::FireOnceNow => assert!(!newer && !catching_up),
            Misfire::DoNothing => {
                assert!(!newer && !catching_up);
                assert!(lateness <= self.policy.misfire_threshold);
            }
        }
    }

    /// At any moment the ledger's sum is the number of slots before the cursor.
    fn check_sum(&self) {
        let before = match self.cursor {
            Some(cursor) => cursor - TimeDelta::microseconds(1),
            None => self.now + TimeDelta::days(1),
        };
        assert_eq!(self.slots, self.schedule.count(self.start, before));
        if let Some(cursor) = self.cursor {
            assert_eq!(self.schedule.next_from(cursor), Some(cursor));
        }
    }
}

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

/// Two days before both clock changes of Berlin are within reach of a few stalls.
fn start() -> Instant {
    "2026-03-27T10:00:00Z".parse().unwrap()
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
        kind in kinds(),
        policy in policies(),
        events in events(),
        bounds in (prop::option::of(0_i64..100_000), prop::option::of(100_000_i64..400_000)),
    ) {
        let (first, last) = (bounds.0, bounds.1);
        let spec = ScheduleSpec {
            kind,
            starts_at: first.map(|n| start() + TimeDelta::seconds(n)),
            ends_at: last.map(|n| start() + TimeDelta::seconds(n)),
        };
        let Ok(schedule) = spec.compile(start()) else { return Ok(()) };
        let mut ledger = Ledger {
            bot: BotName::parse("random").unwrap(),
            schedule: schedule.as_ref(),
            policy: &policy,
            start: start(),
            now: start(),
            cursor: schedule.next_from(start()),
            held: false,
            slots: 0,
        };
        for event in &events {
            ledger.happens(event);
            ledger.check_sum();
        }
    }

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
