//! The data of the events of a stream: one line of JSON each. Field names are a promise to clients.

use chrono::SecondsFormat;
use serde::Serialize;

use crate::{
    actors::news::{Happening, Told},
    domain::{Instant, hold::Hold},
};

/// RFC 3339, UTC, with `Z` and microseconds.
fn time(moment: Instant) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// One happening, with its time.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    at: String,
    #[serde(flatten)]
    fields: Fields<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    RunStarted {
        actor: &'a str,
        execution_id: i64,
        trigger: &'static str,
        scheduled_for: Option<String>,
    },
    RunEnded {
        actor: &'a str,
        execution_id: i64,
        status: &'static str,
        reason: Option<&'a str>,
        error: Option<&'a str>,
    },
    HoldSet {
        actor: &'a str,
        hold: HoldFields<'a>,
    },
    HoldCleared {
        actor: &'a str,
    },
    ActorRestarted {
        child: &'a str,
        reason: &'a str,
        given_up: bool,
    },
    BreakerChanged {
        dependency: &'a str,
        state: &'a str,
    },
}

#[derive(Debug, Serialize)]
struct HoldFields<'a> {
    kind: &'static str,
    reason: &'a str,
    until: Option<String>,
    by: &'a str,
}

impl<'a> Line<'a> {
    /// The line of a happening.
    #[must_use]
    pub fn of(told: &'a Told) -> Self {
        let (at, fields) = (time(told.at), Fields::of(&told.what));
        Self { at, fields }
    }
}

impl<'a> Fields<'a> {
    /// One arm for each kind.
    fn of(what: &'a Happening) -> Self {
        match what {
            Happening::RunStarted {
                bot,
                execution,
                trigger,
                scheduled_for,
            } => Self::RunStarted {
                actor: bot.as_str(),
                execution_id: execution.0,
                trigger: trigger.as_str(),
                scheduled_for: scheduled_for.map(time),
            },
            Happening::RunEnded {
                bot,
                execution,
                status,
                reason,
                error,
            } => Self::RunEnded {
                actor: bot.as_str(),
                execution_id: execution.0,
                status: status.as_str(),
                reason: reason.as_deref(),
                error: error.as_deref(),
            },
            Happening::HoldSet { bot, hold } => Self::HoldSet {
                actor: bot.as_str(),
                hold: HoldFields::of(hold),
            },
            Happening::HoldCleared { bot } => Self::HoldCleared {
                actor: bot.as_str(),
            },
            Happening::ActorRestarted {
                child,
                reason,
                given_up,
            } => Self::ActorRestarted {
                child,
                reason,
                given_up: *given_up,
            },
            Happening::BreakerChanged { dependency, state } => {
                Self::BreakerChanged { dependency, state }
            }
        }
    }
}

impl<'a> HoldFields<'a> {
    fn of(hold: &'a Hold) -> Self {
        Self {
            kind: hold.kind.as_str(),
            reason: &hold.reason,
            until: hold.until.map(time),
            by: &hold.by,
        }
    }
}

/// Why a stream does not go on where the client was, and what is to be done about it.
#[derive(Debug, Serialize)]
pub struct Interruption {
    at: String,
    reason: &'static str,
    detail: &'static str,
}

impl Interruption {
    /// Some events were missed for good; what follows is told from now on.
    #[must_use]
    pub fn gap(at: Instant, reason: &'static str) -> Self {
        let detail = "events before this one may be missing; read the lists again";
        Self {
            at: time(at),
            reason,
            detail,
        }
    }

    /// The client did not keep up, and the stream ends.
    #[must_use]
    pub fn dropped(at: Instant) -> Self {
        Self {
            at: time(at),
            reason: "too_slow",
            detail: "more events waited than are kept for one client; come back with Last-Event-ID",
        }
    }
}
