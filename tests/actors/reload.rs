//! Reloads while bots are at work: all of it or nothing, and nobody else notices.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actor_server::{
    actors::{
        configuration::{ConfigurationSource, Offer, ReloadCounts},
        messages::{ControlError, ReloadConfiguration, ReloadError},
    },
    domain::{
        bot::Bot,
        hold::HoldKind,
        outcome::Status,
        policy::Overlap,
        schedule::{ScheduleKind, ScheduleSpec},
    },
    store::LedgerRow,
};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{
    bots::{bot, every, name, with},
    server::Server,
    stand::{Setting, eventually},
};

/// Files that say what the test wants.
pub(crate) struct Files(Mutex<Result<Vec<Bot>, Vec<String>>>);

impl Files {
    pub(crate) fn say(&self, bots: impl IntoIterator<Item = Bot>) {
        *self.0.lock().unwrap() = Ok(bots.into_iter().collect());
    }

    fn are_broken(&self) {
        *self.0.lock().unwrap() = Err(vec!["server.toml:1:1: actors: no".into()]);
    }
}

impl ConfigurationSource for Files {
    fn read(&self) -> Result<Offer, Vec<String>> {
        let bots = self.0.lock().unwrap().clone()?;
        let named = bots
            .into_iter()
            .map(|bot| (bot.name.clone(), Arc::new(bot)));
        Ok(Offer {
            bots: named.collect(),
            max_consecutive_failures: 5,
            platforms: Vec::new(),
            changed: Vec::new(),
            needs_restart: Vec::new(),
            warnings: Vec::new(),
            shown: Arc::new(|| json!({ "read": true })),
            accept: Box::new(|| {}),
        })
    }
}

/// A server with these bots, and the files that it reads again.
pub(crate) async fn server(
    bots: impl IntoIterator<Item = Bot>,
) -> (tempfile::TempDir, Arc<Files>, Server) {
    let folder = tempdir().unwrap();
    let bots: Vec<Bot> = bots.into_iter().collect();
    let files = Arc::new(Files(Mutex::new(Ok(bots.clone()))));
    let mut setting = Setting::of(bots);
    setting.source = Some(Arc::clone(&files) as Arc<dyn ConfigurationSource>);
    let server = Server::start(folder.path(), setting).await;
    (folder, files, server)
}

pub(crate) async fn reload(server: &Server) -> Result<Value, ReloadError> {
    server.ask(ReloadConfiguration { dry_run: false }).await
}

fn with_interval(bot: Bot, seconds: u32) -> Bot {
    let kind = ScheduleKind::Interval { seconds };
    let (starts_at, ends_at) = (None, None);
    let schedule = Some(ScheduleSpec {
        kind,
        starts_at,
        ends_at,
    });
    Bot { schedule, ..bot }
}

#[actix_rt::test]
async fn a_bad_file_changes_nothing_and_every_problem_is_told() {
    let (_folder, files, server) = server([every(1, "bot", "succeed")]).await;
    files.are_broken();
    let problems = vec!["server.toml:1:1: actors: no".to_owned()];
    assert_eq!(reload(&server).await, Err(ReloadError::Problems(problems)));
    let configuration = &server.stand.env.configuration;
    assert_eq!(configuration.in_force().version, 0);
    assert!(configuration.bot(&name("bot")).is_some());
    let counts = ReloadCounts {
        refused: 1,
        ..ReloadCounts::default()
    };
    assert_eq!(configuration.reloads(), counts);
    server.runs("bot", 2, Status::Succeeded).await;
}

#[actix_rt::test]
async fn a_server_without_files_says_so() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([])).await;
    let answer = reload(&server).await.unwrap_err().to_string();
    assert!(answer.contains("not started from files"), "{answer}");
}

