//! What operators do to bots: cancel, trigger, pause, resume.

use std::time::Duration;

use actor_server::{
    actors::{
        messages::{ControlError, Ping, Unresponsive},
        supervision::Child,
    },
    domain::{
        hold::HoldKind,
        outcome::Status,
        policy::{OnResume, Overlap},
        run::{ExecutionId, Trigger},
    },
    store::LedgerRow,
    telemetry::metrics::ActorType,
};
use chrono::TimeDelta;
use tempfile::tempdir;

use super::{
    bots::{bot, every, name, with},
    server::Server,
    stand::{Setting, eventually},
};

const GRACE: Duration = Duration::from_secs(2);

async fn one(deed: &str) -> (tempfile::TempDir, Server) {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", deed)])).await;
    (folder, server)
}

fn paused(row: &LedgerRow) -> bool {
    (row.status, row.reason.as_deref()) == (Status::Skipped, Some("paused"))
}

#[actix_rt::test]
async fn a_cancelled_run_ends_as_cancelled_and_is_no_failure() {
    for deed in ["hang", "block"] {
        let (_folder, server) = one(deed).await;
        let run = server.trigger("bot").await.unwrap();
        server.run("bot", run, Status::Running).await;
        server.cancel(run).await.unwrap();
        let row = server.run("bot", run, Status::Cancelled).await;
        assert_eq!((row.trigger, row.success), (Trigger::Manual, Some(false)));
        let state = server.state("bot").await;
        assert_eq!((state.consecutive_failures, state.hold), (0, None));
        let again = server.cancel(run).await;
        assert_eq!(again, Err(ControlError::NotRunning(run)));
    }
}

#[actix_rt::test]
async fn a_cancel_between_two_attempts_ends_the_run() {
    let folder = tempdir().unwrap();
    let patient = with(bot("bot", "fickle"), |policy| {
        policy.retry.initial_backoff = Duration::from_secs(60);
    });
    let server = Server::start(folder.path(), Setting::of([patient])).await;
    let run = server.trigger("bot").await.unwrap();
    let waits = |row: &LedgerRow| row.attempt == 2;
    server
        .row("bot", "waits for its second attempt", waits)
        .await;
    server.cancel(run).await.unwrap();
    server.run("bot", run, Status::Cancelled).await;
    assert_eq!(server.state("bot").await.consecutive_failures, 0);
}

#[actix_rt::test]
async fn what_is_not_there_cannot_be_cancelled_triggered_paused_or_resumed() {
    let (_folder, server) = one("succeed").await;
    let run = ExecutionId(12345);
    let unknown = ControlError::UnknownBot(name("nobody"));
    assert_eq!(server.cancel(run).await, Err(ControlError::UnknownRun(run)));
    assert_eq!(server.trigger("nobody").await, Err(unknown.clone()));
    assert_eq!(server.pause("nobody", None).await, Err(unknown.clone()));
    assert_eq!(server.resume("nobody").await, Err(unknown));
}

#[actix_rt::test]
async fn a_trigger_is_refused_while_a_run_is_on_unless_overlap_allows_it() {
    for (overlap, allowed) in [(Overlap::Skip, false), (Overlap::AllowAll, true)] {
        let folder = tempdir().unwrap();
        let bot = with(bot("bot", "hang"), |policy| policy.overlap = overlap);
        let server = Server::start(folder.path(), Setting::of([bot])).await;
        let first = server.trigger("bot").await.unwrap();
        match server.trigger("bot").await {
            Ok(second) => assert!(allowed && second != first, "{overlap:?}"),
            Err(error) => {
                assert_eq!(error, ControlError::Busy(name("bot")));
                assert!(!allowed, "{overlap:?}");
            }
        }
        server.run("bot", first, Status::Running).await;
        let rows = if allowed { 2 } else { 1 };
        assert_eq!(server.ledger("bot").await.len(), rows);
    }
}

#[actix_rt::test]
async fn triggers_that_come_at_once_start_one_run() {
    let (_folder, server) = one("hang").await;
    let many = (0..20).map(|_| server.trigger("bot"));
    let answers = futures::future::join_all(many).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(server.ledger("bot").await.len(), 1);
}

#[actix_rt::test]
async fn a_trigger_works_under_a_hold_and_leaves_it_standing() {
    let (_folder, server) = one("succeed").await;
    server.pause("bot", None).await.unwrap();
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Succeeded).await;
    let hold = server.state("bot").await.hold.unwrap();
    assert_eq!(hold.kind, HoldKind::Manual);
}

#[actix_rt::test]
async fn pause_and_resume_may_be_said_twice() {
    let (_folder, server) = one("succeed").await;
    let first = server.pause("bot", None).await.unwrap();
    let second = server.pause("bot", None).await.unwrap();
    assert!(first.hold.is_some() && first == second);
    let first = server.resume("bot").await.unwrap();
    let second = server.resume("bot").await.unwrap();
    assert!(first.hold.is_none() && first == second);
}

