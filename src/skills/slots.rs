//! The bot's slots, as a gate knows them.

use chrono::TimeDelta;

use super::RunContext;
use crate::domain::{
    Instant,
    schedule::{Schedule, ScheduleKind},
};

/// Gates ask for no slot that lies further back from now than this.
const FURTHEST_BACK: TimeDelta = TimeDelta::days(4);

/// The bot's slots around now. `None` if they are not known: the grid of an `Interval` is, only by a slot on it.
pub(super) fn slots(run: &RunContext<'_>) -> Option<Box<dyn Schedule>> {
    let spec = run.schedule?;
    let anchor = match spec.kind {
        ScheduleKind::Interval { seconds } => earlier(run.slot?, run.now, seconds)?,
        _ => run.slot.unwrap_or(run.now),
    };
    spec.compile(anchor).ok()
}

/// A moment on the grid of `slot` that lies far enough back.
fn earlier(slot: Instant, now: Instant, seconds: u32) -> Option<Instant> {
    let from = slot.min(now).checked_sub_signed(FURTHEST_BACK)?;
    let steps = (slot - from).num_seconds().div_euclid(seconds.into()) + 1;
    let back = steps.checked_mul(seconds.into())?;
    slot.checked_sub_signed(TimeDelta::try_seconds(back)?)
}
