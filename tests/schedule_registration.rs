//! What a start or a reload makes of the stored state: first registrations, restarts, edits, removals and holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::sync::Arc;

use actor_server::domain::{
    Instant,
    bot::{Behaviour, Bot, BotName, Target},
    hold::{Hold, HoldKind},
    outcome::Gap,
    policy::{OnResume, Policy},
    registration::{Registration, register, retire},
    schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
    slots::GapRange,
    state::BotState,
};

fn at(text: &str) -> Instant {
    format!("2026-06-{text}Z").parse().unwrap()
}

fn cron(expression: &str) -> ScheduleKind {
    ScheduleKind::Cron {
        expression: expression.into(),
        timezone: chrono_tz::UTC,
        dst_gap: DstGap::RunAfter,
        dst_fold: DstFold::First,
    }
}

fn spec(kind: ScheduleKind) -> ScheduleSpec {
    ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    }
}

fn bot(kind: ScheduleKind) -> Bot {
    Bot {
        name: BotName::parse("daily").unwrap(),
        enabled: true,
        quarantine: None,
        target: Target::default(),
        schedule: Some(spec(kind)),
        policy: Policy::default(),
        behaviour: Arc::new(Behaviour {
            title: "Daily".into(),
            ..Behaviour::default()
        }),
    }
}

fn every(seconds: u32) -> Bot {
    bot(ScheduleKind::Interval { seconds })
}

fn quarantined(bot: &Bot) -> Bot {
    Bot {
        quarantine: Some("no such skill".into()),
        ..bot.clone()
    }
}

fn first(bot: &Bot, now: &str) -> BotState {
    let registration = register(None, bot, at(now));
    assert!(registration.gaps.is_empty());
    registration.state
}

fn held(state: &BotState, kind: HoldKind, until: Option<&str>) -> BotState {
    let hold = Hold {
        until: until.map(at),
        ..Hold::by_server(kind, "because")
    };
    BotState {
        hold: Some(hold),
        ..state.clone()
    }
}

fn gap(first: &str, last: &str, slots: u64, gap: Gap) -> GapRange {
    GapRange {
        first: at(first),
        last: at(last),
        slots,
        gap,
    }
}

/// No slot of the old schedule is left out or counted twice, and the new one begins after the reload.
fn continues(old: &BotState, registration: &Registration, now: Instant) {
    let spec = ScheduleSpec::from_stored(old.schedule.as_deref().unwrap()).unwrap();
    let schedule = spec.compile(old.anchor).unwrap();
    let slots: u64 = registration.gaps.iter().map(|gap| gap.slots).sum();
    let from = old.next_run.unwrap_or(now + chrono::TimeDelta::seconds(1));
    assert_eq!(slots, schedule.count(from, now));
    assert!(registration.state.next_run.is_none_or(|next| next > now));
}

#[test]
fn a_new_cron_bot_begins_with_its_next_slot() {
    let state = first(&bot(cron("0 9 * * *")), "01T10:00:00");
    assert_eq!(state.next_run, Some(at("02T09:00:00")));
    let on_time = first(&bot(cron("0 9 * * *")), "01T09:00:00");
    assert_eq!(on_time.next_run, Some(at("01T09:00:00")));
}

#[test]
fn a_new_interval_or_immediate_bot_begins_at_once_on_the_second() {
    for bot in [every(60), bot(ScheduleKind::Immediate)] {
        let state = first(&bot, "01T10:00:00.789");
        assert_eq!(state.anchor, at("01T10:00:00"));
        assert_eq!(state.next_run, Some(at("01T10:00:00")));
    }
}

#[test]
fn a_new_one_time_bot_has_its_slot_even_if_it_is_past() {
    for time in ["01T09:00:00", "01T11:00:00"] {
        let once = bot(ScheduleKind::Once { at: at(time) });
        assert_eq!(first(&once, "01T10:00:00").next_run, Some(at(time)));
    }
}

#[test]
fn a_restart_changes_nothing_but_the_title() {
    let old = first(&every(60), "01T10:00:00.5");
    let renamed = Bot {
        behaviour: Arc::new(Behaviour {
            title: "Renamed".into(),
            ..Behaviour::default()
        }),
        ..every(60)
    };
    let again = register(Some(&old), &renamed, at("03T00:00:00"));
    assert!(again.gaps.is_empty());
    assert_eq!(
        again.state,
        BotState {
            actor_name: "Renamed".into(),
            ..old
        }
    );
}

