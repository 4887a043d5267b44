//! The end of a run, and what follows from it.

use actor_server::{
    domain::{
        hold::{Hold, HoldKind},
        outcome::{SkillOutcome, SkillStatus, Status},
    },
    store::{Start, Write, Written},
};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{Process, ending, fate, is_lost, outcome, slot, starting},
};

fn finished(answer: Written) -> (u32, Option<HoldKind>) {
    match answer {
        Written::Finished {
            consecutive_failures,
            hold,
        } => (consecutive_failures, hold.map(|hold| hold.kind)),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn every_status_has_its_columns(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let ends = [
        (Status::Succeeded, true),
        (Status::Failed, false),
        (Status::TimedOut, false),
        (Status::Panicked, false),
        (Status::Cancelled, false),
        (Status::Abandoned, false),
        (Status::Skipped, true),
    ];
    for (n, (status, success)) in (0_i64..).zip(ends) {
        let bot_n = a.register(&format!("bot{n}")).await;
        let id = a.run(&bot_n, 0).await;
        finished(a.write(ending(id, &bot_n, 0, outcome(status))).await);
        let row = a.row(&bot_n, id).await;
        assert_eq!((row.status, row.success), (status, Some(success)));
        assert_eq!(row.started_at, Some(slot(0)));
        let end = slot(0) + TimeDelta::milliseconds(500);
        assert_eq!(row.completed_at, Some(end));
        assert_eq!((row.slots, row.slot_last), (1, None));
        assert_eq!(row.error, outcome(status).error);
        assert_eq!(row.replica.as_deref(), Some("a"));
        assert_eq!(a.state(&bot_n).await.last_run, Some(slot(0)));
    }
    assert_eq!(a.state(&bot).await.last_run, None);
}

pub(crate) async fn a_gate_is_the_reason_and_no_failure(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    finished(a.finish(&bot, 0, Status::Failed).await);
    let answer = a.finish(&bot, 1, Status::Skipped).await;
    assert_eq!(finished(answer), (0, None));
    let rows = a.rows(&bot).await;
    assert_eq!(fate(&rows[1]), "skipped/rate_limiting");
    assert_eq!(rows[1].started_at, Some(slot(1)));
}

pub(crate) async fn skills_are_counted(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let skill = |status| SkillOutcome {
        skill: "content_formatter".into(),
        status,
        detail: None,
        duration_ms: 3,
    };
    let mut end = outcome(Status::Failed);
    end.skills = [
        SkillStatus::Succeeded,
        SkillStatus::Failed,
        SkillStatus::Skipped,
        SkillStatus::Succeeded,
        SkillStatus::Succeeded,
    ]
    .map(skill)
    .into();
    a.write(ending(id, &bot, 0, end)).await;
    assert_eq!(a.row(&bot, id).await.skills, [3, 1, 1]);
}

pub(crate) async fn failures_in_a_row_are_counted_and_set_a_hold(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let failures = [Status::Failed, Status::TimedOut, Status::Panicked];
    for (n, status) in (0_u32..).zip(failures) {
        let (count, hold) = finished(a.finish(&bot, n.into(), status).await);
        assert_eq!(count, n + 1);
        assert_eq!(hold, (count == 3).then_some(HoldKind::Failures));
    }
    let state = a.state(&bot).await;
    assert_eq!(state.consecutive_failures, 3);
    let hold = state.hold.unwrap();
    assert_eq!(hold.reason, "3 failed runs in a row");
    assert_eq!((hold.until, hold.by.as_str()), (None, "actor-server"));
}

pub(crate) async fn a_success_between_failures_begins_the_count_anew(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let course = [
        (Status::Failed, 1),
        (Status::Failed, 2),
        (Status::Succeeded, 0),
        (Status::Failed, 1),
    ];
    for (n, (status, count)) in (0..).zip(course) {
        assert_eq!(finished(a.finish(&bot, n, status).await), (count, None));
    }
}

pub(crate) async fn a_cancelled_or_abandoned_run_counts_for_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    finished(a.finish(&bot, 0, Status::Failed).await);
    finished(a.finish(&bot, 1, Status::Failed).await);
    for (n, status) in [(2, Status::Cancelled), (3, Status::Abandoned)] {
        assert_eq!(finished(a.finish(&bot, n, status).await), (2, None));
    }
}

pub(crate) async fn a_run_whose_post_waits_for_its_downstream_counts_for_nothing(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    finished(a.finish(&bot, 0, Status::Failed).await);
    let id = a.run(&bot, 1).await;
    let mut end = ending(id, &bot, 1, outcome(Status::Failed));
    if let Write::Finish(end) = &mut end {
        end.metadata = json!({ "post_waits": true });
    }
    assert_eq!(finished(a.write(end).await), (1, None));
    let row = a.row(&bot, id).await;
    assert_eq!((row.status, row.success), (Status::Failed, Some(false)));
    assert_eq!(a.state(&bot).await.last_run, Some(slot(1)));
}

pub(crate) async fn a_refusal_sets_its_hold_at_once(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let mut end = outcome(Status::Failed);
    (end.hold, end.error) = (Some(HoldKind::Refused), Some("403 Missing Access".into()));
    let answer = a.write(ending(id, &bot, 0, end)).await;
    assert_eq!(finished(answer), (1, Some(HoldKind::Refused)));
    let hold = Hold::by_server(HoldKind::Refused, "403 Missing Access");
    assert_eq!(a.state(&bot).await.hold, Some(hold));
}

pub(crate) async fn a_hold_that_stands_is_not_replaced_by_a_finish(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut runs = Vec::new();
    for n in 0..4 {
        runs.push(a.run(&bot, n).await);
    }
    a.hold(&bot, HoldKind::Manual).await;
    for (n, id) in (0..).zip(runs) {
        let mut end = outcome(Status::Failed);
        end.hold = Some(HoldKind::Refused);
        let (_, hold) = finished(a.write(ending(id, &bot, n, end)).await);
        assert_eq!(hold, Some(HoldKind::Manual));
    }
    assert_eq!(a.state(&bot).await.consecutive_failures, 4);
}

pub(crate) async fn a_finish_stores_a_start_that_was_not_stored(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    finished(
        a.write(ending(id, &bot, 0, outcome(Status::Succeeded)))
            .await,
    );
    assert_eq!(a.row(&bot, id).await.started_at, Some(slot(0)));
    let state = a.state(&bot).await;
    assert_eq!((state.last_run, state.runs), (Some(slot(0)), 1));
}

pub(crate) async fn an_older_run_does_not_move_last_run_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (old, new) = (a.claim(&bot, 0).await, a.run(&bot, 1).await);
    a.write(Write::Start(starting(old, &bot, slot(0)))).await;
    assert_eq!(a.state(&bot).await.last_run, Some(slot(1)));
    for (n, id) in [(1, new), (0, old)] {
        a.write(ending(id, &bot, n, outcome(Status::Succeeded)))
            .await;
        assert_eq!(a.state(&bot).await.last_run, Some(slot(1)));
    }
}

