//! When a bot's slots are.
//!
//! Slots strictly increase in UTC, whatever a zone does to its clock. Fixed hours (`0 30 2 * * *`) mean once a day: what a
//! spring-forward skips runs right after it or not at all ([`DstGap`]), what an autumn change repeats runs at the
//! first showing, the second, or both ([`DstFold`]). Wildcard and stepped hours (`*`, `*/2`) follow real time. The same
//! holds for any other change of a zone's offset. Years from 1970 to 2100 have slots.
//!
//! A compiled schedule is a few words of bit sets beside the zone's offsets, which all schedules of a zone share; counting
//! the slots of years takes as long as counting those of a day.

mod bits;
mod calendar;
mod compile;
mod cron;
mod crontab;
mod days;
mod describe;
mod expression;
mod jitter;
mod simple;
mod times;
mod with_seconds;
mod zone;

use serde::{Deserialize, Serialize};

use super::Instant;
pub use jitter::jitter;

/// The slots of a bot: strictly increasing moments in UTC.
pub trait Schedule: Send + Sync {
    /// The first slot at or after `from`; `None` when there is none any more.
    fn next_from(&self, from: Instant) -> Option<Instant>;

    /// The last slot in `first..=last`.
    fn latest(&self, first: Instant, last: Instant) -> Option<Instant>;

    /// How many slots are in `first..=last`.
    fn count(&self, first: Instant, last: Instant) -> u64;

    /// The first slot after `slot`.
    fn next_after(&self, slot: Instant) -> Option<Instant> {
        self.next_from(slot.checked_add_signed(chrono::TimeDelta::microseconds(1))?)
    }
}

/// A schedule as configured, found good, and as stored beside the state that was computed by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// `[actors.schedule]`.
    pub kind: ScheduleKind,
    /// No slot is earlier (`starts_at`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Instant>,
    /// No slot is later (`ends_at`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Instant>,
}

/// `type` of `[actors.schedule]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ScheduleKind {
    /// By a cron expression in a time zone.
    Cron {
        /// 5, 6 or 7 fields, or an `@` shorthand.
        expression: String,
        /// An IANA zone.
        timezone: chrono_tz::Tz,
        /// What becomes of a fixed hour that a spring-forward skips.
        dst_gap: DstGap,
        /// What becomes of a fixed hour that an autumn change repeats.
        dst_fold: DstFold,
    },
    /// Every so many seconds from the anchor.
    Interval {
        /// At least 1.
        seconds: u32,
    },
    /// One slot ever.
    Once {
        /// When.
        at: Instant,
    },
    /// One slot ever, at first registration.
    Immediate,
}

/// `dst_gap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DstGap {
    /// At the first valid instant after the gap.
    #[default]
    RunAfter,
    /// Not at all that day.
    Skip,
}

/// `dst_fold`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DstFold {
    /// At the first of the two.
    #[default]
    First,
    /// At the second.
    Second,
    /// At both.
    Both,
}

impl ScheduleSpec {
    /// One line that is equal for equal schedules; the store keeps it beside `next_run`.
    #[must_use]
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`ScheduleSpec::to_stored`].
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