#[test]
fn one_time_bots_do_not_run_again_after_a_restart_or_a_return() {
    for kind in [
        ScheduleKind::Immediate,
        ScheduleKind::Once {
            at: at("01T10:00:00"),
        },
    ] {
        let done = BotState {
            next_run: None,
            runs: 1,
            ..first(&bot(kind.clone()), "01T10:00:00")
        };
        let again = register(Some(&done), &bot(kind.clone()), at("01T10:00:00.5"));
        assert_eq!(again.state.next_run, None);
        let gone = retire(&done, at("01T11:00:00")).state;
        let back = register(Some(&gone), &bot(kind), at("02T10:00:00"));
        assert_eq!(back.state.next_run, None);
        assert!(!back.state.removed);
    }
}

#[test]
fn an_edit_accounts_for_the_old_schedule_up_to_it_and_begins_anew_after_it() {
    let old = first(&bot(cron("0 * * * *")), "01T10:00:00");
    let now = at("03T12:00:00");
    let edit = register(Some(&old), &bot(cron("*/30 * * * *")), now);
    assert_eq!(
        edit.gaps,
        [
            gap("01T10:00:00", "02T11:00:00", 26, Gap::Window),
            gap("02T12:00:00", "03T12:00:00", 25, Gap::Late)
        ]
    );
    assert_eq!(edit.state.next_run, Some(at("03T12:30:00")));
    continues(&old, &edit, now);
}

#[test]
fn an_edit_under_a_hold_accounts_by_its_reason_as_far_as_it_lasted() {
    let old = first(&bot(cron("0 * * * *")), "01T10:00:00");
    let now = at("01T15:30:00");
    let paused = held(&old, HoldKind::Manual, None);
    let edit = register(Some(&paused), &bot(cron("30 * * * *")), now);
    let reason = Gap::Held(HoldKind::Manual);
    assert_eq!(edit.gaps, [gap("01T10:00:00", "01T15:00:00", 6, reason)]);
    assert_eq!(edit.state.hold, paused.hold);
    assert_eq!(edit.state.next_run, Some(at("01T16:30:00")));
    let until = held(&old, HoldKind::Manual, Some("01T12:30:00"));
    let edit = register(Some(&until), &bot(cron("30 * * * *")), now);
    assert_eq!(
        edit.gaps,
        [
            gap("01T10:00:00", "01T12:00:00", 3, reason),
            gap("01T13:00:00", "01T15:00:00", 3, Gap::Late)
        ]
    );
    continues(&old, &edit, now);
}

#[test]
fn an_intervals_grid_moves_only_when_its_seconds_change() {
    let old = first(&every(3_600), "01T10:00:07.5");
    let bounded = |seconds| Bot {
        schedule: Some(ScheduleSpec {
            ends_at: Some(at("30T00:00:00")),
            ..spec(ScheduleKind::Interval { seconds })
        }),
        ..every(seconds)
    };
    let now = at("01T12:30:00.25");
    let kept = register(Some(&old), &bounded(3_600), now);
    assert_eq!(kept.state.anchor, old.anchor);
    assert_eq!(kept.state.next_run, Some(at("01T13:00:07")));
    continues(&old, &kept, now);
    let moved = register(Some(&old), &bounded(60), now);
    assert_eq!(moved.state.anchor, at("01T12:30:00"));
    assert_eq!(moved.state.next_run, Some(at("01T12:31:00")));
    continues(&old, &moved, now);
}

#[test]
fn a_bot_that_becomes_immediate_runs_after_the_reload() {
    let old = first(&bot(cron("0 * * * *")), "01T10:30:00");
    let now = at("01T11:00:00.5");
    let edit = register(Some(&old), &bot(ScheduleKind::Immediate), now);
    assert_eq!(edit.gaps, [gap("01T11:00:00", "01T11:00:00", 1, Gap::Late)]);
    assert_eq!(edit.state.next_run, Some(at("01T11:00:01")));
    let done = BotState {
        next_run: None,
        ..edit.state
    };
    let postponed = Bot {
        schedule: Some(ScheduleSpec {
            starts_at: Some(at("20T00:00:00")),
            ..spec(ScheduleKind::Immediate)
        }),
        ..bot(ScheduleKind::Immediate)
    };
    let again = register(Some(&done), &postponed, at("02T00:00:00"));
    assert_eq!(again.state.next_run, None, "one slot ever");
}

