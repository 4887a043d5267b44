//! What changes about a bot only with its configuration: its schedule, compiled and in words.

use crate::domain::{
    Instant,
    schedule::{Schedule, ScheduleKind, ScheduleSpec},
    state::BotState,
};

use super::actor::ScheduleType;
use crate::domain::bot::Bot;

/// So many coming slots are shown.
const SLOTS: usize = 5;

/// A bot's schedule, ready to be asked.
pub struct Outline {
    schedule: Option<Box<dyn Schedule>>,
    max_runs: Option<u32>,
    /// `schedule_type`.
    pub kind: Option<ScheduleType>,
    /// The schedule in words, as `check` prints it.
    pub words: Option<String>,
    /// The zone of a cron expression.
    pub timezone: Option<&'static str>,
}

impl Outline {
    /// Of a bot whose grid starts at `anchor`.
    #[must_use]
    pub fn of(bot: &Bot, anchor: Instant) -> Self {
        let spec = bot.schedule.as_ref();
        Self {
            schedule: spec.and_then(|spec| spec.compile(anchor).ok()),
            max_runs: bot.policy.max_runs,
            kind: spec.map(|spec| ScheduleType::from(&spec.kind)),
            words: spec.map(ScheduleSpec::describe),
            timezone: spec.and_then(|spec| zone(&spec.kind)),
        }
    }

    /// The coming slots after `now`, the claimed one included, as many as the bot still runs.
    #[must_use]
    pub fn coming(&self, state: &BotState, claimed: Option<Instant>, now: Instant) -> Vec<Instant> {
        let Some(schedule) = self.schedule.as_deref().filter(|_| !state.removed) else {
            return Vec::new();
        };
        let left = self
            .max_runs
            .map_or(SLOTS, |most| most.saturating_sub(state.runs) as usize);
        let later = state
            .next_run
            .and_then(|next| schedule.next_from(next.max(now)));
        let after = std::iter::successors(later, |slot| schedule.next_after(*slot));
        let claimed = claimed.filter(|slot| *slot >= now);
        let all = claimed.into_iter().chain(after);
        all.take(left.min(SLOTS)).collect()
    }
}

fn zone(kind: &ScheduleKind) -> Option<&'static str> {
    match kind {
        ScheduleKind::Cron { timezone, .. } => Some(timezone.name()),
        ScheduleKind::Interval { .. } | ScheduleKind::Once { .. } | ScheduleKind::Immediate => None,
    }
}
