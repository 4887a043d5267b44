//! One attempt of a run: which skills run, how often, and what their ends make of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "support/run.rs"]
mod run;
#[path = "support/stage.rs"]
mod stage;

use std::time::Duration;

use actor_server::{
    domain::{
        bot::{Behaviour, ExecutionRules},
        hold::HoldKind,
        outcome::Status,
    },
    skills::{pipeline::run_attempt, progress::Progress, registry::SkillSet},
};
use run::{Desk, bot};
use serde_json::json;
use stage::{Act, Stage, no_retries, spec, told};

#[tokio::test]
async fn skills_run_in_their_order_and_a_run_without_failure_has_succeeded() {
    let stage = Stage::with(&[
        ("b", &[Act::Done]),
        ("a", &[Act::Nothing]),
        ("c", &[Act::Done]),
    ]);
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), told(&outcome).as_str()),
        ("b a c", "b+ a- c+")
    );
    assert_eq!(
        (outcome.status, outcome.error.clone()),
        (Status::Succeeded, None)
    );
    assert_eq!(outcome.skills[1].detail.as_deref(), Some("nothing new"));
    assert_eq!(
        (outcome.gate, outcome.recoverable, outcome.hold),
        (None, false, None)
    );
}

#[tokio::test]
async fn a_skill_that_is_switched_off_is_skipped() {
    let mut stage = Stage::with(&[("a", &[Act::Fail]), ("b", &[Act::Done])]);
    stage.behaviour.skills[0].enabled = false;
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), told(&outcome).as_str()),
        ("b", "a- b+")
    );
    assert_eq!(outcome.status, Status::Succeeded);
}

#[tokio::test]
async fn a_gate_that_says_no_ends_the_run_without_failure() {
    let stage = Stage::with(&[
        ("a", &[Act::Done]),
        ("gate", &[Act::Stop]),
        ("c", &[Act::Done]),
    ]);
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), told(&outcome).as_str()),
        ("a gate", "a+ gate+ c-")
    );
    assert_eq!(outcome.status, Status::Skipped);
    assert_eq!(outcome.gate.as_deref(), Some("gate"));
    assert_eq!(outcome.skills[1].detail.as_deref(), Some("not now"));
    assert_eq!(
        outcome.skills[2].detail.as_deref(),
        Some("gate ended the run")
    );
    assert_eq!((outcome.error, outcome.recoverable), (None, false));
}

#[tokio::test]
async fn a_failure_before_a_gate_stays_a_failure() {
    let stage = Stage::with(&[("a", &[Act::Fail]), ("gate", &[Act::Stop])]).rules(no_retries());
    let outcome = stage.play().await;
    assert_eq!((outcome.status, outcome.gate), (Status::Failed, None));
}

#[tokio::test]
async fn a_recoverable_error_is_retried_so_often_and_may_be_overcome() {
    let rules = ExecutionRules {
        max_retries: 2,
        ..ExecutionRules::default()
    };
    let stage = Stage::with(&[("a", &[Act::Fail, Act::Done])]).rules(rules);
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), outcome.status),
        ("a a", Status::Succeeded)
    );
    assert!(
        outcome.skills[0].duration_ms >= 50,
        "the wait counts: {outcome:?}"
    );

    let stage = Stage::with(&[("a", &[Act::Fail])]).rules(rules);
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), outcome.status),
        ("a a a", Status::Failed)
    );
    assert_eq!(outcome.error.as_deref(), Some("a: busy"));
    assert!(outcome.recoverable);
}

#[tokio::test]
async fn what_cannot_be_mended_and_what_posts_is_not_retried() {
    for (name, act, recoverable) in [
        ("a", Act::FailForGood, false),
        ("content_posting", Act::Fail, true),
    ] {
        let stage = Stage::with(&[(name, &[act])]);
        let outcome = stage.play().await;
        assert_eq!(
            (stage.calls().as_str(), outcome.recoverable),
            (name, recoverable)
        );
    }
}

#[tokio::test]
async fn the_rules_say_whether_the_skills_behind_a_failure_run() {
    for (act, continue_on_error, stop_on_unrecoverable, ends) in [
        (Act::Fail, true, true, "a! b+"),
        (Act::Fail, false, true, "a! b-"),
        (Act::Fail, true, false, "a! b+"),
        (Act::FailForGood, true, true, "a! b-"),
        (Act::FailForGood, true, false, "a! b+"),
        (Act::FailForGood, false, false, "a! b+"),
    ] {
        let rules = ExecutionRules {
            continue_on_error,
            stop_on_unrecoverable,
            max_retries: 0,
        };
        let stage = Stage::with(&[("a", &[act]), ("b", &[Act::Done])]).rules(rules);
        let outcome = stage.play().await;
        assert_eq!(
            (told(&outcome).as_str(), outcome.status),
            (ends, Status::Failed),
            "{rules:?}"
        );
    }
}

#[tokio::test]
async fn another_attempt_may_help_only_if_every_error_can_pass() {
    let rules = ExecutionRules {
        stop_on_unrecoverable: false,
        ..no_retries()
    };
    for (acts, recoverable) in [
        ([Act::Fail, Act::Fail], true),
        ([Act::Fail, Act::FailForGood], false),
        ([Act::FailForGood, Act::Fail], false),
        ([Act::Done, Act::Fail], true),
    ] {
        let [first, second] = acts;
        let stage = Stage::with(&[("a", &[first]), ("b", &[second])]).rules(rules);
        assert_eq!(stage.play().await.recoverable, recoverable);
    }
    let stage = Stage::with(&[("a", &[Act::Fail]), ("b", &[Act::FailForGood])]).rules(rules);
    assert_eq!(
        stage.play().await.error.as_deref(),
        Some("a: busy; b: broken")
    );
}

