//! Runs by hand: what they are given, how they meet a run that is on, and what a dry one leaves.

use actor_server::{
    actors::messages::{ControlError, TriggerHere, TriggerRun},
    domain::{
        outcome::Status,
        policy::Overlap,
        run::{ExecutionId, Trigger},
    },
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::{
    bots::{bot, formatting, name, with},
    server::Server,
    stand::{Setting, eventually},
};

/// What the coordinator asks a bot's actor for.
pub(crate) fn by_hand() -> TriggerHere {
    TriggerHere {
        trigger: Trigger::Manual,
        input: Value::Null,
        hold: None,
        key: None,
    }
}

async fn one(deed: &str, overlap: Overlap) -> (TempDir, Server) {
    let folder = tempdir().unwrap();
    let bot = with(bot("bot", deed), |policy| policy.overlap = overlap);
    let server = Server::start(folder.path(), Setting::of([bot])).await;
    (folder, server)
}

async fn trigger(server: &Server, input: Value) -> Result<ExecutionId, ControlError> {
    let bot = name("bot");
    server.ask(TriggerRun { bot, input }).await
}

#[actix_rt::test]
async fn a_note_stands_in_the_ledger() {
    let (_folder, server) = one("succeed", Overlap::Skip).await;
    let run = server.trigger("bot").await.unwrap();
    let row = server.run("bot", run, Status::Succeeded).await;
    assert_eq!(row.metadata["input"]["note"], "by hand");
    assert_eq!(row.trigger, Trigger::Manual);
}

#[actix_rt::test]
async fn the_content_of_a_trigger_is_formatted_and_posted() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([formatting("bot")]);
    let platform = setting.platform.clone();
    let server = Server::start(folder.path(), setting).await;
    for content in [json!("a text"), json!({ "body": "a text", "tags": ["x"] })] {
        let input = json!({ "content": content });
        let run = trigger(&server, input).await.unwrap();
        server.run("bot", run, Status::Succeeded).await;
    }
    let bodies: Vec<String> = platform
        .delivered()
        .into_iter()
        .map(|post| post.message.body)
        .collect();
    assert_eq!(bodies, ["a text", "a text"]);
}

#[actix_rt::test]
async fn a_dry_run_does_everything_but_post_and_says_what_it_would_have_posted() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([formatting("bot")]);
    let platform = setting.platform.clone();
    let server = Server::start(folder.path(), setting).await;
    let input = json!({ "content": "a text", "dry_run": true });
    let run = trigger(&server, input).await.unwrap();
    let row = server.run("bot", run, Status::Succeeded).await;
    assert_eq!(row.metadata["dry_run"], true);
    assert_eq!(row.metadata["dry_run_posts"][0]["body"], "a text");
    assert!(platform.delivered().is_empty());
    let stored = server.stand.env.store.posts(None, 10).await.unwrap();
    assert!(stored.is_empty(), "{stored:?}");
}

#[actix_rt::test]
async fn a_dry_run_that_fails_counts_for_nothing() {
    let (_folder, server) = one("fail", Overlap::Skip).await;
    let failed = server.trigger("bot").await.unwrap();
    server.run("bot", failed, Status::Failed).await;
    let dry = trigger(&server, json!({ "dry_run": true })).await.unwrap();
    server.run("bot", dry, Status::Failed).await;
    assert_eq!(server.state("bot").await.consecutive_failures, 1);
}

#[actix_rt::test]
async fn under_buffer_one_one_trigger_waits_for_the_run_and_a_second_is_refused() {
    let (_folder, server) = one("hang", Overlap::BufferOne).await;
    let first = server.trigger("bot").await.unwrap();
    server.run("bot", first, Status::Running).await;
    let second = server.trigger("bot").await.unwrap();
    assert_eq!(
        server.trigger("bot").await,
        Err(ControlError::Busy(name("bot")))
    );
    let rows = server.ledger("bot").await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].id, rows[1].started_at), (second, None));
    server.cancel(first).await.unwrap();
    server.run("bot", first, Status::Cancelled).await;
    server.run("bot", second, Status::Running).await;
}

#[actix_rt::test]
async fn under_cancel_other_a_trigger_ends_the_run_that_is_on() {
    let (_folder, server) = one("hang", Overlap::CancelOther).await;
    let first = server.trigger("bot").await.unwrap();
    server.run("bot", first, Status::Running).await;
    let second = server.trigger("bot").await.unwrap();
    server.run("bot", first, Status::Cancelled).await;
    server.run("bot", second, Status::Running).await;
}

#[actix_rt::test]
async fn a_disabled_bot_runs_by_hand() {
    let folder = tempdir().unwrap();
    let mut off = bot("bot", "succeed");
    off.enabled = false;
    let server = Server::start(folder.path(), Setting::of([off])).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Succeeded).await;
}

#[actix_rt::test]
async fn a_run_by_hand_waits_for_a_free_place_and_can_be_cancelled_there() {
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([bot("first", "hang"), bot("bot", "hang")]);
    setting.rules.max_parallel_tasks = 1;
    let server = Server::start(folder.path(), setting).await;
    let first = server.trigger("first").await.unwrap();
    server.run("first", first, Status::Running).await;
    let waits = server.trigger("bot").await.unwrap();
    let row = server.row("bot", "is there", |row| row.id == waits).await;
    assert_eq!((row.status, row.started_at), (Status::Running, None));
    assert_eq!(
        server.trigger("bot").await,
        Err(ControlError::Busy(name("bot")))
    );
    server.cancel(waits).await.unwrap();
    server.run("bot", waits, Status::Cancelled).await;
    let again = server.trigger("bot").await.unwrap();
    server.cancel(first).await.unwrap();
    server.run("bot", again, Status::Running).await;
}

#[actix_rt::test]
async fn nothing_is_triggered_while_the_process_stops() {
    let (_folder, server) = one("hang", Overlap::Skip).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    let grace = std::time::Duration::from_secs(1);
    let stopping = server
        .coordinator
        .send(actor_server::actors::messages::Stop { grace });
    let triggering = eventually("triggers are refused", || async {
        let answer = server.trigger("bot").await;
        matches!(answer, Err(ControlError::Unavailable(_))).then_some(())
    });
    let (stopped, ()) = futures::join!(stopping, triggering);
    assert_eq!(stopped.unwrap().unstored, 0);
}
