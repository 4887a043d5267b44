//! Bots that misbehave in every way, beside bots that do not.

use std::time::Duration;

use actor_server::domain::outcome::{SkillStatus, Status};
use chrono::TimeDelta;
use tempfile::tempdir;

use super::{
    bots::{bot, every, with},
    server::Server,
    stand::Setting,
};

const SECOND: Duration = Duration::from_secs(1);

#[actix_rt::test]
async fn bots_that_panic_block_hang_and_fail_leave_all_others_on_time() {
    let folder = tempdir().unwrap();
    let bad = ["panic", "block", "hang", "fail"].map(|deed| {
        let bad = every(1, &format!("bad_{deed}"), deed);
        with(bad, |policy| policy.timeout = SECOND / 2)
    });
    let good = [1, 2, 3].map(|n| every(2, &format!("good_{n}"), "succeed"));
    let server = Server::start(folder.path(), Setting::of(bad.into_iter().chain(good))).await;
    for n in 1..=3 {
        let rows = server
            .runs(&format!("good_{n}"), 3, Status::Succeeded)
            .await;
        // The first slot is the moment of registration, truncated: it is always a little late.
        for row in &rows[1..] {
            let late = row.started_at.unwrap() - row.scheduled_for.unwrap();
            assert!(late < TimeDelta::seconds(1), "late by {late}");
        }
        let missed = server.ledger(&format!("good_{n}")).await;
        assert!(missed.iter().all(|row| row.status != Status::Missed));
    }
    for (deed, status) in [
        ("panic", Status::Panicked),
        ("block", Status::TimedOut),
        ("hang", Status::TimedOut),
        ("fail", Status::Failed),
    ] {
        server.runs(&format!("bad_{deed}"), 2, status).await;
    }
    assert_eq!(server.stop(SECOND).await.unstored, 0);
}

#[actix_rt::test]
async fn a_panic_of_a_skill_is_an_outcome_with_its_text_and_no_death() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "panic")])).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::Panicked).await;
    assert_eq!(row.success, Some(false));
    assert!(row.error.unwrap().contains("a skill lost its head"));
    let again = server.trigger("bot").await.unwrap();
    server.run("bot", again, Status::Panicked).await;
    let report = server.roster.report().into_iter();
    assert!(report.map(|one| one.restarts).all(|restarts| restarts == 0));
}

#[actix_rt::test]
async fn a_run_that_fails_twice_and_then_succeeds_is_one_row_with_three_attempts() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "fickle")])).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::Succeeded).await;
    assert_eq!((row.attempt, row.success, row.error), (3, Some(true), None));
    let earlier = row.metadata["attempts"].as_array().unwrap();
    assert_eq!(earlier.len(), 2);
    assert_eq!(earlier[0]["error"], "fickle: no luck yet");
    assert_eq!(row.metadata["input"]["note"], "by hand");
    assert_eq!(server.ledger("bot").await.len(), 1);
    assert_eq!(server.state("bot").await.consecutive_failures, 0);
}

#[actix_rt::test]
async fn a_run_that_has_spent_its_attempts_has_failed_once() {
    let folder = tempdir().unwrap();
    let fickle = with(bot("bot", "fickle"), |policy| policy.retry.max_attempts = 2);
    let server = Server::start(folder.path(), Setting::of([fickle])).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::Failed).await;
    assert_eq!((row.attempt, row.skills), (2, [0, 1, 0]));
    assert_eq!(server.state("bot").await.consecutive_failures, 1);
}

#[actix_rt::test]
async fn a_skill_that_never_yields_is_left_behind_at_the_timeout_and_named() {
    let folder = tempdir().unwrap();
    let block = with(bot("bot", "block"), |policy| {
        policy.timeout = SECOND / 5;
        policy.retry.max_attempts = 2;
    });
    let server = Server::start(folder.path(), Setting::of([block])).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::TimedOut).await;
    assert_eq!((row.attempt, row.skills), (2, [0, 1, 0]));
    assert_eq!(row.metadata["skills"][0]["skill"], "block");
    let status = serde_json::to_value(SkillStatus::Failed).unwrap();
    assert_eq!(row.metadata["skills"][0]["status"], status);
}

#[actix_rt::test]
async fn more_blocking_runs_than_places_do_not_stop_the_server_for_ever() {
    let folder = tempdir().unwrap();
    let block = |n| {
        let bot = every(1, &format!("block_{n}"), "block");
        with(bot, |policy| {
            policy.timeout = SECOND / 2;
            policy.retry.max_attempts = 1;
        })
    };
    let mut setting = Setting::of((0..6).map(block).chain([every(1, "good", "succeed")]));
    setting.rules.max_parallel_tasks = 2;
    let server = Server::start(folder.path(), setting).await;
    server.runs("good", 2, Status::Succeeded).await;
    for n in 0..6 {
        server
            .runs(&format!("block_{n}"), 1, Status::TimedOut)
            .await;
    }
    assert_eq!(server.stop(SECOND * 3).await.unstored, 0);
}

#[actix_rt::test]
async fn so_many_failed_runs_in_a_row_hold_the_bot_and_its_slots_say_so() {
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "fail")]);
    setting.max_consecutive_failures = 2;
    let server = Server::start(folder.path(), setting).await;
    let failures = |row: &actor_server::store::LedgerRow| {
        (row.status, row.reason.as_deref()) == (Status::Skipped, Some("failures"))
    };
    server.row("bot", "a slot under the hold", failures).await;
    let rows = server.ledger("bot").await;
    let failed = rows.iter().filter(|row| row.status == Status::Failed);
    assert_eq!(failed.count(), 2);
    let state = server.state("bot").await;
    assert_eq!(state.consecutive_failures, 2);
    assert_eq!(state.hold.unwrap().kind.as_str(), "failures");
    let resumed = server.resume("bot").await.unwrap();
    assert_eq!((resumed.hold, resumed.consecutive_failures), (None, 0));
    server.runs("bot", 4, Status::Failed).await;
}
