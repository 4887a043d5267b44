//! Bounds, intervals and single slots.

use actor_server::domain::schedule::{ScheduleKind, ScheduleSpec};

use crate::support::{at, plain, slots};

#[test]
fn bounds_include_their_ends_and_close_everything_else_out() {
    let bounded = ScheduleSpec {
        starts_at: Some(at("2026-02-02T09:00:00Z")),
        ends_at: Some(at("2026-02-04T09:00:00Z")),
        ..plain("0 9 * * *", "UTC")
    };
    assert_eq!(
        slots(&bounded, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ["02-02T09:00:00", "02-03T09:00:00", "02-04T09:00:00"]
    );
    assert!(slots(&bounded, "2026-02-05T00:00:00Z", "2026-03-01T00:00:00Z").is_empty());
    let backwards = ScheduleSpec {
        ends_at: Some(at("2026-02-01T00:00:00Z")),
        ..bounded.clone()
    };
    assert!(backwards.compile(at("2026-01-01T00:00:00Z")).is_err());
    let between = ScheduleSpec {
        starts_at: Some(at("2026-02-02T10:00:00Z")),
        ends_at: Some(at("2026-02-02T11:00:00Z")),
        ..bounded
    };
    assert!(between.compile(at("2026-01-01T00:00:00Z")).is_err());
}

fn kind(kind: ScheduleKind, starts_at: Option<&str>) -> ScheduleSpec {
    ScheduleSpec {
        kind,
        starts_at: starts_at.map(at),
        ends_at: None,
    }
}

#[test]
fn an_interval_keeps_its_grid_from_the_anchor_on() {
    let grid = kind(ScheduleKind::Interval { seconds: 7 }, None);
    assert_eq!(
        slots(&grid, "2025-12-31T00:00:00Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:00", "01-01T00:00:07", "01-01T00:00:14"]
    );
    assert_eq!(
        slots(&grid, "2026-01-01T00:00:07.000001Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:14"]
    );
    let later = kind(
        ScheduleKind::Interval { seconds: 7 },
        Some("2026-01-01T00:00:10Z"),
    );
    assert_eq!(
        slots(&later, "2025-12-31T00:00:00Z", "2026-01-01T00:00:20Z"),
        ["01-01T00:00:14"],
        "the grid stays on the anchor"
    );
    let never = kind(ScheduleKind::Interval { seconds: 0 }, None);
    assert!(never.compile(at("2026-01-01T00:00:00Z")).is_err());
}

#[test]
fn once_and_immediate_have_one_slot_ever() {
    let (long_ago, far) = ("2000-01-01T00:00:00Z", "2090-01-01T00:00:00Z");
    let once = ScheduleKind::Once {
        at: at("2026-05-05T05:05:05Z"),
    };
    assert_eq!(slots(&kind(once, None), long_ago, far), ["05-05T05:05:05"]);
    let immediate = |starts_at| kind(ScheduleKind::Immediate, starts_at);
    assert_eq!(slots(&immediate(None), long_ago, far), ["01-01T00:00:00"]);
    assert_eq!(
        slots(&immediate(Some("2026-03-03T03:03:03Z")), long_ago, far),
        ["03-03T03:03:03"]
    );
    assert_eq!(
        slots(&immediate(Some("2020-03-03T03:03:03Z")), long_ago, far),
        ["01-01T00:00:00"]
    );
}
