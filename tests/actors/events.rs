//! Events: who listens, what the runs see, and what becomes of an event that meets a hold or a run.

use actor_server::{
    actors::messages::{ControlError, StartEvent},
    domain::{
        bot::Bot,
        outcome::Status,
        policy::Overlap,
        run::{ExecutionId, Trigger},
    },
    store::LedgerRow,
};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::{
    bots::{bot, formatting, name, with},
    server::Server,
    stand::Setting,
};

fn listening(bot: Bot) -> Bot {
    with(bot, |policy| policy.on_event = vec!["deploy".into()])
}

async fn started(bots: impl IntoIterator<Item = Bot>) -> (TempDir, Server) {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    (folder, server)
}

async fn tell(server: &Server, key: Option<&str>) -> Vec<(String, ExecutionId)> {
    let event = StartEvent {
        event_type: "deploy".into(),
        source: "ci".into(),
        payload: json!({ "version": 7 }),
        key: key.map(str::to_owned),
        trace: serde_json::Value::Null,
    };
    let answer = server.ask(event).await.unwrap().into_iter();
    answer.map(|(bot, run)| (bot.to_string(), run)).collect()
}

#[actix_rt::test]
async fn every_enabled_bot_that_listens_runs_once_with_the_event() {
    let mut off = listening(bot("off", "succeed"));
    off.enabled = false;
    let deaf = bot("deaf", "succeed");
    let (_folder, server) = started([
        listening(bot("b", "succeed")),
        listening(bot("a", "succeed")),
        off,
        deaf,
    ])
    .await;
    let runs = tell(&server, None).await;
    let names: Vec<&str> = runs.iter().map(|(bot, _)| bot.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    for (bot, run) in &runs {
        let row = server.run(bot, *run, Status::Succeeded).await;
        assert_eq!(row.trigger, Trigger::Event);
        assert_eq!(row.metadata["input"]["event"]["payload"]["version"], 7);
    }
}

#[actix_rt::test]
async fn templates_read_the_event() {
    let folder = tempdir().unwrap();
    let template = "{{ event.type }} {{ event.payload.version }} from {{ event.source }}";
    let mut bot = listening(formatting("bot"));
    super::bots::set_template(&mut bot, template);
    let setting = Setting::of([bot]);
    let platform = setting.platform.clone();
    let server = Server::start(folder.path(), setting).await;
    let runs = tell(&server, None).await;
    server.run("bot", runs[0].1, Status::Succeeded).await;
    assert_eq!(platform.delivered()[0].message.body, "deploy 7 from ci");
}

#[actix_rt::test]
async fn a_repetition_is_answered_with_the_runs_of_the_first() {
    let (_folder, server) = started([listening(bot("bot", "succeed"))]).await;
    let first = tell(&server, Some("once")).await;
    let again = tell(&server, Some("once")).await;
    let other = tell(&server, Some("twice")).await;
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_eq!(server.ledger("bot").await.len(), 2);
}

#[actix_rt::test]
async fn repetitions_at_the_same_time_start_one_run_that_none_of_them_stands_against() {
    for overlap in [Overlap::Skip, Overlap::BufferOne, Overlap::CancelOther] {
        let bot = with(listening(bot("bot", "succeed")), |policy| {
            policy.overlap = overlap
        });
        let (_folder, server) = started([bot]).await;
        let tellings = (0..8).map(|_| tell(&server, Some("once")));
        let answers = futures::future::join_all(tellings).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        server.run("bot", answers[0][0].1, Status::Succeeded).await;
        assert_eq!(server.ledger("bot").await.len(), 1);
    }
}

#[actix_rt::test]
async fn an_event_for_a_held_bot_is_recorded_with_the_holds_reason() {
    let (_folder, server) = started([listening(bot("bot", "succeed"))]).await;
    server.pause("bot", None).await.unwrap();
    let runs = tell(&server, None).await;
    let skipped = |row: &actor_server::store::LedgerRow| row.status == Status::Skipped;
    let row = server.row("bot", "is skipped", skipped).await;
    assert_eq!(row.id, runs[0].1);
    assert_eq!(
        (row.reason.as_deref(), row.started_at),
        (Some("paused"), None)
    );
}

#[actix_rt::test]
async fn an_event_that_waited_for_a_run_does_not_run_under_a_hold_that_came_meanwhile() {
    let bot = with(listening(bot("bot", "hang")), |policy| {
        policy.overlap = Overlap::BufferOne;
    });
    let (_folder, server) = started([bot]).await;
    let before = tell(&server, None).await[0].1;
    server.run("bot", before, Status::Running).await;
    let after = tell(&server, None).await[0].1;
    server.pause("bot", None).await.unwrap();
    server.cancel(before).await.unwrap();
    let ended = |row: &LedgerRow| row.id == after && row.status != Status::Running;
    let row = server.row("bot", "is decided", ended).await;
    assert_eq!(
        (row.status, row.reason.as_deref(), row.started_at),
        (Status::Skipped, Some("paused"), None)
    );
}

#[actix_rt::test]
async fn an_event_that_meets_a_run_is_dealt_with_as_overlap_says() {
    for (overlap, first, second) in [
        (Overlap::Skip, Status::Running, Status::Skipped),
        (Overlap::BufferOne, Status::Running, Status::Running),
        (Overlap::CancelOther, Status::Cancelled, Status::Running),
        (Overlap::AllowAll, Status::Running, Status::Running),
    ] {
        let bot = with(listening(bot("bot", "hang")), |policy| {
            policy.overlap = overlap
        });
        let (_folder, server) = started([bot]).await;
        let before = tell(&server, None).await[0].1;
        server.run("bot", before, Status::Running).await;
        let after = tell(&server, None).await[0].1;
        let has = |id, status| {
            move |row: &actor_server::store::LedgerRow| (row.id, row.status) == (id, status)
        };
        let what = format!("{overlap:?}");
        server.row("bot", &what, has(before, first)).await;
        let row = server.row("bot", &what, has(after, second)).await;
        let waits = overlap == Overlap::BufferOne;
        if waits || overlap == Overlap::Skip {
            assert_eq!(row.started_at, None, "{what}");
        }
    }
}

#[actix_rt::test]
async fn an_event_that_nobody_listens_for_starts_nothing() {
    let (_folder, server) = started([bot("bot", "succeed")]).await;
    assert!(tell(&server, None).await.is_empty());
}

#[actix_rt::test]
async fn an_event_while_the_store_is_away_is_refused_and_may_be_said_again() {
    let (_folder, server) = started([listening(bot("bot", "succeed"))]).await;
    server.line().away(true);
    let event = || StartEvent {
        event_type: "deploy".into(),
        source: "ci".into(),
        payload: json!(null),
        key: Some("k".into()),
        trace: serde_json::Value::Null,
    };
    let answer = server.ask(event()).await;
    assert!(
        matches!(answer, Err(ControlError::Unavailable(_))),
        "{answer:?}"
    );
    server.line().away(false);
    let runs = super::stand::eventually("the event is taken", || async {
        server.ask(event()).await.ok()
    })
    .await;
    assert_eq!(runs[0].0, name("bot"));
    server.run("bot", runs[0].1, Status::Succeeded).await;
    assert_eq!(server.ledger("bot").await.len(), 1);
}

#[actix_rt::test]
async fn a_trigger_whose_process_died_before_it_started_runs_with_its_input() {
    let (folder, bots) = (
        tempdir().unwrap(),
        [bot("first", "hang"), listening(bot("bot", "succeed"))],
    );
    let mut setting = Setting::of(bots);
    setting.rules.max_parallel_tasks = 1;
    let server = Server::start(folder.path(), setting.clone()).await;
    let first = server.trigger("first").await.unwrap();
    server.run("first", first, Status::Running).await;
    let run = tell(&server, None).await[0].1;
    // It dies without a word: its lock is let go, and nothing is closed.
    server.stand.env.store.close().await;
    drop(server);
    let server = Server::start(folder.path(), setting).await;
    let row = server.run("bot", run, Status::Succeeded).await;
    assert_eq!(row.metadata["input"]["event"]["source"], "ci");
}
