//! Stored reasons why a bot does not run.

use super::Instant;

/// Why a bot does not run, until somebody or something ends it. A bot has at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which of the closed set.
    pub kind: HoldKind,
    /// For people: what happened.
    pub reason: String,
    /// When a `manual` hold ends by itself.
    pub until: Option<Instant>,
    /// Who set it: a token's subject, or `actor-server`.
    pub by: String,
}

impl Hold {
    /// A hold that the server sets by itself.
    #[must_use]
    pub fn by_server(kind: HoldKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            until: None,
            by: "actor-server".into(),
        }
    }

    /// Whether the hold's own end has come.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The kinds of hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldKind {
    /// An operator paused the bot.
    Manual,
    /// `max_consecutive_failures` failed runs in a row.
    Failures,
    /// The platform answered 403 or 404 for this bot's channel.
    Refused,
    /// The bot's actor spent its restart budget.
    GivenUp,
    /// The bot's file is broken; ends by itself when the file is good at a start or reload.
    Invalid,
}

impl HoldKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Manual,
        Self::Failures,
        Self::Refused,
        Self::GivenUp,
        Self::Invalid,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Failures => "failures",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
            Self::Invalid => "invalid",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
