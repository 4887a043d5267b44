//! What can happen, and by which name listeners know it.

use crate::domain::{
    Instant,
    bot::BotName,
    hold::Hold,
    outcome::Status,
    run::{ExecutionId, Trigger},
    text::bounded,
};

/// The longest error or reason that is passed on, in characters; the ledger has all of it.
const LONGEST_TEXT: usize = 2000;

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
    /// A run has ended, and the store has taken its end.
    RunEnded {
        /// Whose.
        bot: BotName,
        /// Which.
        execution: ExecutionId,
        /// How.
        status: Status,
        /// The gate that said no.
        reason: Option<String>,
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

/// The kinds of happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Happening::RunStarted`].
    RunStarted,
    /// [`Happening::RunEnded`].
    RunEnded,
    /// [`Happening::HoldSet`].
    HoldSet,
    /// [`Happening::HoldCleared`].
    HoldCleared,
    /// [`Happening::ActorRestarted`].
    ActorRestarted,
    /// [`Happening::BreakerChanged`].
    BreakerChanged,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::RunStarted,
        Self::RunEnded,
        Self::HoldSet,
        Self::HoldCleared,
        Self::ActorRestarted,
        Self::BreakerChanged,
    ];

    /// The name that listeners know it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run_started",
            Self::RunEnded => "run_ended",
            Self::HoldSet => "hold_set",
            Self::HoldCleared => "hold_cleared",
            Self::ActorRestarted => "actor_restarted",
            Self::BreakerChanged => "breaker_changed",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Happening {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::RunStarted { .. } => Kind::RunStarted,
            Self::RunEnded { .. } => Kind::RunEnded,
            Self::HoldSet { .. } => Kind::HoldSet,
            Self::HoldCleared { .. } => Kind::HoldCleared,
            Self::ActorRestarted { .. } => Kind::ActorRestarted,
            Self::BreakerChanged { .. } => Kind::BreakerChanged,
        }
    }

    /// The bot that it is about, if it is about one.
    #[must_use]
    pub fn bot(&self) -> Option<&str> {
        match self {
            Self::RunStarted { bot, .. }
            | Self::RunEnded { bot, .. }
            | Self::HoldSet { bot, .. }
            | Self::HoldCleared { bot } => Some(bot.as_str()),
            Self::ActorRestarted { child, .. } => child.strip_prefix("task/"),
            Self::BreakerChanged { .. } => None,
        }
    }

    /// The same, with texts of a bounded length.
    pub(super) fn bounded(mut self) -> Self {
        match &mut self {
            Self::RunEnded {
                error: Some(text), ..
            }
            | Self::ActorRestarted { reason: text, .. } => cut(text),
            Self::HoldSet { hold, .. } => cut(&mut hold.reason),
            _ => {}
        }
        self
    }

    /// Roughly how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let texts = match self {
            Self::RunEnded { reason, error, .. } => length(reason) + length(error),
            Self::HoldSet { hold, .. } => hold.reason.len() + hold.by.len(),
            Self::ActorRestarted { child, reason, .. } => child.len() + reason.len(),
            Self::BreakerChanged { dependency, state } => dependency.len() + state.len(),
            Self::RunStarted { .. } | Self::HoldCleared { .. } => 0,
        };
        size_of::<Self>() + texts
    }
}

fn cut(text: &mut String) {
    if text.len() > LONGEST_TEXT {
        *text = bounded(text, LONGEST_TEXT);
    }
}