#[actix_rt::test]
async fn a_dry_run_tells_the_plan_and_changes_nothing() {
    let (_folder, files, server) = server([every(3600, "bot", "succeed")]).await;
    let before = server.state("bot").await;
    files.say([every(60, "bot", "succeed"), every(60, "new", "succeed")]);
    let plan = server.ask(ReloadConfiguration { dry_run: true }).await;
    let plan = plan.unwrap();
    assert_eq!(plan["added"][0]["actor"], "new", "{plan}");
    assert_eq!(plan["changed"][0]["keys"], json!(["schedule"]), "{plan}");
    let slots = plan["changed"][0]["next_slots"]["after"].as_array();
    assert_eq!(slots.map(Vec::len), Some(5), "{plan}");
    // The first slot may have been claimed meanwhile; what a reload writes is as it was.
    let after = server.state("bot").await;
    assert_eq!(
        (after.schedule, after.anchor),
        (before.schedule, before.anchor)
    );
    assert_eq!(server.stand.env.in_force().version, 0);
}

#[actix_rt::test]
async fn bots_are_added_changed_and_removed_at_once() {
    let bots = ["gone", "stays", "turns"].map(|bot| every(3600, bot, "succeed"));
    let (_folder, files, server) = server(bots.clone()).await;
    let [_, stays, turns] = bots;
    let turns = with_interval(turns, 1);
    files.say([stays, turns, every(1, "new", "succeed")]);
    let report = reload(&server).await.unwrap();
    assert_eq!(report["unchanged"], 1, "{report}");
    for (kind, bot) in [("added", "new"), ("changed", "turns"), ("removed", "gone")] {
        assert_eq!(report[kind][0]["actor"], bot, "{report}");
    }
    server.runs("turns", 2, Status::Succeeded).await;
    server.runs("new", 2, Status::Succeeded).await;
    assert!(server.state("gone").await.removed);
    let gone = server.trigger("gone").await;
    assert_eq!(gone, Err(ControlError::UnknownBot(name("gone"))));
}

#[actix_rt::test]
async fn a_claim_of_the_schedule_that_ends_does_not_run() {
    let (_folder, files, server) = server([every(1, "bot", "succeed")]).await;
    server.runs("bot", 2, Status::Succeeded).await;
    files.say([every(3600, "bot", "succeed")]);
    reload(&server).await.unwrap();
    let state = server.state("bot").await;
    let runs = server.ledger("bot").await.len();
    // Nothing is waited for: in this time the old schedule would have had two slots, and none may appear.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let rows = server.ledger("bot").await;
    assert_eq!(rows.len(), runs, "{rows:?}");
    let last = rows.last().and_then(|row| row.scheduled_for).unwrap();
    assert!(last <= state.anchor + chrono::TimeDelta::seconds(1));
    assert!(
        rows.iter()
            .all(|row| row.status == Status::Succeeded || row.success.is_none())
    );
    // Back again, the grid begins anew and runs at once.
    files.say([every(1, "bot", "succeed")]);
    reload(&server).await.unwrap();
    let before = rows.len();
    server.runs("bot", before + 2, Status::Succeeded).await;
}

#[actix_rt::test]
async fn a_run_at_work_outlives_its_bot_and_what_waits_behind_it_does_not() {
    let busy = with(every(1, "bot", "hang"), |policy| {
        policy.overlap = Overlap::BufferOne;
    });
    let (_folder, files, server) = server([busy, every(1, "other", "succeed")]).await;
    let at_work = server.row("bot", "a run is on", |row| row.started_at.is_some());
    let at_work = at_work.await.id;
    server
        .row("bot", "one waits", |row| {
            row.status == Status::Running && row.id != at_work
        })
        .await;
    files.say([every(1, "other", "succeed")]);
    reload(&server).await.unwrap();
    let open: Vec<_> = server.ledger("bot").await;
    let open = open.iter().filter(|row| row.status == Status::Running);
    assert_eq!(open.map(|row| row.id).collect::<Vec<_>>(), [at_work]);
    server.cancel(at_work).await.unwrap();
    server.run("bot", at_work, Status::Cancelled).await;
    let before = server.ledger("bot").await.len();
    let others = server.ledger("other").await.len();
    server.runs("other", others + 2, Status::Succeeded).await;
    assert_eq!(server.ledger("bot").await.len(), before);
}

