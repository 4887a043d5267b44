//! What the supervisor remembers of its children, whoever the supervisor is at the moment.

use std::{thread::ThreadId, time::Duration};

use actix_rt::ArbiterHandle;
use actor_server::{
    actors::{
        messages::ChildState,
        roster::{Remedy, Roster},
        supervision::{Child, Exit},
    },
    domain::{bot::BotName, restart::RestartPolicy},
    telemetry::metrics::Metrics,
};
use tokio::sync::oneshot;

fn task(name: &str) -> Child {
    Child::Task(BotName::parse(name).unwrap())
}

fn panic() -> Exit {
    Exit::Panic("lost".into())
}

fn roster() -> Roster {
    Roster::new(RestartPolicy::default(), Metrics::default().actors)
}

/// Builds and loses a child so many times; what was to be done each time.
fn deaths(roster: &Roster, child: &Child, times: u32) -> Vec<Remedy> {
    let one = |_| {
        let (incarnation, _) = roster.birth(child);
        roster.death(child, incarnation, &panic())
    };
    (0..times).map(one).collect()
}

fn report(roster: &Roster, child: &Child) -> (ChildState, u64, u32, Option<Exit>) {
    let report = roster.report();
    let one = report.into_iter().find(|one| one.child == *child).unwrap();
    (one.state, one.restarts, one.budget_left, one.last_crash)
}

async fn thread_of(arbiter: &ArbiterHandle) -> ThreadId {
    let (tell, told) = oneshot::channel();
    assert!(arbiter.spawn_fn(move || assert!(tell.send(std::thread::current().id()).is_ok())));
    told.await.unwrap()
}

#[actix_rt::test]
async fn waits_double_until_the_budget_is_spent() {
    let roster = roster();
    let wait = |ms| Remedy::Restart(Duration::from_millis(ms));
    let expected = [100, 200, 400, 800, 1600].map(wait);
    for child in [Child::Scheduler, task("bot")] {
        let remedies = deaths(&roster, &child, 6);
        assert_eq!(remedies[..5], expected);
        assert_eq!(remedies[5], Remedy::GiveUp);
        let given_up = (ChildState::GivenUp, 5, 0, Some(panic()));
        assert_eq!(report(&roster, &child), given_up);
    }
}

#[actix_rt::test]
async fn one_child_spends_nothing_of_anothers_budget() {
    let roster = roster();
    deaths(&roster, &task("bad"), 6);
    roster.birth(&task("good"));
    let untouched = (ChildState::Running, 0, 5, None);
    assert_eq!(report(&roster, &task("good")), untouched);
}

#[actix_rt::test]
async fn a_child_that_waits_to_be_rebuilt_is_known_as_such() {
    let roster = roster();
    deaths(&roster, &Child::Persistence, 1);
    assert_eq!(roster.restarting(), [Child::Persistence]);
    roster.birth(&Child::Persistence);
    assert_eq!(roster.restarting(), []);
    assert_eq!(roster.incarnation(&Child::Persistence), Some(2));
}

#[actix_rt::test]
async fn a_notice_that_is_stale_or_comes_twice_changes_nothing() {
    let (roster, child) = (roster(), Child::Scheduler);
    let (first, _) = roster.birth(&child);
    assert_ne!(roster.death(&child, first, &panic()), Remedy::None);
    assert_eq!(roster.death(&child, first, &panic()), Remedy::None);
    let (second, _) = roster.birth(&child);
    assert_eq!(roster.death(&child, first, &panic()), Remedy::None);
    assert_eq!(roster.death(&child, second + 1, &panic()), Remedy::None);
    let unmoved = (ChildState::Running, 1, 4, Some(panic()));
    assert_eq!(report(&roster, &child), unmoved);
    assert_eq!(roster.death(&task("nobody"), 1, &panic()), Remedy::None);
}

#[actix_rt::test]
async fn a_bot_without_work_rests_and_spends_no_budget() {
    let (roster, child) = (roster(), task("bot"));
    for _ in 0..20 {
        let (incarnation, _) = roster.birth(&child);
        let remedy = roster.death(&child, incarnation, &Exit::Normal);
        assert_eq!(remedy, Remedy::None);
    }
    assert_eq!(report(&roster, &child), (ChildState::Resting, 0, 5, None));
}

#[actix_rt::test]
async fn a_core_actor_that_stops_by_itself_is_rebuilt_like_one_that_died() {
    let roster = roster();
    for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
        let (incarnation, _) = roster.birth(&child);
        let remedy = roster.death(&child, incarnation, &Exit::Normal);
        assert_eq!(remedy, Remedy::Restart(Duration::from_millis(100)));
    }
}

#[actix_rt::test]
async fn whoever_is_forgiven_has_a_whole_budget_again() {
    let (roster, child) = (roster(), task("bot"));
    deaths(&roster, &child, 6);
    roster.forgive(&child);
    assert_eq!(roster.state(&child), Some(ChildState::Resting));
    assert_eq!(report(&roster, &child).2, 5);
    assert_eq!(deaths(&roster, &child, 6)[5], Remedy::GiveUp);
    roster.forgive(&task("nobody"));
    assert_eq!(roster.state(&task("nobody")), None);
}

#[actix_rt::test]
async fn forgiving_a_child_that_lives_does_not_take_it_for_resting() {
    let (roster, child) = (roster(), task("bot"));
    deaths(&roster, &child, 2);
    roster.birth(&child);
    roster.forgive(&child);
    assert_eq!(
        report(&roster, &child),
        (ChildState::Running, 2, 5, Some(panic()))
    );
}

