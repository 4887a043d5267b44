//! Accounting for slots and claiming them.

use actor_server::{
    domain::{
        hold::HoldKind,
        outcome::{Gap, Status},
        run::Trigger,
    },
    store::{Advance, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{change, claimed, fate, range, slot},
};

pub(crate) async fn a_claim_is_a_waiting_row_and_moves_next_run(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let row = a.row(&bot, id).await;
    assert_eq!(row.trigger, Trigger::Schedule);
    assert_eq!(row.status, Status::Running);
    assert_eq!(row.scheduled_for, Some(slot(0)));
    assert_eq!((row.slots, row.slot_last), (1, None));
    assert_eq!(row.replica.as_deref(), Some("a"));
    assert_eq!((row.attempt, row.skills), (1, [0, 0, 0]));
    assert_eq!((row.started_at, row.completed_at), (None, None));
    assert_eq!((row.success, row.reason, row.error), (None, None, None));
    assert_eq!(row.metadata, serde_json::json!({}));
    assert_eq!(a.state(&bot).await.next_run, Some(slot(1)));
}

pub(crate) async fn a_gap_grows_as_long_as_the_reason_stays(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let paused = Gap::Held(HoldKind::Manual);
    a.skip(&bot, 0, 2, paused).await;
    a.skip(&bot, 3, 3, paused).await;
    a.skip(&bot, 4, 9, paused).await;
    a.skip(&bot, 10, 11, Gap::Disabled).await;
    a.skip(&bot, 12, 12, paused).await;
    let rows = a.rows(&bot).await;
    let found: Vec<_> = rows.iter().map(|row| (fate(row), row.slots)).collect();
    let expected = [
        ("skipped/paused", 10),
        ("skipped/disabled", 2),
        ("skipped/paused", 1),
    ];
    assert_eq!(found, expected.map(|(fate, n)| (fate.to_owned(), n)));
    assert_eq!(rows[0].slot_last, Some(slot(9)));
    assert_eq!(a.slots(&bot).await.len(), 13);
}

pub(crate) async fn a_gap_of_one_slot_says_its_last_slot(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 0, Gap::Late).await;
    let rows = a.rows(&bot).await;
    assert_eq!(rows[0].scheduled_for, Some(slot(0)));
    assert_eq!(rows[0].slot_last, Some(slot(0)));
    assert_eq!((rows[0].replica.as_deref(), rows[0].success), (None, None));
    assert_eq!((rows[0].started_at, rows[0].completed_at), (None, None));
}

pub(crate) async fn each_reason_has_its_words(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let held = HoldKind::ALL.map(Gap::Held);
    let others = [
        Gap::Overlap,
        Gap::BreakerOpen,
        Gap::Disabled,
        Gap::Late,
        Gap::Window,
    ];
    for (n, gap) in (0_i64..).zip(held.into_iter().chain(others)) {
        a.skip(&bot, n, n, gap).await;
    }
    let fates: Vec<String> = a.slots(&bot).await.into_values().collect();
    let expected = [
        "skipped/paused",
        "skipped/failures",
        "skipped/refused",
        "skipped/given_up",
        "skipped/invalid",
        "skipped/overlap",
        "skipped/breaker_open",
        "skipped/disabled",
        "missed/late",
        "missed/window",
    ];
    assert_eq!(fates, expected);
}

pub(crate) async fn a_run_between_two_gaps_keeps_them_apart(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 1, Gap::Late).await;
    a.finish(&bot, 2, Status::Succeeded).await;
    a.skip(&bot, 3, 4, Gap::Late).await;
    let fates: Vec<_> = a.rows(&bot).await.iter().map(fate).collect();
    assert_eq!(fates, ["missed/late", "succeeded", "missed/late"]);
}

pub(crate) async fn a_gate_that_said_no_is_a_run_and_never_grows(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let mut gate = crate::process::outcome(Status::Skipped);
    gate.gate = Some("overlap".into());
    a.write(crate::process::ending(id, &bot, 0, gate)).await;
    a.skip(&bot, 1, 2, Gap::Overlap).await;
    let slots: Vec<_> = a.rows(&bot).await.iter().map(|row| row.slots).collect();
    assert_eq!(slots, [1, 2]);
}