pub(crate) async fn a_result_of_a_row_that_is_not_ours_is_lost(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let before = snapshot(&a).await;
    let failed = ending(id, &bot, 0, outcome(Status::Failed));
    assert!(is_lost(&b.write(failed.clone()).await));
    assert_eq!(snapshot(&a).await, before);
    finished(
        a.write(ending(id, &bot, 0, outcome(Status::Succeeded)))
            .await,
    );
    let before = snapshot(&a).await;
    assert!(is_lost(&a.write(failed).await));
    assert_eq!(snapshot(&a).await, before);
}

async fn snapshot(process: &Process) -> String {
    let states = process.store.states().await.unwrap();
    let rows = process.store.ledger(None, i64::MAX).await.unwrap();
    format!("{states:?} {rows:?}")
}

pub(crate) async fn metadata_is_put_over_what_was_stored(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    let start = Start {
        scheduled: false,
        ..starting(id, &bot, slot(0))
    };
    a.write(Write::Start(start)).await;
    let Write::Finish(mut end) = ending(id, &bot, 0, outcome(Status::Succeeded)) else {
        unreachable!()
    };
    end.attempt = 3;
    end.metadata = json!({"skills": [1, "two", null], "note": "ünïcode 🦀"});
    let expected = end.metadata.clone();
    a.write(Write::Finish(end)).await;
    let row = a.row(&bot, id).await;
    assert_eq!((row.attempt, row.metadata), (3, expected));
}

pub(crate) async fn the_last_success_is_the_end_of_the_newest_run_that_did_its_work(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let end = |n| Some(slot(n) + TimeDelta::milliseconds(500));
    for (n, status) in [(0, Status::Failed), (1, Status::Skipped)] {
        a.finish(&bot, n, status).await;
        assert_eq!(a.state(&bot).await.last_success, None);
    }
    let (older, newer) = (a.run(&bot, 2).await, a.run(&bot, 3).await);
    a.write(ending(newer, &bot, 3, outcome(Status::Succeeded)))
        .await;
    assert_eq!(a.state(&bot).await.last_success, end(3));
    a.write(ending(older, &bot, 2, outcome(Status::Succeeded)))
        .await;
    assert_eq!(a.state(&bot).await.last_success, end(3));
    for (n, key) in [(4, "dry_run"), (5, "post_waits")] {
        let id = a.run(&bot, n).await;
        let Write::Finish(mut dry) = ending(id, &bot, n, outcome(Status::Succeeded)) else {
            unreachable!();
        };
        dry.metadata = json!({ key: true });
        a.write(Write::Finish(dry)).await;
        assert_eq!(a.state(&bot).await.last_success, end(3));
    }
    a.finish(&bot, 6, Status::Panicked).await;
    assert_eq!(a.state(&bot).await.last_success, end(3));
}
