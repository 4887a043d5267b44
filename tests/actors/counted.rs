//! What a start settles before its actors are there is counted as well.

use std::path::Path;

use actor_server::{
    domain::{Instant, outcome::Status, run::ExecutionId, state::BotState},
    store::{self, Advance, LedgerRow, Start, Write, Written},
};
use chrono::{SubsecRound, TimeDelta};
use tempfile::tempdir;

use super::{
    bots::{every, name},
    stand::{Setting, Stand, replica},
    tally::Tally,
};

/// The state of a bot that was registered then.
fn registered(then: Instant, schedule: &str) -> BotState {
    BotState {
        bot: name("bot"),
        actor_name: "bot".into(),
        schedule: Some(schedule.into()),
        anchor: then,
        next_run: Some(then),
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: None,
        removed: false,
    }
}

/// Its registration, and the claim of its first slot.
fn claiming(then: Instant, schedule: &str) -> [Write; 2] {
    let registration = Write::Register {
        expected: None,
        state: Box::new(registered(then, schedule)),
        gaps: Vec::new(),
        at: then,
    };
    let claim = Write::Advance(Advance {
        bot: name("bot"),
        expected_next: then,
        expected_schedule: Some(schedule.into()),
        expected_hold: None,
        gaps: Vec::new(),
        claim: Some(then),
        alone: false,
        next: Some(then + TimeDelta::seconds(10)),
    });
    [registration, claim]
}

/// A process whose bot runs every ten seconds is at work on the slot of an hour ago, and dies.
async fn died_an_hour_ago(folder: &Path) -> ExecutionId {
    let me = replica();
    let then = me.started_at.trunc_subsecs(0) - TimeDelta::hours(1);
    let url = format!("sqlite://{}/bots.db", folder.display());
    let (_, store) = store::open(&url, &me).await.unwrap();
    let schedule = every(10, "bot", "succeed").schedule.unwrap().to_stored();
    let answers = store.write(&me.id, &claiming(then, &schedule)).await;
    let Written::Claimed(Some(execution)) = answers.unwrap()[1] else {
        panic!("no claim");
    };
    let started = Write::Start(Start {
        execution,
        bot: name("bot"),
        at: then,
        exclusive: true,
        scheduled: true,
        schedule: Some(schedule),
        max_runs: None,
    });
    store.write(&me.id, &[started]).await.unwrap();
    store.close().await;
    execution
}

#[actix_rt::test]
async fn what_a_start_finds_and_settles_is_counted() {
    let folder = tempdir().unwrap();
    let run = died_an_hour_ago(folder.path()).await;
    let mut bot = every(60, "bot", "succeed");
    bot.policy.recover_in_flight = false;
    let stand = Stand::on(folder.path(), Setting::of([bot])).await;
    let rows = stand.env.store.ledger(Some(&name("bot")), 10).await;
    let rows = rows.unwrap();
    let settled = |row: &LedgerRow| row.id == run && row.status == Status::Abandoned;
    assert!(rows.iter().any(settled), "{rows:?}");
    let owed: i64 = rows.iter().map(|row| row.slots).sum();
    assert!(owed >= 360, "{rows:?}");
    let mut told = Tally::default();
    told.add(stand.line.as_ref().unwrap().told());
    assert_eq!(told, Tally::of_ledger(&rows));
}
