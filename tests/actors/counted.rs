//! What a start settles before its actors are there is counted as well.

use std::path::Path;

use actor_server::{
    clock::Clock,
    domain::{
        outcome::Status,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{self, Advance, LedgerRow, Replica, Start, Write, Written},
};
use chrono::{SubsecRound, TimeDelta};
use tempfile::tempdir;

use super::{
    bots::{every, name},
    stand::{Setting, Stand},
    tally::Tally,
};

/// A process whose bot runs every ten seconds is at work on the slot of an hour ago, and dies.
async fn died_an_hour_ago(folder: &Path) -> ExecutionId {
    let now = Clock::process().now().trunc_subsecs(0);
    let then = now - TimeDelta::hours(1);
    let me = Replica {
        id: ReplicaId::new("dead"),
        address: String::new(),
        version: String::new(),
        started_at: then,
    };
    let url = format!("sqlite://{}/bots.db", folder.display());
    let (_, store) = store::open(&url, &me).await.unwrap();
    let schedule = every(10, "bot", "succeed").schedule.unwrap().to_stored();
    let state = BotState {
        bot: name("bot"),
        actor_name: "bot".into(),
        schedule: Some(schedule.clone()),
        anchor: then,
        next_run: Some(then),
        last_run: None,
        last_success: None,
        consecutive_failures: 0,
        runs: 0,
        hold: None,
        removed: false,
    };
    let registered = Write::Register {
        expected: None,
        state: Box::new(state),
        gaps: Vec::new(),
        at: then,
    };
    let claimed = Write::Advance(Advance {
        bot: name("bot"),
        expected_next: then,
        expected_schedule: Some(schedule.clone()),
        expected_hold: None,
        gaps: Vec::new(),
        claim: Some(then),
        alone: false,
        next: Some(then + TimeDelta::seconds(10)),
    });
    let answers = store.write(&me.id, &[registered, claimed]).await.unwrap();
    let Written::Claimed(Some(execution)) = answers[1] else {
        panic!("{answers:?}");
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
