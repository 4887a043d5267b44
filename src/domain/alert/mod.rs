//! Alerts: what is told to the people who run the server, and when.
//!
//! An *incident* is one thing that is wrong, with a key; it is raised once, repeated as a reminder while it lasts, and
//! recovers. A *notice* is what one channel is told about one step of it.

mod again;
mod cause;
mod course;
mod delivery;
mod flood;
mod incident;
mod rules;
mod signs;
mod watch;
mod words;

pub use self::{
    again::next_attempt,
    cause::{Cause, LastRun, Subject},
    course::{CALM, End, Ground, Step, begins, ends, goes_by, test_notice},
    delivery::{Delivery, DeliveryStatus},
    flood::{Due, Next, Outbox, digest},
    incident::{Incident, Memory},
    rules::{AlertRules, BotAlerts, BotPattern, ChannelRules, PingUrl},
    signs::{News, Sign, Signs},
    watch::{Seen, passed_over},
};
use super::{Instant, bot::BotName};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// Runs of a bot failed, so many in a row.
    Failures,
    /// A bot is held by the server (`failures`, `refused`, `invalid`).
    Held,
    /// Slots of a bot were missed.
    Missed,
    /// An actor's restart budget is spent.
    GivenUp,
    /// A bot's next slot is long past, and nothing was done about it.
    Stalled,
    /// The circuit breaker of a downstream is open.
    BreakerOpen,
    /// Posts of a bot were given up, and nobody has sent them again.
    DeadPosts,
    /// Several notices in one, because a channel has been sent too many within an hour.
    Digest,
    /// Nothing: somebody wants to see whether alerts arrive.
    Test,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Failures,
        Self::Held,
        Self::Missed,
        Self::GivenUp,
        Self::Stalled,
        Self::BreakerOpen,
        Self::DeadPosts,
        Self::Digest,
        Self::Test,
    ];

    /// The kinds that incidents have.
    pub const RAISED: [Self; 7] = [
        Self::Failures,
        Self::Held,
        Self::Missed,
        Self::GivenUp,
        Self::Stalled,
        Self::BreakerOpen,
        Self::DeadPosts,
    ];

    /// The word that configuration, storage and channels use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Held => "held",
            Self::Missed => "missed",
            Self::GivenUp => "given_up",
            Self::Stalled => "stalled",
            Self::BreakerOpen => "breaker_open",
            Self::DeadPosts => "dead_posts",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Which step of an incident a notice tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has begun.
    Raised,
    /// It still lasts.
    Reminder,
    /// It is over.
    Recovered,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 3] = [Self::Raised, Self::Reminder, Self::Recovered];

    /// The word that storage and channels use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// How bad it is, in the words of PagerDuty's Events API v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look today.
    Warning,
    /// Something does not do its work.
    Error,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// All values, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word that storage and channels use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What one channel is told about one step of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Unique for this step on this channel, and the same in every attempt to deliver it.
    pub id: String,
    /// The incident, such as `failures/daily_poster`; the same from its beginning to its end.
    pub incident: String,
    /// What is wrong.
    pub kind: AlertKind,
    /// Which step.
    pub stage: Stage,
    /// How bad it is.
    pub severity: Severity,
    /// Which bot, if it is about one.
    pub bot: Option<BotName>,
    /// One line.
    pub title: String,
    /// What is known: bounded, of several lines perhaps; may come from outside, so each channel escapes it.
    pub detail: String,
    /// When the incident began.
    pub since: Instant,
    /// When this step was.
    pub at: Instant,
    /// The page that says what to do.
    pub runbook: Option<String>,
}
