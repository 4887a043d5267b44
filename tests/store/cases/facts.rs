//! What committed transactions have made true is told once, by the process that did it.

use std::collections::HashMap;

use actor_server::{
    domain::{
        fact::{Accounted, Fact},
        hold::{Hold, HoldKind},
        outcome::{Gap, Status},
        run::Trigger,
        state::BotState,
    },
    store::{Start, Write, Written},
};
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{
        Process, change, change_at, ending, event, insertion, message, outcome, range, slot,
        starting, state,
    },
    tally::Tally,
};

/// Status, reason, slots, the first and the last of them, and whether it ran.
type End = (&'static str, String, u64, Option<(i64, i64)>, bool);

/// What has come to its end since this was asked last.
fn ends(process: &Process) -> Vec<End> {
    let facts = process.store.facts().into_iter();
    let accounted = facts.filter_map(|fact| match fact {
        Fact::Accounted(accounted) => Some(accounted),
        Fact::HoldSet { .. } | Fact::HoldCleared { .. } => None,
    });
    let words = |one: Accounted| {
        let index = crate::process::index;
        let range = one.range.map(|(first, last)| (index(first), index(last)));
        let reason = one.reason.unwrap_or_default();
        (one.status.as_str(), reason, one.slots, range, one.ran)
    };
    accounted.map(words).collect()
}

/// The holds that were set (by kind) and ended since this was asked last.
fn holds(process: &Process) -> Vec<Option<HoldKind>> {
    let facts = process.store.facts().into_iter();
    facts
        .filter_map(|fact| match fact {
            Fact::Accounted(_) => None,
            Fact::HoldSet { hold, .. } => Some(Some(hold.kind)),
            Fact::HoldCleared { .. } => Some(None),
        })
        .collect()
}

fn gap(status: &'static str, reason: &str, first: i64, last: i64) -> End {
    let slots = u64::try_from(last - first + 1).unwrap();
    (status, reason.into(), slots, Some((first, last)), false)
}

fn run(status: &'static str, n: i64) -> End {
    (status, String::new(), 1, Some((n, n)), true)
}

pub(crate) async fn every_end_of_a_run_is_told_once(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let statuses = [
        Status::Failed,
        Status::TimedOut,
        Status::Succeeded,
        Status::Panicked,
        Status::Cancelled,
        Status::Abandoned,
    ];
    for (n, status) in (0..).zip(statuses) {
        a.finish(&bot, n, status).await;
        assert_eq!(ends(&a), [run(status.as_str(), n)]);
        assert_eq!(a.store.facts(), []);
    }
    a.finish(&bot, 6, Status::Skipped).await;
    let gated = ("skipped", "rate_limiting".into(), 1, Some((6, 6)), true);
    assert_eq!(ends(&a), [gated]);
}

pub(crate) async fn what_changes_no_end_tells_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    a.post(message(id, &bot, 0)).await;
    let waits = a.claim(&bot, 1).await;
    a.write(Write::Release { execution: waits }).await;
    a.write(insertion(&state("bot"))).await;
    assert_eq!(a.store.facts(), []);
    let end = ending(id, &bot, 0, outcome(Status::Succeeded));
    a.write(end.clone()).await;
    assert_eq!(ends(&a), [run("succeeded", 0)]);
    assert!(matches!(a.write(end).await, Written::Lost));
    assert_eq!(a.store.facts(), []);
}

pub(crate) async fn a_range_that_grows_tells_of_its_growth(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 4, Gap::Held(HoldKind::Manual)).await;
    a.skip(&bot, 5, 6, Gap::Held(HoldKind::Manual)).await;
    let gaps = vec![
        range(7, 7, Gap::Held(HoldKind::Manual)),
        range(8, 9, Gap::Late),
    ];
    let plan = a.plan(&bot, gaps, Some(10), Some(11)).await;
    a.write(Write::Advance(plan)).await;
    let told = [
        gap("skipped", "paused", 0, 4),
        gap("skipped", "paused", 5, 6),
        gap("skipped", "paused", 7, 7),
        gap("missed", "late", 8, 9),
    ];
    assert_eq!(ends(&a), told);
}

