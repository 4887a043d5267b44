//! What incidents are raised by, with what is known of it.

use super::{AlertKind, Severity};
use crate::domain::{
    Instant,
    bot::BotName,
    hold::{Hold, HoldKind},
    outcome::Status,
    run::ExecutionId,
};

/// What an incident is about: one of the three, by the name that its key has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A bot.
    Bot(BotName),
    /// An actor of the core.
    Actor(String),
    /// What is depended on: `discord`, `discord:1234567890`.
    Dependency(String),
}

impl Subject {
    /// The bot, if it is one.
    #[must_use]
    pub const fn bot(&self) -> Option<&BotName> {
        match self {
            Self::Bot(bot) => Some(bot),
            Self::Actor(_) | Self::Dependency(_) => None,
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bot(bot) => bot.as_str(),
            Self::Actor(name) | Self::Dependency(name) => name,
        }
    }

    /// The key of an incident of this kind about it.
    #[must_use]
    pub fn key(&self, kind: AlertKind) -> String {
        format!("{}/{}", kind.as_str(), self.as_str())
    }
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A run has failed.
    Failures {
        /// Failed runs in a row, this one included.
        in_a_row: u32,
        /// How it ended, if that is known.
        last: Option<LastRun>,
    },
    /// A bot does not run until its hold ends.
    Held {
        /// Which.
        kind: HoldKind,
        /// What happened.
        reason: String,
    },
    /// An actor's restart budget is spent.
    GivenUp {
        /// Why it died last.
        reason: String,
    },
    /// Slots did not run because it was too late.
    Missed {
        /// How many.
        slots: u64,
        /// The first of them.
        first: Instant,
        /// The last of them.
        last: Instant,
    },
    /// Nothing was done about a slot.
    Stalled {
        /// The slot.
        slot: Instant,
    },
    /// A bot's next run is noted for later than its schedule says.
    PassedOver {
        /// The first slot that will not run.
        slot: Instant,
        /// When it is to run.
        next: Instant,
    },
    /// A breaker is open.
    BreakerOpen,
    /// Posts whose attempts are spent.
    DeadPosts {
        /// How many.
        posts: u64,
        /// The newest of them.
        newest: i64,
        /// What its last attempt ended with.
        error: Option<String>,
    },
}

/// How a failed run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Which.
    pub execution: ExecutionId,
    /// How.
    pub status: Status,
    /// What went wrong.
    pub error: Option<String>,
}

impl Cause {
    /// The incident that a hold is, if it is one: nobody needs to be told of what an operator has done.
    #[must_use]
    pub fn of_hold(hold: &Hold) -> Option<Self> {
        let reason = hold.reason.clone();
        match hold.kind {
            HoldKind::Manual => None,
            HoldKind::GivenUp => Some(Self::GivenUp { reason }),
            kind @ (HoldKind::Failures | HoldKind::Refused | HoldKind::Invalid) => {
                Some(Self::Held { kind, reason })
            }
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> AlertKind {
        match self {
            Self::Failures { .. } => AlertKind::Failures,
            Self::Held { .. } => AlertKind::Held,
            Self::GivenUp { .. } => AlertKind::GivenUp,
            Self::Missed { .. } => AlertKind::Missed,
            Self::Stalled { .. } | Self::PassedOver { .. } => AlertKind::Stalled,
            Self::BreakerOpen => AlertKind::BreakerOpen,
            Self::DeadPosts { .. } => AlertKind::DeadPosts,
        }
    }

    /// How bad it is: what does not run by itself any more is an error, what tries again is a warning.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::GivenUp { .. } => Severity::Critical,
            Self::Held { .. }
            | Self::Stalled { .. }
            | Self::PassedOver { .. }
            | Self::DeadPosts { .. } => Severity::Error,
            Self::Failures { .. } | Self::Missed { .. } | Self::BreakerOpen => Severity::Warning,
        }
    }

    /// The same happening twice before anybody has looked: the earlier one with what the later one adds.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        match (self, later) {
            (
                Self::Missed { slots, first, last },
                Self::Missed {
                    slots: more,
                    first: from,
                    last: to,
                },
            ) => Self::Missed {
                slots: slots.saturating_add(more),
                first: first.min(from),
                last: last.max(to),
            },
            (_, later) => later,
        }
    }
}
