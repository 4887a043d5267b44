//! A bot, as clients see it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{outline::Outline, time::Time};
use crate::{
    actors::messages::BotCard,
    domain::{
        Instant,
        hold::{Hold, HoldKind},
        policy::Overlap,
        run::ExecutionId,
        schedule::ScheduleKind,
    },
};

/// A bot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Actor {
    /// Its name, which is also its `task_id`.
    #[schema(example = "daily_poster")]
    pub name: String,
    /// The key of its rows in the database; the same as `name`.
    pub task_id: String,
    /// `actor.name` of its bot file, for people.
    pub title: String,
    /// `actor.description` of its bot file, for people.
    pub description: String,
    /// Whether it is switched on in the configuration.
    pub enabled: bool,
    /// Whether there is a hold.
    pub is_paused: bool,
    /// Failed runs in a row.
    pub consecutive_failures: u32,
    /// Start of the last run.
    pub last_run: Option<Time>,
    /// End of the last run that succeeded; null before the first.
    pub last_success: Option<Time>,
    /// The next slot; null when the bot is finished.
    pub next_run: Option<Time>,
    /// Null only for a bot whose schedule cannot be read.
    pub schedule_type: Option<ScheduleType>,
    /// The schedule in words.
    pub schedule: Option<String>,
    /// The zone of a cron expression.
    pub timezone: Option<&'static str>,
    /// Up to five coming slots, whether or not a hold will let them run.
    pub next_slots: Vec<Time>,
    /// Why the bot does not run; null while it does.
    pub hold: Option<HoldView>,
    /// Its runs at work in the process that answers.
    pub running: Vec<i64>,
    /// What happens to a slot while a run is on.
    pub overlap: OverlapRule,
    /// The Discord channel it posts to, in decimal; null for everything else.
    pub channel_id: Option<String>,
    /// Where its posts go: `console`, `discord`, `discord_webhook`, `webhook`, or a platform of the program's own.
    pub platform: String,
    /// Where on that platform: a channel, the name of a webhook, `stdout`.
    pub destination: String,
    /// Scheduled runs so far, counted against `max_runs`.
    pub runs: u32,
}

impl Actor {
    /// The bot at a moment.
    #[must_use]
    pub fn of(card: &BotCard, outline: &Outline, coming: &[Instant]) -> Self {
        let BotCard { bot, state, .. } = card;
        Self {
            name: bot.name.to_string(),
            task_id: bot.name.to_string(),
            title: bot.behaviour.title.clone(),
            description: bot.behaviour.description.clone(),
            enabled: bot.enabled,
            is_paused: state.hold.is_some(),
            consecutive_failures: state.consecutive_failures,
            last_run: state.last_run.map(Time),
            last_success: state.last_success.map(Time),
            next_run: next_run(card),
            schedule_type: outline.kind,
            schedule: outline.words.clone(),
            timezone: outline.timezone,
            next_slots: coming.iter().copied().map(Time).collect(),
            hold: state.hold.as_ref().map(HoldView::from),
            running: card.running.iter().map(|ExecutionId(id)| *id).collect(),
            overlap: bot.policy.overlap.into(),
            channel_id: bot.target.channel_id().map(|id| id.to_string()),
            platform: bot.target.platform().to_owned(),
            destination: bot.target.destination(),
            runs: state.runs,
        }
    }
}

/// A slot that is claimed ahead is the next run until it starts.
#[must_use]
pub fn next_run(card: &BotCard) -> Option<Time> {
    card.claimed.or(card.state.next_run).map(Time)
}

/// `type` of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub enum ScheduleType {
    /// By a cron expression.
    Cron,
    /// Every so many seconds.
    Interval,
    /// One slot ever.
    Once,
    /// One slot ever, at first registration.
    Immediate,
}

impl From<&ScheduleKind> for ScheduleType {
    fn from(kind: &ScheduleKind) -> Self {
        match kind {
            ScheduleKind::Cron { .. } => Self::Cron,
            ScheduleKind::Interval { .. } => Self::Interval,
            ScheduleKind::Once { .. } => Self::Once,
            ScheduleKind::Immediate => Self::Immediate,
        }
    }
}

/// What happens to a slot that falls due while a run of the same bot is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapRule {
    /// It is recorded, not run.
    Skip,
    /// The first one waits.
    BufferOne,
    /// The run on is cancelled.
    CancelOther,
    /// Both run.
    AllowAll,
}

impl From<Overlap> for OverlapRule {
    fn from(overlap: Overlap) -> Self {
        match overlap {
            Overlap::Skip => Self::Skip,
            Overlap::BufferOne => Self::BufferOne,
            Overlap::CancelOther => Self::CancelOther,
            Overlap::AllowAll => Self::AllowAll,
        }
    }
}

/// Why a bot does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    /// Who or what holds it.
    pub kind: HoldName,
    /// What happened, for people.
    pub reason: String,
    /// When a `manual` hold ends by itself.
    pub until: Option<Time>,
    /// Who set it: a token's subject, or `actor-server`.
    pub by: String,
}

impl From<&Hold> for HoldView {
    fn from(hold: &Hold) -> Self {
        Self {
            kind: hold.kind.into(),
            reason: hold.reason.clone(),
            until: hold.until.map(Time),
            by: hold.by.clone(),
        }
    }
}

/// The kinds of hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HoldKind)]
pub enum HoldName {
    /// An operator paused the bot.
    Manual,
    /// Too many failed runs in a row.
    Failures,
    /// The platform refuses the bot's channel.
    Refused,
    /// The bot's restart budget is spent.
    GivenUp,
    /// The bot's file is broken.
    Invalid,
}

impl From<HoldKind> for HoldName {
    fn from(kind: HoldKind) -> Self {
        match kind {
            HoldKind::Manual => Self::Manual,
            HoldKind::Failures => Self::Failures,
            HoldKind::Refused => Self::Refused,
            HoldKind::GivenUp => Self::GivenUp,
            HoldKind::Invalid => Self::Invalid,
        }
    }
}
