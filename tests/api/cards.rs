//! Bots as the actors know them, without any actor.

use std::sync::Arc;

use actor_server::{
    actors::messages::BotCard,
    domain::{
        Instant,
        bot::{Behaviour, Bot, BotName, Target},
        hold::{Hold, HoldKind},
        policy::Policy,
        schedule::{ScheduleKind, ScheduleSpec},
        state::BotState,
    },
};
use chrono::DateTime;

/// `2026-03-01T12:00:00Z`, and so many seconds.
pub(crate) fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_772_366_400 + seconds, 0).unwrap()
}

pub(crate) fn name(text: &str) -> BotName {
    BotName::parse(text).unwrap()
}

/// A bot that runs every minute.
pub(crate) fn bot(text: &str) -> Bot {
    Bot {
        name: name(text),
        enabled: true,
        quarantine: None,
        target: Target::default(),
        schedule: Some(ScheduleSpec {
            kind: ScheduleKind::Interval { seconds: 60 },
            starts_at: None,
            ends_at: None,
        }),
        policy: Policy::default(),
        behaviour: Arc::new(Behaviour {
            title: format!("The {text}"),
            description: "Says \"hello\" <b>".into(),
            ..Behaviour::default()
        }),
    }
}

/// The bot, registered at noon, with its first minutes behind it.
pub(crate) fn card(bot: Bot) -> BotCard {
    let state = BotState {
        bot: bot.name.clone(),
        actor_name: bot.behaviour.title.clone(),
        schedule: bot.schedule.as_ref().map(ScheduleSpec::to_stored),
        anchor: at(0),
        next_run: Some(at(180)),
        last_run: Some(at(120)),
        last_success: None,
        consecutive_failures: 2,
        runs: 3,
        hold: None,
        removed: false,
    };
    BotCard {
        bot: Arc::new(bot),
        state,
        claimed: None,
        running: Vec::new(),
    }
}

pub(crate) fn held(mut card: BotCard, kind: HoldKind) -> BotCard {
    card.state.hold = Some(Hold {
        kind,
        reason: "because".into(),
        until: Some(at(600)),
        by: "ann".into(),
    });
    card
}