#[actix_rt::test]
async fn slots_of_a_bot_that_is_switched_off_are_disabled_until_it_is_on_again() {
    let on = every(1, "bot", "succeed");
    let off = Bot {
        enabled: false,
        ..on.clone()
    };
    let (_folder, files, server) = server([on.clone()]).await;
    server.runs("bot", 2, Status::Succeeded).await;
    files.say([off]);
    reload(&server).await.unwrap();
    let disabled = |row: &LedgerRow| row.reason.as_deref() == Some("disabled") && row.slots >= 2;
    server.row("bot", "slots are disabled", disabled).await;
    files.say([on]);
    reload(&server).await.unwrap();
    server.runs("bot", 4, Status::Succeeded).await;
    let rows = server.ledger("bot").await;
    assert!(
        rows.iter().all(|row| row.status != Status::Missed),
        "{rows:?}"
    );
}

#[actix_rt::test]
async fn a_broken_bot_file_holds_the_bot_until_it_is_mended() {
    let good = every(1, "bot", "succeed");
    let broken = Bot {
        quarantine: Some("line 3: no".into()),
        ..good.clone()
    };
    let (_folder, files, server) = server([good.clone()]).await;
    server.runs("bot", 1, Status::Succeeded).await;
    files.say([broken]);
    reload(&server).await.unwrap();
    let hold = server.state("bot").await.hold.unwrap();
    assert_eq!(
        (hold.kind, hold.reason.as_str()),
        (HoldKind::Invalid, "line 3: no")
    );
    let invalid = |row: &LedgerRow| row.reason.as_deref() == Some("invalid") && row.slots >= 2;
    server.row("bot", "slots are invalid", invalid).await;
    let runs = server.runs("bot", 1, Status::Succeeded).await.len();
    files.say([good]);
    reload(&server).await.unwrap();
    assert_eq!(server.state("bot").await.hold, None);
    server.runs("bot", runs + 2, Status::Succeeded).await;
}

#[actix_rt::test]
async fn a_pause_outlives_a_reload() {
    let (_folder, files, server) = server([every(1, "bot", "succeed")]).await;
    server.pause("bot", None).await.unwrap();
    files.say([every(2, "bot", "succeed")]);
    reload(&server).await.unwrap();
    let kind = server.state("bot").await.hold.map(|hold| hold.kind);
    assert_eq!(kind, Some(HoldKind::Manual));
}

#[actix_rt::test]
async fn one_time_bots_never_run_twice() {
    let once = |text: &str| Bot {
        schedule: Some(ScheduleSpec {
            kind: ScheduleKind::Immediate,
            starts_at: None,
            ends_at: None,
        }),
        ..bot(text, "succeed")
    };
    let (_folder, files, server) = server([once("bot"), every(1, "other", "succeed")]).await;
    server.runs("bot", 1, Status::Succeeded).await;
    for _ in 0..2 {
        files.say([every(1, "other", "succeed")]);
        reload(&server).await.unwrap();
        files.say([once("bot"), every(1, "other", "succeed")]);
        reload(&server).await.unwrap();
    }
    let others = server.ledger("other").await.len();
    server.runs("other", others + 2, Status::Succeeded).await;
    assert_eq!(server.ledger("bot").await.len(), 1);
}

#[actix_rt::test]
async fn while_the_store_is_away_nothing_changes() {
    let (_folder, files, server) = server([every(3600, "bot", "succeed")]).await;
    files.say([every(1, "bot", "succeed")]);
    server.line().away(true);
    let answer = reload(&server).await;
    assert!(
        matches!(answer, Err(ReloadError::Unavailable(_))),
        "{answer:?}"
    );
    assert_eq!(server.stand.env.in_force().version, 0);
    server.line().away(false);
    eventually("the store is back", || async { reload(&server).await.ok() }).await;
    server.runs("bot", 2, Status::Succeeded).await;
}

#[actix_rt::test]
async fn reloads_that_are_asked_for_at_once_are_one_after_another() {
    let (_folder, files, server) = server([every(3600, "bot", "succeed")]).await;
    files.say([every(60, "bot", "succeed")]);
    let ask = || reload(&server);
    let reports = futures::future::join_all([ask(), ask(), ask()]).await;
    let changed = reports
        .iter()
        .filter(|report| report.as_ref().unwrap()["changed"] != json!([]));
    assert_eq!(changed.count(), 1, "{reports:?}");
    assert_eq!(server.stand.env.in_force().version, 3);
}
