//! Short words for what tests of the store say over and over.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::borrow::Cow;

use actor_server::{
    domain::{
        Instant,
        bot::BotName,
        outcome::{AttemptOutcome, Status},
        post::Message,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{Advance, Finish, NewPost, Replica, Start, Write, Written},
};
use chrono::{DateTime, TimeDelta};
use serde_json::json;

pub(crate) fn bot(name: &str) -> BotName {
    BotName::parse(name).unwrap()
}

/// A minute of a day in 2026; slots are at full minutes.
pub(crate) fn at(minute: i64) -> Instant {
    DateTime::from_timestamp(1_790_000_040, 0).unwrap() + TimeDelta::minutes(minute)
}

pub(crate) fn replica(id: &str) -> Replica {
    Replica {
        id: ReplicaId::new(id),
        address: String::new(),
        version: "0.1.0".into(),
        started_at: at(0),
    }
}

pub(crate) fn state(name: &str) -> BotState {
    BotState {
        bot: bot(name),
        actor_name: format!("Bot {name}"),
        schedule: Some("every minute".into()),
        anchor: at(0),
        next_run: Some(at(0)),
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: None,
        removed: false,
    }
}

pub(crate) fn register(name: &str) -> Write {
    Write::Register {
        expected: None,
        state: Box::new(state(name)),
        gaps: Vec::new(),
        at: at(0),
    }
}

/// Claims the slot at `minute` of a bot whose next slot it is.
pub(crate) fn claim(name: &str, minute: i64) -> Write {
    Write::Advance(Advance {
        bot: bot(name),
        expected_next: at(minute),
        expected_schedule: Some("every minute".into()),
        expected_hold: None,
        gaps: Vec::new(),
        claim: Some(at(minute)),
        alone: false,
        next: Some(at(minute + 1)),
    })
}

pub(crate) fn start(name: &str, execution: ExecutionId) -> Write {
    Write::Start(Start {
        execution,
        bot: bot(name),
        at: at(1),
        exclusive: true,
        scheduled: true,
        schedule: Some("every minute".into()),
        max_runs: None,
    })
}

pub(crate) fn finish(name: &str, execution: ExecutionId) -> Write {
    Write::Finish(Box::new(Finish {
        execution,
        bot: bot(name),
        started_at: at(1),
        completed_at: at(2),
        attempt: 1,
        outcome: AttemptOutcome {
            status: Status::Succeeded,
            gate: None::<Cow<'static, str>>,
            error: None,
            recoverable: false,
            hold: None,
            skills: Vec::new(),
        },
        metadata: json!({}),
        max_consecutive_failures: 5,
    }))
}

pub(crate) fn post(name: &str, execution: ExecutionId, body: &str) -> Write {
    Write::StorePost(NewPost {
        item: None,
        execution,
        bot: bot(name),
        position: 0,
        platform: "console".into(),
        destination: "stdout".into(),
        message: Message {
            body: body.into(),
            options: json!({}),
        },
        nonce: format!("{name}-{execution}"),
        started_at: at(1),
        at: at(1),
    })
}

/// The claim's row.
pub(crate) fn claimed(written: &Written) -> ExecutionId {
    match written {
        Written::Claimed(Some(id)) => *id,
        other => panic!("not claimed: {other:?}"),
    }
}