#[tokio::test]
async fn a_hold_that_the_platform_calls_for_is_passed_on() {
    let stage = Stage::with(&[("a", &[Act::Refused])]);
    let outcome = stage.play().await;
    assert_eq!(
        (outcome.hold, outcome.recoverable),
        (Some(HoldKind::Refused), false)
    );
}

#[tokio::test]
async fn an_unknown_skill_fails_the_run_and_says_what_was_meant() {
    let mut stage = Stage::with(&[]);
    stage.behaviour.skills.push(spec("content_postin"));
    let outcome = stage.play().await;
    let says =
        "content_postin: there is no skill `content_postin`; did you mean `content_posting`?";
    assert_eq!(
        (outcome.status, outcome.error.as_deref()),
        (Status::Failed, Some(says))
    );
}

#[tokio::test]
async fn a_panic_is_an_outcome_that_keeps_what_was_done_before() {
    let stage = Stage::with(&[
        ("a", &[Act::Done]),
        ("b", &[Act::Panic]),
        ("c", &[Act::Done]),
    ]);
    let outcome = stage.play().await;
    assert_eq!(
        (stage.calls().as_str(), told(&outcome).as_str()),
        ("a b", "a+ b! c-")
    );
    assert_eq!(
        (outcome.status, outcome.recoverable),
        (Status::Panicked, false)
    );
    assert_eq!(outcome.error.as_deref(), Some("b: panicked: lost it"));
    assert_eq!(
        outcome.skills[1].detail.as_deref(),
        Some("panicked: lost it")
    );
}

#[tokio::test]
async fn errors_are_one_line_of_bounded_length() {
    let text = format!("a\nb\x1b[31m\0{}", "é".repeat(100_000));
    for act in [Act::PanicText(text), Act::PanicOdd] {
        let outcome = Stage::with(&[("a", &[act])]).play().await;
        let texts = [
            outcome.error.unwrap(),
            outcome.skills[0].detail.clone().unwrap(),
        ];
        for text in texts {
            assert!(
                text.chars().count() <= 2000 && !text.contains(char::is_control),
                "{text}"
            );
            assert!(text.contains("panicked: "), "{text}");
        }
    }
}

#[tokio::test]
async fn a_dropped_attempt_leaves_its_finished_skills_in_the_callers_hands() {
    let stage = Stage::with(&[
        ("a", &[Act::Done]),
        ("b", &[Act::Hang]),
        ("c", &[Act::Done]),
    ]);
    let cut = tokio::time::timeout(Duration::from_millis(20), stage.play()).await;
    assert!(cut.is_err());
    assert_eq!(stage.progress.ended().len(), 1);
    let outcome =
        stage
            .progress
            .interrupted(&stage.behaviour, Status::TimedOut, "took longer than 20 ms");
    assert_eq!(told(&outcome), "a+ b! c-");
    assert_eq!(
        (outcome.status, outcome.recoverable),
        (Status::TimedOut, true)
    );
    assert_eq!(outcome.error.as_deref(), Some("b: took longer than 20 ms"));
    assert!(outcome.skills[1].duration_ms >= 10, "{outcome:?}");
}

#[tokio::test]
async fn an_attempt_dropped_between_retries_loses_nothing_either() {
    let stage = Stage::with(&[("a", &[Act::Done]), ("b", &[Act::Fail])]);
    let cut = tokio::time::timeout(Duration::from_millis(20), stage.play()).await;
    assert!(cut.is_err());
    let outcome = stage
        .progress
        .interrupted(&stage.behaviour, Status::Cancelled, "cancelled");
    assert_eq!(
        (stage.calls().as_str(), told(&outcome).as_str()),
        ("a b", "a+ b!")
    );
    assert_eq!(outcome.error.as_deref(), Some("b: cancelled"));
}

#[tokio::test]
async fn an_attempt_that_never_began_was_interrupted_before_its_first_skill() {
    let stage = Stage::with(&[("a", &[Act::Done])]);
    let outcome = stage
        .progress
        .interrupted(&stage.behaviour, Status::Abandoned, "stopping");
    assert_eq!(
        (told(&outcome).as_str(), outcome.error.as_deref()),
        ("a-", Some("stopping"))
    );
}

#[tokio::test]
async fn the_built_in_skills_make_and_post_a_message() {
    let (bot, desk) = (bot(), Desk::default());
    let mut formatter = spec("content_formatter");
    formatter.settings.insert(
        "template".into(),
        json!("{{ bot.title }} says {{ content.body }}"),
    );
    let behaviour = Behaviour {
        skills: vec![formatter, spec("content_posting")],
        ..Behaviour::default()
    };
    let context = run::run(&bot, &desk, json!({ "body": "hello" }));
    let progress = Progress::new();
    let outcome = run_attempt(&SkillSet::built_in(), &behaviour, context, &progress).await;
    assert_eq!(outcome.status, Status::Succeeded, "{outcome:?}");
    assert_eq!(desk.posts()[0].1.body, "The Herald says hello");
}

#[test]
fn an_attempt_can_run_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let stage = Stage::with(&[]);
    is_send(&stage.play());
}