pub(crate) async fn gaps_and_a_claim_go_together(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let gaps = vec![range(0, 4, Gap::Window), range(5, 8, Gap::Late)];
    let plan = a.plan(&bot, gaps, Some(9), Some(10)).await;
    let id = claimed(a.write(Write::Advance(plan)).await).unwrap();
    let fates: Vec<_> = a.rows(&bot).await.iter().map(fate).collect();
    assert_eq!(fates, ["missed/window", "missed/late", "running"]);
    assert_eq!(a.row(&bot, id).await.scheduled_for, Some(slot(9)));
    assert_eq!(a.slots(&bot).await.len(), 10);
}

pub(crate) async fn a_plan_whose_premise_is_gone_changes_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let stored = a.state(&bot).await;
    let gaps = vec![range(0, 1, Gap::Late)];
    let good = a.plan(&bot, gaps, Some(2), Some(3)).await;
    let wrong = [
        Advance {
            expected_next: slot(1),
            ..good.clone()
        },
        Advance {
            expected_schedule: None,
            ..good.clone()
        },
        Advance {
            expected_schedule: Some("another".into()),
            ..good.clone()
        },
        Advance {
            expected_hold: Some(HoldKind::Manual),
            ..good.clone()
        },
    ];
    for plan in wrong {
        match a.write(Write::Advance(plan)).await {
            Written::Stale(Some(found)) => assert_eq!(*found, stored),
            other => panic!("{other:?}"),
        }
    }
    a.hold(&bot, HoldKind::Failures).await;
    let answer = a.write(Write::Advance(good.clone())).await;
    assert!(matches!(answer, Written::Stale(Some(_))), "{answer:?}");
    let ghost = Advance {
        bot: crate::process::name("ghost"),
        ..good
    };
    let answer = a.write(Write::Advance(ghost)).await;
    assert!(matches!(answer, Written::Stale(None)), "{answer:?}");
    assert!(a.rows(&bot).await.is_empty());
    assert_eq!(a.state(&bot).await.next_run, Some(slot(0)));
}

pub(crate) async fn a_slot_that_the_ledger_has_is_not_claimed_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.finish(&bot, 0, Status::Succeeded).await;
    a.skip(&bot, 1, 3, Gap::Late).await;
    for n in 0..4 {
        let old = a.state(&bot).await;
        let mut back = old.clone();
        back.next_run = Some(slot(n));
        a.write(change(&old, &back)).await;
        let plan = a.plan(&bot, Vec::new(), Some(n), Some(4)).await;
        assert_eq!(claimed(a.write(Write::Advance(plan)).await), None);
        assert_eq!(a.state(&bot).await.next_run, Some(slot(4)));
    }
    assert_eq!(a.slots(&bot).await.len(), 4);
}

pub(crate) async fn the_last_slot_of_all_leaves_no_next_run(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let plan = a.plan(&bot, Vec::new(), Some(0), None).await;
    assert!(claimed(a.write(Write::Advance(plan.clone())).await).is_some());
    assert_eq!(a.state(&bot).await.next_run, None);
    let again = a.write(Write::Advance(plan)).await;
    assert!(matches!(again, Written::Stale(Some(_))), "{again:?}");
}

pub(crate) async fn of_two_processes_with_one_plan_one_claims(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    for n in 0..20 {
        let plan = a.plan(&bot, Vec::new(), Some(n), Some(n + 1)).await;
        let (one, two) = tokio::join!(
            a.write(Write::Advance(plan.clone())),
            b.write(Write::Advance(plan))
        );
        let won = [&one, &two]
            .into_iter()
            .filter(|answer| matches!(answer, Written::Claimed(Some(_))));
        assert_eq!(won.count(), 1, "{one:?} {two:?}");
    }
    assert_eq!(a.slots(&bot).await.len(), 20);
}