#[actix_rt::test]
async fn the_core_is_rebuilt_as_a_whole_only_once() {
    let roster = roster();
    assert!(roster.may_rebuild_core());
    assert!(!roster.clone().may_rebuild_core());
}

#[actix_rt::test]
async fn core_actors_have_threads_of_their_own_and_bots_share_a_few() {
    let roster = roster();
    let mut core = Vec::new();
    for child in [Child::Persistence, Child::Scheduler, Child::HealthCheck] {
        core.push(thread_of(&roster.birth(&child).1).await);
    }
    let mut bots = Vec::new();
    for n in 0..50 {
        let bot = task(&format!("bot{n}"));
        let thread = thread_of(&roster.birth(&bot).1).await;
        assert!(!core.contains(&thread));
        assert_eq!(thread, thread_of(&roster.birth(&bot).1).await);
        bots.push(thread);
    }
    core.dedup();
    bots.sort_by_key(|id| format!("{id:?}"));
    bots.dedup();
    assert_eq!((core.len(), bots.len()), (3, 2));
}

#[actix_rt::test]
async fn a_child_whose_thread_is_given_up_gets_another_and_the_rest_keep_theirs() {
    let roster = roster();
    let (before, other) = (
        roster.birth(&Child::Scheduler).1,
        roster.birth(&Child::HealthCheck).1,
    );
    let (before, other) = (thread_of(&before).await, thread_of(&other).await);
    assert_eq!(roster.abandon_thread(&Child::Scheduler), Some(1));
    assert_ne!(thread_of(&roster.birth(&Child::Scheduler).1).await, before);
    assert_eq!(thread_of(&roster.birth(&Child::HealthCheck).1).await, other);
    assert_eq!(roster.abandon_thread(&task("nobody")), None);
}

#[actix_rt::test]
async fn a_rebuilt_supervisor_finds_the_children_where_the_last_one_left_them() {
    let (roster, child) = (roster(), Child::Scheduler);
    let heir = roster.clone();
    deaths(&roster, &child, 3);
    assert_eq!(heir.state(&child), Some(ChildState::Restarting));
    assert_eq!(
        report(&heir, &child),
        (ChildState::Restarting, 3, 2, Some(panic()))
    );
}

/// How often each step was taken, of those that were.
fn steps(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render(&Default::default());
    let family = "botticelli_actor_lifecycle_transitions_total";
    let lines = text.lines().filter_map(|line| line.strip_prefix(family));
    lines.map(str::to_owned).collect()
}

#[actix_rt::test]
async fn a_bots_life_from_its_first_start_to_its_removal_is_counted_step_by_step() {
    let metrics = Metrics::default();
    let roster = Roster::new(RestartPolicy::default(), metrics.actors.clone());
    let bot = task("bot");
    let (first, _) = roster.birth(&bot);
    roster.death(&bot, first, &Exit::Normal);
    deaths(&roster, &bot, 6);
    roster.forgive(&bot);
    roster.forget(&bot);
    let step = |from: &str, to: &str, n: u32| {
        format!("{{actor_type=\"task\",from_state=\"{from}\",to_state=\"{to}\"}} {n}")
    };
    let expected = [
        step("given_up", "resting", 1),
        step("new", "running", 1),
        step("restarting", "running", 5),
        step("resting", "running", 1),
        step("resting", "stopped", 1),
        step("running", "given_up", 1),
        step("running", "restarting", 5),
        step("running", "resting", 1),
    ];
    assert_eq!(steps(&metrics), expected);
}

#[actix_rt::test]
async fn the_coordinator_has_the_root_for_a_supervisor() {
    let metrics = Metrics::default();
    let roster = Roster::new(RestartPolicy::default(), metrics.actors.clone());
    for exit in [panic(), Exit::Normal, Exit::ArbiterGone] {
        let incarnation = roster.enrol(&Child::Coordinator);
        let remedy = roster.death(&Child::Coordinator, incarnation, &exit);
        assert!(matches!(remedy, Remedy::Restart(_)), "{exit}: {remedy:?}");
    }
    let text = metrics.render(&Default::default());
    for reason in ["panic", "stopped", "thread_gone"] {
        let tree = format!(
            "tree_restarts_total{{child_actor=\"coordinator\",restart_reason=\"{reason}\",supervisor=\"root\"}} 1\n"
        );
        assert!(text.contains(&tree), "{tree} in {text}");
    }
    assert_eq!(report(&roster, &Child::Coordinator).1, 3);
}

#[actix_rt::test]
async fn what_ends_after_the_process_has_stopped_is_not_counted() {
    let metrics = Metrics::default();
    let roster = Roster::new(RestartPolicy::default(), metrics.actors.clone());
    let (incarnation, _) = roster.birth(&Child::Scheduler);
    roster.close();
    roster.close();
    roster.death(&Child::Scheduler, incarnation, &Exit::ArbiterGone);
    let scheduler = |from: &str, to: &str| {
        format!("{{actor_type=\"scheduler\",from_state=\"{from}\",to_state=\"{to}\"}} 1")
    };
    let expected = [scheduler("new", "running"), scheduler("running", "stopped")];
    assert_eq!(steps(&metrics), expected);
    assert!(
        !metrics
            .render(&Default::default())
            .contains("botticelli_actor_restarts_total{")
    );
}
