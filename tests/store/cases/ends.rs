//! Claims that end without a run.

use actor_server::{
    domain::{
        bot::BotName,
        hold::HoldKind,
        outcome::{Gap, Status},
        run::ExecutionId,
    },
    store::{Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{Process, change, claimed, fate, is_lost, range, slot},
};

async fn decline(process: &Process, execution: ExecutionId, gap: Gap) {
    let answer = process.write(Write::Decline { execution, gap }).await;
    assert!(matches!(answer, Written::Done), "{answer:?}");
}

async fn release(process: &Process, execution: ExecutionId) {
    let answer = process.write(Write::Release { execution }).await;
    assert!(matches!(answer, Written::Done), "{answer:?}");
}

async fn fates(process: &Process, bot: &BotName) -> Vec<(i64, String)> {
    process.slots(bot).await.into_iter().collect()
}

fn of<const N: usize>(expected: [(i64, &str); N]) -> Vec<(i64, String)> {
    expected.map(|(n, fate)| (n, fate.to_owned())).into()
}

pub(crate) async fn a_declined_claim_becomes_a_gap(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 0, Gap::Late).await;
    let id = a.claim(&bot, 1).await;
    decline(&a, id, Gap::BreakerOpen).await;
    let rows = a.rows(&bot).await;
    assert_eq!(fate(&rows[1]), "skipped/breaker_open");
    assert_eq!((rows[1].slots, rows[1].slot_last), (1, Some(slot(1))));
    assert_eq!((rows[1].replica.as_deref(), rows[1].success), (None, None));
    assert_eq!((rows[1].started_at, rows[1].completed_at), (None, None));
    assert_eq!(a.state(&bot).await.next_run, Some(slot(2)));
}

pub(crate) async fn a_declined_claim_makes_the_gap_before_it_grow(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for n in 0..5 {
        let id = a.claim(&bot, n).await;
        decline(&a, id, Gap::Overlap).await;
    }
    a.skip(&bot, 5, 6, Gap::Overlap).await;
    let rows = a.rows(&bot).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].slots, rows[0].slot_last), (7, Some(slot(6))));
    assert_eq!(a.slots(&bot).await.len(), 7);
}

pub(crate) async fn a_declined_claim_leaves_gaps_after_it_alone(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let waiting = a.claim(&bot, 0).await;
    a.skip(&bot, 1, 3, Gap::Overlap).await;
    decline(&a, waiting, Gap::Overlap).await;
    assert_eq!(
        fates(&a, &bot).await,
        of([0, 1, 2, 3].map(|n| (n, "skipped/overlap")))
    );
    a.skip(&bot, 4, 4, Gap::Overlap).await;
    assert_eq!(a.slots(&bot).await.len(), 5);
}

pub(crate) async fn a_released_slot_is_next_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 0, Gap::Late).await;
    let id = a.claim(&bot, 1).await;
    release(&a, id).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(1)));
    assert_eq!(fates(&a, &bot).await, of([(0, "missed/late")]));
    let again = a.claim(&bot, 1).await;
    assert_ne!(again, id);
}

pub(crate) async fn a_released_slot_before_later_ones_is_missed(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 0, Gap::Late).await;
    let waiting = a.claim(&bot, 1).await;
    a.finish(&bot, 2, Status::Succeeded).await;
    release(&a, waiting).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(3)));
    let rows = a.rows(&bot).await;
    assert_eq!((fate(&rows[0]), rows[0].slots), ("missed/late".into(), 2));
    assert_eq!(fate(&rows[1]), "succeeded");
}

pub(crate) async fn a_released_slot_leaves_an_earlier_next_run_alone(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let waiting = a.claim(&bot, 5).await;
    let old = a.state(&bot).await;
    let mut back = old.clone();
    back.next_run = Some(slot(2));
    a.write(change(&old, &back)).await;
    release(&a, waiting).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(2)));
    assert!(a.rows(&bot).await.is_empty());
}

pub(crate) async fn a_released_last_slot_is_next_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let plan = a.plan(&bot, Vec::new(), Some(0), None).await;
    let last = claimed(a.write(Write::Advance(plan)).await).unwrap();
    assert_eq!(a.state(&bot).await.next_run, None);
    release(&a, last).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(0)));
}

pub(crate) async fn claims_released_from_the_newest_on_are_all_next_again(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut claims = Vec::new();
    for n in 0..4 {
        claims.push(a.claim(&bot, n).await);
    }
    for id in claims.into_iter().rev() {
        release(&a, id).await;
    }
    assert!(a.rows(&bot).await.is_empty());
    assert_eq!(a.state(&bot).await.next_run, Some(slot(0)));
}

pub(crate) async fn a_claim_given_back_too_late_under_a_hold_has_the_holds_reason(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (first, second) = (a.claim(&bot, 0).await, a.claim(&bot, 1).await);
    a.hold(&bot, HoldKind::Manual).await;
    release(&a, first).await;
    release(&a, second).await;
    assert_eq!(fates(&a, &bot).await, of([(0, "skipped/paused")]));
    assert_eq!(a.state(&bot).await.next_run, Some(slot(1)));
}

pub(crate) async fn a_released_trigger_is_abandoned(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    release(&a, id).await;
    let row = a.row(&bot, id).await;
    assert_eq!((row.status, row.success), (Status::Abandoned, Some(false)));
    assert!(row.completed_at.is_some() && row.error.is_some());
    assert_eq!(a.state(&bot).await.next_run, Some(slot(0)));
}

pub(crate) async fn a_run_that_started_can_be_neither_declined_nor_released(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let execution = a.run(&bot, 0).await;
    let gap = Gap::Held(HoldKind::Manual);
    assert!(is_lost(&a.write(Write::Decline { execution, gap }).await));
    assert!(is_lost(&a.write(Write::Release { execution }).await));
    assert_eq!(fates(&a, &bot).await, of([(0, "running")]));
}

pub(crate) async fn somebody_elses_claim_can_be_neither_declined_nor_released(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let execution = a.claim(&bot, 0).await;
    let gap = Gap::Late;
    assert!(is_lost(&b.write(Write::Decline { execution, gap }).await));
    assert!(is_lost(&b.write(Write::Release { execution }).await));
    assert_eq!(fates(&a, &bot).await, of([(0, "running")]));
    decline(&a, execution, gap).await;
    assert!(is_lost(&a.write(Write::Decline { execution, gap }).await));
    assert!(is_lost(&a.write(Write::Release { execution }).await));
    let plan = a.plan(&bot, vec![range(1, 1, gap)], None, Some(2)).await;
    a.write(Write::Advance(plan)).await;
    assert_eq!(a.rows(&bot).await.len(), 1);
}
