//! What the store has just made true: every row of the ledger that came to its end, and every hold that was set or ended.
//!
//! The process whose transaction did it is told, and nobody else, so that whoever counts facts over all processes counts
//! each once.

use super::{
    Instant,
    bot::BotName,
    hold::{Hold, HoldKind},
    outcome::{Gap, Status},
    slots::GapRange,
};

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

impl Fact {
    /// A run has ended; `slot` is `None` for one by hand or by an event.
    #[must_use]
    pub fn ran(bot: &BotName, slot: Option<Instant>, status: Status, reason: Option<&str>) -> Self {
        Self::Accounted(Accounted {
            bot: bot.clone(),
            status,
            reason: reason.map(str::to_owned),
            slots: u64::from(slot.is_some()),
            range: slot.map(|slot| (slot, slot)),
            ran: true,
        })
    }

    /// These slots stand in the ledger now, and did not run.
    #[must_use]
    pub fn passed_over(bot: &BotName, range: &GapRange) -> Self {
        Self::did_not_run(bot, range.gap, range.slots, Some((range.first, range.last)))
    }

    /// A trigger that was declined.
    #[must_use]
    pub fn declined(bot: &BotName, gap: Gap) -> Self {
        Self::did_not_run(bot, gap, 0, None)
    }

    fn did_not_run(bot: &BotName, gap: Gap, slots: u64, range: Option<(Instant, Instant)>) -> Self {
        Self::Accounted(Accounted {
            bot: bot.clone(),
            status: gap.status(),
            reason: Some(gap.reason().to_owned()),
            slots,
            range,
            ran: false,
        })
    }

    /// What a change of the stored hold from one of kind `before` to `now` is; nothing if the kind stays.
    #[must_use]
    pub fn of_hold(bot: &BotName, before: Option<HoldKind>, now: Option<&Hold>) -> Option<Self> {
        if before == now.map(|hold| hold.kind) {
            return None;
        }
        let bot = bot.clone();
        Some(match now.cloned() {
            Some(hold) => Self::HoldSet { bot, hold },
            None => Self::HoldCleared { bot },
        })
    }
}
