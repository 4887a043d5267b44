//! Stopping in order: what runs may end, what does not is abandoned, and everything is stored.

use std::time::Duration;

use actix::Addr;
use actor_server::{
    actors::messages::{ControlError, Drain, Ping},
    domain::{outcome::Status, policy::Overlap},
    store::LedgerRow,
    telemetry::metrics::ActorType,
};
use tempfile::tempdir;
use tokio::time::Instant as Monotonic;

use super::{
    bots::{bot, every, with},
    server::Server,
    stand::{Setting, Stand, becomes},
};

const GRACE: Duration = Duration::from_secs(5);

/// The rows of a folder that nobody has open any more.
async fn left_in(folder: &std::path::Path) -> Vec<actor_server::store::LedgerRow> {
    let stand = Stand::on(folder, Setting::of([])).await;
    let rows = stand.env.store.ledger(None, 1000).await.unwrap();
    stand.env.store.close().await;
    rows
}

#[actix_rt::test]
async fn a_run_that_ends_within_the_grace_period_keeps_its_own_end() {
    let folder = tempdir().unwrap();
    let slow = with(bot("slow", "hang"), |policy| {
        policy.timeout = Duration::from_secs(1);
        policy.retry.max_attempts = 1;
    });
    let server = Server::start(folder.path(), Setting::of([slow])).await;
    let run = server.trigger("slow").await.unwrap();
    server.run("slow", run, Status::Running).await;
    assert_eq!(server.stop(GRACE).await.unstored, 0);
    let rows = left_in(folder.path()).await;
    assert_eq!(rows[0].status, Status::TimedOut);
}

#[actix_rt::test]
async fn what_has_not_ended_when_the_grace_period_is_over_is_abandoned_whether_it_yields_or_not() {
    let folder = tempdir().unwrap();
    let bots = ["hang", "block"].map(|deed| bot(deed, deed));
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    for bot in ["hang", "block"] {
        let run = server.trigger(bot).await.unwrap();
        server.run(bot, run, Status::Running).await;
    }
    let began = Monotonic::now();
    let stopped = server.stop(Duration::from_millis(200)).await;
    assert_eq!(stopped.unstored, 0);
    assert!(began.elapsed() < Duration::from_secs(10));
    for row in left_in(folder.path()).await {
        assert_eq!((row.status, row.success), (Status::Abandoned, Some(false)));
        assert!(row.completed_at.is_some());
    }
}

#[actix_rt::test]
async fn a_stop_with_nothing_to_do_does_not_wait_for_the_grace_period() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    let began = Monotonic::now();
    server.stop(Duration::from_secs(60)).await;
    assert!(began.elapsed() < GRACE);
}

#[actix_rt::test]
async fn slots_that_were_claimed_ahead_are_given_back_and_none_is_missed() {
    let folder = tempdir().unwrap();
    let setting = Setting::of([every(1, "bot", "succeed")]);
    let server = Server::start(folder.path(), setting).await;
    let ahead = |row: &&LedgerRow| row.status == Status::Running && row.started_at.is_none();
    super::stand::eventually("two slots are claimed ahead", || async {
        // Its slots are looked at anew.
        server.resume("bot").await.unwrap();
        let rows = server.ledger("bot").await;
        (rows.iter().filter(ahead).count() == 2).then_some(())
    })
    .await;
    server.stop(GRACE).await;
    let missed = |row: &&LedgerRow| row.status == Status::Missed;
    let rows = left_in(folder.path()).await;
    let begun = rows.iter().map(|row| row.created_at).min();
    let missed: Vec<_> = rows
        .iter()
        .filter(missed)
        .filter(|row| row.scheduled_for > begun)
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[actix_rt::test]
async fn nothing_starts_once_the_server_stops() {
    let folder = tempdir().unwrap();
    let bots = [bot("hang", "hang"), bot("other", "succeed")];
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    let run = server.trigger("hang").await.unwrap();
    server.run("hang", run, Status::Running).await;
    let grace = Duration::from_secs(2);
    let stop = server
        .coordinator
        .send(actor_server::actors::messages::Stop { grace });
    let other = async {
        // Handled behind the stop: messages keep their order.
        server.trigger("other").await
    };
    let (stopped, refused) = futures::join!(stop, other);
    assert!(matches!(refused, Err(ControlError::Unavailable(_))));
    assert_eq!(stopped.unwrap().unstored, 0);
    assert_eq!(server.ledger("other").await.len(), 0);
}

#[actix_rt::test]
async fn a_claim_that_waits_for_a_run_to_end_is_given_back_and_decided_by_the_next_server() {
    let folder = tempdir().unwrap();
    let buffered = with(every(1, "bot", "hang"), |policy| {
        policy.overlap = Overlap::BufferOne;
    });
    let server = Server::start(folder.path(), Setting::of([buffered])).await;
    server.runs("bot", 2, Status::Running).await;
    let waiting = |rows: &[actor_server::store::LedgerRow]| {
        rows.iter()
            .filter(|row| row.started_at.is_none() && row.status == Status::Running)
            .count()
    };
    assert!(waiting(&server.ledger("bot").await) > 0);
    assert_eq!(server.stop(Duration::from_millis(100)).await.unstored, 0);
    let rows = left_in(folder.path()).await;
    assert!(
        rows.iter().all(|row| row.status != Status::Running),
        "{rows:?}"
    );
    let abandoned = rows.iter().filter(|row| row.status == Status::Abandoned);
    assert_eq!(abandoned.count(), 1);
}

#[actix_rt::test]
async fn claims_taken_ahead_are_given_back_when_the_scheduler_drains() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(2, "bot", "succeed")])).await;
    let ahead = |row: &actor_server::store::LedgerRow| {
        row.status == Status::Running && row.started_at.is_none()
    };
    let claim = server.row("bot", "a claim taken ahead", ahead).await;
    let scheduler = server.stand.env.book.scheduler(ActorType::Outside).unwrap();
    scheduler.send(Drain).await.unwrap();
    // If it was on its way to the bot's actor already, it runs.
    let given_back = super::stand::eventually("the claim is given back, or runs", || async {
        let rows = server.ledger("bot").await;
        match rows.iter().find(|row| row.id == claim.id) {
            Some(row) => row.started_at.map(|_| false),
            None => Some(true),
        }
    })
    .await;
    if given_back {
        assert_eq!(server.state("bot").await.next_run, claim.scheduled_for);
    }
}

#[actix_rt::test]
async fn a_second_stop_says_the_same_as_the_first() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "hang")])).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    let grace = Duration::from_millis(200);
    let stop = || {
        server
            .coordinator
            .send(actor_server::actors::messages::Stop { grace })
    };
    let (first, second) = futures::join!(stop(), stop());
    assert_eq!(first.unwrap(), second.unwrap());
    let row = server.run("bot", run, Status::Abandoned).await;
    assert!(row.completed_at.is_some());
    becomes(true, || server.stand.env.runs.is_empty()).await;
    let alive = Addr::send(&server.coordinator, Ping).await;
    assert!(alive.is_ok());
}
