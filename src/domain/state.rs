//! What is stored of a bot between runs (`actor_server_state`).

use super::{Instant, bot::BotName, hold::Hold};

/// The stored state of one bot.
#[derive(Clone, Debug, PartialEq)]
pub struct BotState {
    /// `task_id`.
    pub bot: BotName,
    /// The title that people see.
    pub actor_name: String,
    /// The schedule that `next_run` was computed by, as [`ScheduleSpec::to_stored`](super::schedule::ScheduleSpec::to_stored)
    /// writes it. A claim made by another schedule is void.
    pub schedule: Option<String>,
    /// The moment of first registration, truncated to the second; an interval's grid starts there.
    pub anchor: Instant,
    /// The first slot that the ledger does not account for yet; `None` when the bot is finished or removed.
    pub next_run: Option<Instant>,
    /// Start of the last run.
    pub last_run: Option<Instant>,
    /// End of the newest run that succeeded; neither a dry run nor one that a gate ended is one.
    pub last_success: Option<Instant>,
    /// Failed runs in a row.
    pub consecutive_failures: u32,
    /// Scheduled runs that started, counted against `max_runs`.
    pub runs: u32,
    /// Why it does not run.
    pub hold: Option<Hold>,
    /// Whether the configuration has dropped it.
    pub removed: bool,
}