pub(crate) async fn a_claim_that_becomes_a_gap_is_told_wherever_it_stands(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (first, second) = (a.claim(&bot, 0).await, a.claim(&bot, 1).await);
    let third = a.claim(&bot, 2).await;
    for (execution, gap) in [(first, Gap::Overlap), (second, Gap::Overlap)] {
        a.write(Write::Decline { execution, gap }).await;
    }
    assert_eq!(
        ends(&a),
        [
            gap("skipped", "overlap", 0, 0),
            gap("skipped", "overlap", 1, 1)
        ]
    );
    a.claim(&bot, 3).await;
    a.write(Write::Release { execution: third }).await;
    assert_eq!(ends(&a), [gap("missed", "late", 2, 2)]);
}

pub(crate) async fn runs_without_a_slot_are_told_without_slots(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (ends_well, declined) = (a.trigger(&bot).await, a.trigger(&bot).await);
    let given_back = a.event(&bot, "key").await;
    a.write(ending(ends_well, &bot, 0, outcome(Status::Succeeded)))
        .await;
    a.write(Write::Decline {
        execution: declined,
        gap: Gap::Overlap,
    })
    .await;
    a.write(Write::Release {
        execution: given_back,
    })
    .await;
    let told = [
        ("succeeded", String::new(), 0, None, true),
        ("skipped", "overlap".into(), 0, None, false),
        ("abandoned", String::new(), 0, None, true),
    ];
    assert_eq!(ends(&a), told);
}

pub(crate) async fn what_an_edit_ends_and_owes_is_told(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.claim(&bot, 0).await;
    a.claim(&bot, 1).await;
    let old = a.state(&bot).await;
    let new = BotState {
        schedule: Some("another".into()),
        next_run: Some(slot(5)),
        ..old.clone()
    };
    let owed = vec![range(2, 3, Gap::Window)];
    a.write(change_at(&old, &new, 0, owed)).await;
    assert_eq!(
        ends(&a),
        [gap("missed", "late", 0, 0), gap("missed", "window", 2, 3)]
    );
}

pub(crate) async fn a_claim_by_another_schedule_is_told_only_if_it_had_run(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let fresh = a.claim(&bot, 0).await;
    let outdated = Write::Start(Start {
        schedule: Some("another".into()),
        ..starting(fresh, &bot, slot(0))
    });
    assert!(matches!(a.write(outdated).await, Written::Outdated));
    assert_eq!(a.store.facts(), []);
    let cut_off = a.run(&bot, 1).await;
    fixture.kill(&a.id).await;
    let b = fixture.join("b").await;
    fixture.age(&b.id).await;
    let again = HashMap::from([(bot.clone(), 3)]);
    b.store.rescue(&b.id, &again, slot(2)).await.unwrap();
    assert_eq!(b.store.facts(), []);
    let outdated = Write::Start(Start {
        schedule: Some("another".into()),
        ..starting(cut_off, &bot, slot(2))
    });
    assert!(matches!(b.write(outdated).await, Written::Outdated));
    assert_eq!(ends(&b), [run("abandoned", 1)]);
}

pub(crate) async fn what_a_rescue_settles_is_told(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.run(&bot, 0).await;
    a.claim(&bot, 1).await;
    a.claim(&bot, 2).await;
    let trigger = a.trigger(&bot).await;
    a.write(Write::Start(Start {
        scheduled: false,
        ..starting(trigger, &bot, slot(3))
    }))
    .await;
    a.run(&bot, 3).await;
    fixture.kill(&a.id).await;
    let b = fixture.join("b").await;
    fixture.age(&b.id).await;
    let rescued = b.store.rescue(&b.id, &HashMap::new(), slot(9)).await;
    assert_eq!(rescued.unwrap().len(), 5);
    let mut told = ends(&b);
    told.sort();
    let mut settled = vec![
        run("abandoned", 3),
        gap("missed", "late", 2, 2),
        gap("missed", "late", 1, 1),
        run("abandoned", 0),
        ("abandoned", String::new(), 0, None, true),
    ];
    settled.sort();
    assert_eq!(told, settled);
}

pub(crate) async fn a_batch_that_fails_tells_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (one, two) = (a.run(&bot, 0).await, a.run(&bot, 1).await);
    a.post(message(one, &bot, 0)).await;
    let mut doubled = message(two, &bot, 1);
    doubled.nonce = message(one, &bot, 0).nonce;
    let batch = [
        ending(one, &bot, 0, outcome(Status::Failed)),
        Write::SetHold {
            bot: bot.clone(),
            hold: Hold::by_server(HoldKind::Manual, "a test"),
            replace: true,
        },
        Write::StorePost(doubled),
    ];
    a.try_write(&batch).await.unwrap_err();
    assert_eq!(a.store.facts(), []);
    a.write(ending(one, &bot, 0, outcome(Status::Failed))).await;
    assert_eq!(ends(&a), [run("failed", 0)]);
}

