//! The channels that alerts go out by, and dead-man pings, against a server that answers as a test tells it to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

#[path = "../support/receiver.rs"]
mod receiver;

mod discord;
mod pagerduty;
mod pings;
mod troubles;
mod webhook;

use std::time::Duration;

use actor_server::{
    domain::{
        alert::{AlertKind, Notice, Severity, Stage},
        bot::BotName,
    },
    platforms::ops::NotDelivered,
};
use chrono::DateTime;

/// A bot that has failed three times.
fn notice() -> Notice {
    let at = |seconds: i64| DateTime::from_timestamp(1_772_366_400 + seconds, 0).unwrap();
    Notice {
        id: "failures/daily:1:raised:webhook".into(),
        incident: "failures/daily".into(),
        kind: AlertKind::Failures,
        stage: Stage::Raised,
        severity: Severity::Warning,
        bot: Some(BotName::parse("daily").unwrap()),
        title: "daily has failed 3 times in a row".into(),
        detail: "run 7 failed: the feed is gone\nrun 8 failed: the feed is gone".into(),
        since: at(0),
        at: at(60),
        runbook: Some("https://runbooks.example/failures.md".into()),
    }
}

fn at_stage(stage: Stage) -> Notice {
    Notice { stage, ..notice() }
}

fn test() -> Notice {
    Notice {
        kind: AlertKind::Test,
        incident: "test/1".into(),
        bot: None,
        ..notice()
    }
}

/// What commands a terminal, ends a string, a header, a line or a block of code, and is long.
fn hostile() -> Notice {
    let text =
        "\"}\r\nX-Evil: 1\r\n\r\n\0\x1b[31m```@everyone <@1> [a](https://evil) \u{202e}🦀e\u{301}";
    Notice {
        id: text.into(),
        incident: text.into(),
        title: text.repeat(10_000),
        detail: text.repeat(10_000),
        runbook: Some(text.into()),
        ..notice()
    }
}

/// Why it was put off, and for how long.
fn later(result: Result<(), NotDelivered>) -> (String, Option<Duration>) {
    match result {
        Err(NotDelivered::Later { reason, after }) => (reason, after),
        other => panic!("{other:?}"),
    }
}

/// Why it will not be taken.
fn never(result: Result<(), NotDelivered>) -> String {
    match result {
        Err(NotDelivered::Never(reason)) => reason,
        other => panic!("{other:?}"),
    }
}