#[test]
fn a_removed_bot_closes_its_ledger_and_comes_back_without_the_slots_between() {
    let old = first(&every(3_600), "01T10:00:00");
    let gone = retire(&old, at("01T12:00:00"));
    assert_eq!(gone.gaps, [gap("01T10:00:00", "01T12:00:00", 3, Gap::Late)]);
    assert!(gone.state.removed);
    assert_eq!(gone.state.next_run, None);
    assert!(retire(&gone.state, at("01T18:00:00")).gaps.is_empty());
    for now in ["01T12:00:00", "01T20:15:00"] {
        let back = register(Some(&gone.state), &every(3_600), at(now));
        assert!(back.gaps.is_empty());
        assert_eq!(back.state.anchor, old.anchor);
        assert!(!back.state.removed);
        let next = back.state.next_run.unwrap();
        assert!(next > at(now) && next <= at(now) + chrono::TimeDelta::hours(1));
    }
    let edited = register(Some(&gone.state), &every(60), at("01T20:15:00"));
    assert!(edited.gaps.is_empty());
    assert_eq!(edited.state.next_run, Some(at("01T20:16:00")));
}

#[test]
fn a_file_clears_no_hold_but_its_own() {
    let old = first(&every(60), "01T10:00:00");
    for kind in HoldKind::ALL {
        let state = held(&old, kind, None);
        let good = register(Some(&state), &every(60), at("01T10:00:00")).state;
        let expected = (kind != HoldKind::Invalid).then_some(kind);
        assert_eq!(good.hold.map(|hold| hold.kind), expected);
        let bad = register(Some(&state), &quarantined(&every(60)), at("01T10:00:00")).state;
        assert_eq!(bad.hold.map(|hold| hold.kind), Some(kind));
    }
}

#[test]
fn slots_under_a_mended_file_are_recorded_as_invalid() {
    let broken = first(&quarantined(&every(3_600)), "01T10:00:00");
    assert_eq!(broken.hold.as_ref().unwrap().kind, HoldKind::Invalid);
    let mended = register(Some(&broken), &every(3_600), at("01T13:30:00"));
    let reason = Gap::Held(HoldKind::Invalid);
    assert_eq!(mended.gaps, [gap("01T10:00:00", "01T13:00:00", 4, reason)]);
    assert_eq!(mended.state.next_run, Some(at("01T14:00:00")));
    assert_eq!(mended.state.hold, None);
    let run_latest = Bot {
        policy: Policy {
            on_resume: OnResume::RunLatest,
            ..Policy::default()
        },
        ..every(3_600)
    };
    let mended = register(Some(&broken), &run_latest, at("01T13:30:00"));
    assert_eq!(mended.gaps, [gap("01T10:00:00", "01T12:00:00", 3, reason)]);
    assert_eq!(mended.state.next_run, Some(at("01T13:00:00")));
}

#[test]
fn a_schedule_that_cannot_be_read_leaves_the_stored_one_and_its_title() {
    let old = first(&every(3_600), "01T10:00:00");
    let unreadable = Bot {
        schedule: None,
        behaviour: Arc::default(),
        ..quarantined(&every(3_600))
    };
    let kept = register(Some(&old), &unreadable, at("01T12:00:00"));
    assert!(kept.gaps.is_empty());
    assert_eq!(
        (kept.state.schedule, kept.state.next_run),
        (old.schedule, old.next_run)
    );
    assert_eq!(kept.state.actor_name, "Daily");
    let never = first(&unreadable, "01T10:00:00");
    assert_eq!((never.schedule.as_ref(), never.next_run), (None, None));
    assert_eq!(never.actor_name, "daily");
    let once = bot(ScheduleKind::Once {
        at: at("01T11:00:00"),
    });
    let mended = register(Some(&never), &once, at("02T00:00:00"));
    assert_eq!(mended.state.next_run, Some(at("01T11:00:00")));
}

#[test]
fn max_runs_ends_a_bot_when_lowered_and_revives_it_when_raised() {
    let limited = |most| Bot {
        policy: Policy {
            max_runs: most,
            ..Policy::default()
        },
        ..every(3_600)
    };
    let ran = BotState {
        runs: 3,
        ..first(&limited(Some(9)), "01T10:00:00")
    };
    let ended = register(Some(&ran), &limited(Some(3)), at("01T12:30:00"));
    assert_eq!(ended.state.next_run, None);
    continues(&ran, &ended, at("01T12:30:00"));
    for more in [Some(4), None] {
        let revived = register(Some(&ended.state), &limited(more), at("01T15:30:00"));
        assert!(revived.gaps.is_empty());
        assert_eq!(revived.state.next_run, Some(at("01T16:00:00")));
    }
    let edited = Bot {
        schedule: every(60).schedule,
        ..limited(Some(3))
    };
    let still = register(Some(&ended.state), &edited, at("01T15:30:00"));
    assert_eq!(still.state.next_run, None);
}
