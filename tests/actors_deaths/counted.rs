//! What deaths do to the counters: one death, one step, and nothing that a panic said.

use std::time::Duration;

use actor_server::actors::{
    messages::{ChildState, Inspect},
    supervision::Child,
};
use fail::FailScenario;
use tempfile::tempdir;

use super::{
    bots::{every, name},
    server::Server,
    stand::{Setting, becomes},
};

/// What somebody would like to see in a label.
const HOSTILE: &str = "1*panic(\"} evil 1\n)";

/// The series of these families that are not 0.
fn series(server: &Server, families: &[&str]) -> Vec<String> {
    let text = server.stand.env.metrics.render(&Default::default());
    let of_them = |line: &&str| {
        let mut families = families.iter();
        families.any(|family| line.starts_with(&format!("botticelli_{family}{{")))
    };
    let lines = text.lines().filter(of_them).map(str::to_owned);
    lines.filter(|line| !line.ends_with(" 0")).collect()
}

fn restarts_of(child: &str) -> Vec<String> {
    vec![
        format!("botticelli_actor_restarts_total{{actor_type=\"{child}\",reason=\"panic\"}} 1"),
        format!(
            "botticelli_supervision_tree_restarts_total{{child_actor=\"{child}\",restart_reason=\"panic\",supervisor=\"coordinator\"}} 1"
        ),
    ]
}

/// The steps of actors of this type, with how often each was taken.
fn steps(server: &Server, child: &str) -> Vec<String> {
    let all = series(server, &["actor_lifecycle_transitions_total"]);
    let its = format!("{{actor_type=\"{child}\",");
    let mut steps: Vec<String> = all.into_iter().filter(|step| step.contains(&its)).collect();
    steps.sort();
    steps
}

fn step(child: &str, from: &str, to: &str) -> String {
    format!(
        "botticelli_actor_lifecycle_transitions_total{{actor_type=\"{child}\",from_state=\"{from}\",to_state=\"{to}\"}} 1"
    )
}

async fn one_death_counts_once(point: &str, child: Child, label: &str) {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    fail::cfg(point, HOSTILE).unwrap();
    let server = Server::start(folder.path(), Setting::of([every(1, "bot", "succeed")])).await;
    let families = ["actor_restarts_total", "supervision_tree_restarts_total"];
    becomes(restarts_of(label), || series(&server, &families)).await;
    server.child_is(&child, ChildState::Running).await;
    let expected = [
        step(label, "new", "running"),
        step(label, "restarting", "running"),
        step(label, "running", "restarting"),
    ];
    assert_eq!(steps(&server, label), expected);
    let tree = server.ask(Inspect).await.children;
    let restarts: u64 = tree.iter().map(|one| one.restarts).sum();
    assert_eq!(restarts, 1, "{tree:?}");
    assert!(
        !server
            .stand
            .env
            .metrics
            .render(&Default::default())
            .contains("evil")
    );
    assert_eq!(server.stop(Duration::from_secs(5)).await.unstored, 0);
    scenario.teardown();
}

#[actix_rt::test]
async fn the_death_of_a_core_actor_counts_once() {
    one_death_counts_once("scheduler.handle", Child::Scheduler, "scheduler").await;
}

#[actix_rt::test]
async fn the_death_of_a_bots_actor_counts_once() {
    one_death_counts_once("task.handle", Child::Task(name("bot")), "task").await;
}

#[actix_rt::test]
async fn a_core_that_is_rebuilt_as_a_whole_counts_each_of_its_actors() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([every(1, "bot", "succeed")]);
    setting.rules.supervision.max_restarts = 2;
    fail::cfg("persistence.started", "3*panic(as arranged)").unwrap();
    let server = Server::start(folder.path(), setting).await;
    let restarts = |child: &str, reason: &str, n: u32| {
        format!("botticelli_actor_restarts_total{{actor_type=\"{child}\",reason=\"{reason}\"}} {n}")
    };
    let expected = [
        restarts("health_check", "stopped", 1),
        restarts("persistence", "panic", 3),
        restarts("scheduler", "stopped", 1),
    ];
    becomes(expected.to_vec(), || {
        series(&server, &["actor_restarts_total"])
    })
    .await;
    let given_up = step("persistence", "running", "given_up");
    assert!(steps(&server, "persistence").contains(&given_up));
    for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
        server.child_is(&child, ChildState::Running).await;
    }
    let tree = server.ask(Inspect).await.children;
    let restarts: u64 = tree.iter().map(|one| one.restarts).sum();
    assert_eq!(restarts, 5, "{tree:?}");
    scenario.teardown();
}

#[actix_rt::test]
async fn every_message_of_a_run_is_counted_and_the_tree_knows_every_core_mailbox() {
    let scenario = FailScenario::setup();
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(1, "bot", "succeed")])).await;
    let (status, n) = (actor_server::domain::outcome::Status::Succeeded, 1);
    server.runs("bot", n, status).await;
    let families = ["inter_actor_message_latency_seconds_count"];
    for (from, message, to) in [
        ("scheduler", "StartRun", "task"),
        ("scheduler", "Wake", "coordinator"),
        ("scheduler", "Advanced", "scheduler"),
        ("scheduler", "RunEnded", "scheduler"),
        ("health_check", "Ping", "persistence"),
        ("health_check", "Found", "health_check"),
    ] {
        let labels =
            format!("from_actor=\"{from}\",message_type=\"{message}\",to_actor=\"{to}\"}} ");
        let is_it = |line: &String| line.contains(&labels);
        becomes(true, || series(&server, &families).iter().any(is_it)).await;
    }
    let tree = server.ask(Inspect).await.children;
    for one in tree
        .iter()
        .filter(|one| !matches!(one.child, Child::Task(_)))
    {
        assert!(one.mailbox.is_some(), "{one:?}");
    }
    scenario.teardown();
}