#[actix_rt::test]
async fn a_paused_bot_stays_paused_over_a_restart_and_its_slots_say_why() {
    let (folder, setting) = (
        tempdir().unwrap(),
        Setting::of([every(1, "bot", "succeed")]),
    );
    let server = Server::start(folder.path(), setting.clone()).await;
    server.runs("bot", 1, Status::Succeeded).await;
    server.pause("bot", None).await.unwrap();
    server.stop(GRACE).await;
    let server = Server::start(folder.path(), setting).await;
    let hold = server.state("bot").await.hold.unwrap();
    assert_eq!((hold.kind, hold.by.as_str()), (HoldKind::Manual, "ada"));
    let before = server.ledger("bot").await;
    let ran = |rows: &[LedgerRow]| rows.iter().filter(|row| row.started_at.is_some()).count();
    let two = |row: &LedgerRow| paused(row) && row.slots >= 2;
    server.row("bot", "slots under the hold", two).await;
    assert_eq!(ran(&server.ledger("bot").await), ran(&before));
    server.resume("bot").await.unwrap();
    server
        .runs("bot", ran(&before) + 1, Status::Succeeded)
        .await;
}

#[actix_rt::test]
async fn a_pause_with_an_end_ends_by_itself() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([every(1, "bot", "succeed")]);
    let server = Server::start(folder.path(), setting).await;
    let until = server.stand.env.clock.now() + TimeDelta::milliseconds(2500);
    server.pause("bot", Some(until)).await.unwrap();
    eventually("the pause is over", || async {
        server.state("bot").await.hold.is_none().then_some(())
    })
    .await;
    let after = |row: &LedgerRow| row.scheduled_for >= Some(until) && row.started_at.is_some();
    server.row("bot", "runs after the pause", after).await;
    let rows = server.ledger("bot").await;
    assert!(rows.iter().any(paused));
    let late = |row: &&LedgerRow| paused(row) && row.slot_last >= Some(until);
    assert_eq!(rows.iter().filter(late).count(), 0);
}

#[actix_rt::test]
async fn run_latest_runs_the_newest_slot_of_a_pause_when_it_is_resumed() {
    let folder = tempdir().unwrap();
    let latest = |bot| with(bot, |policy| policy.on_resume = OnResume::RunLatest);
    let setting = Setting::of([
        latest(every(4, "bot", "succeed")),
        every(4, "other", "succeed"),
    ]);
    let server = Server::start(folder.path(), setting).await;
    for bot in ["bot", "other"] {
        server.runs(bot, 1, Status::Succeeded).await;
        server.pause(bot, None).await.unwrap();
    }
    for bot in ["bot", "other"] {
        server.row(bot, "a slot under the hold", paused).await;
    }
    let resumed = server.stand.env.clock.now();
    for bot in ["bot", "other"] {
        server.resume(bot).await.unwrap();
        let next = |row: &LedgerRow| row.started_at >= Some(resumed);
        let row = server.row(bot, "runs after the resume", next).await;
        let of_the_pause = row.scheduled_for <= Some(resumed);
        assert_eq!(of_the_pause, bot == "bot", "{row:?}");
    }
}

#[actix_rt::test]
async fn a_slot_claimed_just_before_a_pause_is_the_newest_of_it_for_run_latest() {
    let folder = tempdir().unwrap();
    let bot = with(every(3, "bot", "succeed"), |policy| {
        policy.on_resume = OnResume::RunLatest;
    });
    let server = Server::start(folder.path(), Setting::of([bot])).await;
    server.runs("bot", 1, Status::Succeeded).await;
    let ahead = |row: &LedgerRow| row.status == Status::Running && row.started_at.is_none();
    let claim = server.row("bot", "a claim taken ahead", ahead).await;
    server.pause("bot", None).await.unwrap();
    let due = claim.scheduled_for.unwrap() + TimeDelta::milliseconds(700);
    super::stand::becomes(true, || server.stand.env.clock.now() > due).await;
    server.resume("bot").await.unwrap();
    let runs =
        |row: &LedgerRow| row.scheduled_for == claim.scheduled_for && row.started_at.is_some();
    server.row("bot", "runs the slot of the pause", runs).await;
}

#[actix_rt::test]
async fn a_trigger_that_is_on_its_way_while_the_scheduler_is_rebuilt_runs_and_is_recorded() {
    let (_folder, server) = one("succeed").await;
    super::stand::eventually("all is loaded", || async {
        let scheduler = server.stand.env.book.scheduler(ActorType::Outside)?;
        scheduler.send(Ping).await.ok()
    })
    .await;
    server.line().silent(true);
    let trigger = server.trigger("bot");
    let rebuilt = async {
        server.row("bot", "is stored", |_| true).await;
        server.ask(Unresponsive(Child::Scheduler)).await;
        let has_more = super::stand::becomes(true, || server.stand.env.queue.len() > 1);
        // A scheduler that leaves the trigger alone gives nothing to wait for.
        let _ = tokio::time::timeout(Duration::from_secs(1), has_more).await;
        server.line().silent(false);
    };
    let (run, ()) = futures::join!(trigger, rebuilt);
    server.run("bot", run.unwrap(), Status::Succeeded).await;
}
