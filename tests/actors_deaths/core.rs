//! Deaths of the actors that all bots need.

use std::time::Duration;

use actor_server::{
    actors::{
        messages::{ChildState, Inspect},
        supervision::Child,
    },
    domain::{outcome::Status, restart::RestartPolicy},
    store::LedgerRow,
};
use fail::FailScenario;
use tempfile::tempdir;

use super::{
    bots::every,
    server::Server,
    stand::{Setting, becomes, eventually},
};

/// Every slot from the first to the last that is in the ledger, counted, must be there once.
fn assert_gapless(rows: &[LedgerRow], what: &str) {
    let first = rows.iter().filter_map(|row| row.scheduled_for).min();
    let last = rows
        .iter()
        .filter_map(|row| row.slot_last.or(row.scheduled_for))
        .max();
    let expected = (last.unwrap() - first.unwrap()).num_seconds() + 1;
    let slots: i64 = rows.iter().map(|row| row.slots).sum();
    assert_eq!(slots, expected, "{what}: {rows:?}");
}

#[actix_rt::test]
async fn each_core_actor_may_die_anywhere_and_no_slot_is_lost_or_doubled() {
    let scenario = FailScenario::setup();
    for (point, child) in [
        ("persistence.started", Child::Persistence),
        ("persistence.timer", Child::Persistence),
        ("persistence.future", Child::Persistence),
        ("persistence.handle", Child::Persistence),
        ("scheduler.started", Child::Scheduler),
        ("scheduler.timer", Child::Scheduler),
        ("scheduler.future", Child::Scheduler),
        ("scheduler.handle", Child::Scheduler),
        ("slot.claimed", Child::Scheduler),
        ("health.started", Child::HealthCheck),
        ("health.timer", Child::HealthCheck),
        ("health.handle", Child::HealthCheck),
    ] {
        let folder = tempdir().unwrap();
        fail::cfg(point, "1*panic(as arranged)").unwrap();
        let server = Server::start(folder.path(), Setting::of([every(1, "bot", "succeed")])).await;
        let died = || async {
            let tree = server.ask(Inspect).await.children;
            let mut tree = tree.into_iter();
            tree.find(|one| one.child == child && one.restarts == 1)
        };
        eventually(&format!("death at {point}"), died).await;
        server.child_is(&child, ChildState::Running).await;
        let n = server.ledger("bot").await.len();
        server.runs("bot", n + 2, Status::Succeeded).await;
        assert_eq!(
            server.stop(Duration::from_secs(5)).await.unstored,
            0,
            "{point}"
        );
        let server = Server::start(folder.path(), Setting::of([])).await;
        let rows = server.ledger("bot").await;
        assert!(
            rows.iter().all(|row| row.status != Status::Running),
            "{point}: {rows:?}"
        );
        assert_gapless(&rows, point);
    }
    scenario.teardown();
}

#[actix_rt::test]
async fn a_core_actor_that_cannot_be_kept_alive_ends_the_process_and_says_why() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "succeed")]);
    setting.rules.supervision = RestartPolicy {
        max_restarts: 2,
        ..setting.rules.supervision
    };
    fail::cfg("scheduler.started", "panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting).await;
    let reason = || server.given_up.borrow().clone().unwrap_or_default();
    becomes(true, || reason().contains("as arranged")).await;
    assert!(reason().contains("scheduler"), "{}", reason());
    scenario.teardown();
}

#[actix_rt::test]
async fn a_core_actor_that_dies_often_is_rebuilt_with_all_behind_it_and_lives_on() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "succeed")]);
    setting.rules.supervision.max_restarts = 2;
    fail::cfg("persistence.started", "3*panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting).await;
    server.runs("bot", 2, Status::Succeeded).await;
    assert_eq!(*server.given_up.borrow(), None);
    for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
        server.child_is(&child, ChildState::Running).await;
    }
    assert_eq!(server.stop(Duration::from_secs(5)).await.unstored, 0);
    scenario.teardown();
}
