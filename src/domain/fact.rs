//! What the store has just made true: every row of the ledger that came to its end, and every hold that was set or ended.
//!
//! The process whose transaction did it is told, and nobody else, so that whoever counts facts over all processes counts
//! each once.

use super::{Instant, bot::BotName, hold::Hold, outcome::Status};

/// One thing that a committed transaction has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A run has ended, or slots stand in the ledger that did not run.
    Accounted(Accounted),
    /// The bot has a hold that it did not have before, or one of another kind.
    HoldSet {
        /// Whose.
        bot: BotName,
        /// The hold.
        hold: Hold,
    },
    /// The bot's hold has ended.
    HoldCleared {
        /// Whose.
        bot: BotName,
    },
}

/// See [`Fact::Accounted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounted {
    /// Whose.
    pub bot: BotName,
    /// What the ledger calls it.
    pub status: Status,
    /// The `reason` column.
    pub reason: Option<String>,
    /// Slots that this accounts for: 0 for a run by hand or for an event, 1 for the run of a slot, and of a range only those
    /// that were not accounted for before.
    pub slots: u64,
    /// The first and the last of these slots.
    pub range: Option<(Instant, Instant)>,
    /// Whether it is a run (one that a gate ended included), and not slots that did not run.
    pub ran: bool,
}