pub(crate) async fn a_caller_that_goes_away_takes_no_fact_along(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut told = Tally::default();
    for n in 0..40 {
        let id = a.run(&bot, n).await;
        let end = [ending(id, &bot, n, outcome(Status::Succeeded))];
        let write = a.try_write(&end);
        let patience = std::time::Duration::from_micros(u64::try_from(n).unwrap() * 50);
        // Whether it is carried out is decided now; the next write comes after it.
        drop(tokio::time::timeout(patience, write).await);
        a.write(ending(id, &bot, n, outcome(Status::Succeeded)))
            .await;
        told.add(a.store.facts());
    }
    let ledger = Tally::of_ledger(&a.rows(&bot).await);
    // Whoever wrote for the last caller hands over what it made true just after the ledger has it.
    let last = async {
        while told != ledger {
            tokio::task::yield_now().await;
            told.add(a.store.facts());
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), last).await;
    assert_eq!(told, ledger);
}

pub(crate) async fn a_hold_is_told_when_its_kind_changes(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for n in 0..3 {
        a.finish(&bot, n, Status::Failed).await;
    }
    assert_eq!(holds(&a), [Some(HoldKind::Failures)]);
    a.hold(&bot, HoldKind::Failures).await;
    a.write(Write::SetHold {
        bot: bot.clone(),
        hold: Hold::by_server(HoldKind::Manual, "a test"),
        replace: false,
    })
    .await;
    assert_eq!(holds(&a), []);
    a.hold(&bot, HoldKind::Manual).await;
    assert_eq!(holds(&a), [Some(HoldKind::Manual)]);
    for _ in 0..2 {
        let bot = bot.clone();
        a.write(Write::ClearHold { bot, kind: None }).await;
    }
    assert_eq!(holds(&a), [None]);
    let held = |kind| Write::SetHold {
        bot: bot.clone(),
        hold: Hold::by_server(kind, "a test"),
        replace: true,
    };
    let cleared = Write::ClearHold {
        bot: bot.clone(),
        kind: None,
    };
    let batch = [held(HoldKind::Refused), cleared, held(HoldKind::GivenUp)];
    a.try_write(&batch).await.unwrap();
    let told = [Some(HoldKind::Refused), None, Some(HoldKind::GivenUp)];
    assert_eq!(holds(&a), told);
}

pub(crate) async fn a_registration_tells_of_the_hold_that_it_sets_or_ends(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let broken = BotState {
        hold: Some(Hold::by_server(HoldKind::Invalid, "line 3")),
        ..state("bot")
    };
    a.write(insertion(&broken)).await;
    assert_eq!(holds(&a), [Some(HoldKind::Invalid)]);
    a.write(change(&broken, &broken)).await;
    assert_eq!(holds(&a), []);
    a.write(change(&broken, &state("bot"))).await;
    assert_eq!(holds(&a), [None]);
    a.write(change(&broken, &broken)).await;
    assert_eq!(holds(&a), [], "its premise is gone");
}

pub(crate) async fn an_end_is_told_before_the_hold_that_follows_from_it(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let mut refused = outcome(Status::Failed);
    refused.hold = Some(HoldKind::Refused);
    a.write(ending(id, &bot, 0, refused)).await;
    let told = a.store.facts();
    assert!(
        matches!(&told[..], [Fact::Accounted(_), Fact::HoldSet { .. }]),
        "{told:?}"
    );
}

pub(crate) async fn a_repeated_event_tells_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.event(&bot, "key").await;
    a.repeat(&bot, "key").await;
    assert_eq!(a.store.facts(), []);
    a.write(ending(id, &bot, 0, outcome(Status::Succeeded)))
        .await;
    let again = event(&bot, "key");
    assert!(matches!(a.write(again).await, Written::Repeated(_)));
    assert_eq!(ends(&a).len(), 1);
    let dry = Write::Insert {
        bot: bot.clone(),
        trigger: Trigger::Manual,
        metadata: json!({"dry_run": true}),
        key: None,
    };
    a.write(dry).await;
    assert_eq!(a.store.facts(), []);
}
