//! Schedules from a few words, and their slots as short texts.

use actor_server::domain::{
    Instant,
    schedule::{DstFold, DstGap, ScheduleKind, ScheduleSpec},
};

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn spec(
    expression: &str,
    zone: &str,
    dst_gap: DstGap,
    dst_fold: DstFold,
) -> ScheduleSpec {
    ScheduleSpec {
        kind: ScheduleKind::Cron {
            expression: expression.into(),
            timezone: zone.parse().unwrap(),
            dst_gap,
            dst_fold,
        },
        starts_at: None,
        ends_at: None,
    }
}

pub(crate) fn plain(expression: &str, zone: &str) -> ScheduleSpec {
    spec(expression, zone, DstGap::default(), DstFold::default())
}

pub(crate) fn error(expression: &str) -> String {
    match plain(expression, "UTC").compile(at("2026-01-01T00:00:00Z")) {
        Ok(_) => panic!("`{expression}` was taken"),
        Err(why) => why,
    }
}

/// The slots in `from..=to`, by stepping; the other questions must agree with them.
pub(crate) fn slots(spec: &ScheduleSpec, from: &str, to: &str) -> Vec<String> {
    let schedule = spec.compile(at("2026-01-01T00:00:00Z")).unwrap();
    let (from, to) = (at(from), at(to));
    let mut found = Vec::new();
    let mut next = schedule.next_from(from);
    while let Some(slot) = next.filter(|slot| *slot <= to) {
        found.push(slot);
        next = schedule.next_after(slot);
    }
    assert!(found.is_sorted_by(|a, b| a < b));
    assert_eq!(schedule.count(from, to), found.len() as u64);
    assert_eq!(schedule.latest(from, to), found.last().copied());
    found
        .iter()
        .map(|slot| slot.format("%m-%dT%H:%M:%S").to_string())
        .collect()
}

/// The slots of a day (or so) around a clock change.
pub(crate) fn changes(
    expression: &str,
    zone: &str,
    gap: DstGap,
    fold: DstFold,
    day: &str,
) -> Vec<String> {
    slots(
        &spec(expression, zone, gap, fold),
        &format!("{day}T00:00:00Z"),
        &format!("{day}T12:00:00Z"),
    )
}

/// Slots of the week from Sunday 2026-02-01 to Saturday 2026-02-07, as dates.
pub(crate) fn week(expression: &str) -> Vec<u32> {
    slots(
        &plain(expression, "UTC"),
        "2026-02-01T00:00:00Z",
        "2026-02-07T23:59:59Z",
    )
    .iter()
    .map(|slot| slot[3..5].parse().unwrap())
    .collect()
}
