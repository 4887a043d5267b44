//! What becomes of claims when the schedule that took them ends.

use actor_server::{
    domain::{
        bot::BotName,
        hold::{Hold, HoldKind},
        outcome::{Gap, Status},
        run::ExecutionId,
        state::BotState,
    },
    store::{Start, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{Process, change_at, ending, fate, is_lost, message, outcome, range, slot, starting},
};

fn stored(answer: Written) -> BotState {
    match answer {
        Written::State(state) => *state,
        other => panic!("{other:?}"),
    }
}

/// `a` runs slot 0, and slots 1 to 4 are claimed, the last two by `b`.
async fn at_work(fixture: &dyn Fixture) -> (Process, Process, BotName, Vec<ExecutionId>) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let mut ids = vec![a.run(&bot, 0).await];
    for (process, n) in [(&a, 1), (&a, 2), (&b, 3), (&b, 4)] {
        ids.push(process.claim(&bot, n).await);
    }
    (a, b, bot, ids)
}

/// Whatever is sent about a claim that is gone changes nothing.
async fn is_gone(process: &Process, bot: &BotName, execution: ExecutionId) {
    let gap = Gap::Overlap;
    for write in [
        Write::Start(starting(execution, bot, slot(5))),
        Write::StorePost(message(execution, bot, 5)),
        Write::Decline { execution, gap },
        Write::Release { execution },
        ending(execution, bot, 5, outcome(Status::Succeeded)),
    ] {
        assert!(is_lost(&process.write(write).await));
    }
}

pub(crate) async fn an_edited_schedule_ends_the_claims_of_the_old_one(fixture: &dyn Fixture) {
    let (a, b, bot, ids) = at_work(fixture).await;
    let trigger = b.trigger(&bot).await;
    let old = a.state(&bot).await;
    let new = BotState {
        schedule: Some("another".into()),
        next_run: Some(slot(9)),
        ..old.clone()
    };
    assert_eq!(stored(a.write(change_at(&old, &new, 3, vec![])).await), new);
    let rows = a.rows(&bot).await;
    let fates: Vec<_> = rows.iter().map(fate).collect();
    assert_eq!(fates, ["running", "missed/late", "running"]);
    assert_eq!((rows[1].scheduled_for, rows[1].slots), (Some(slot(1)), 3));
    assert_eq!(rows[1].slot_last, Some(slot(3)));
    for (process, id) in [(&a, ids[1]), (&a, ids[2]), (&b, ids[3]), (&b, ids[4])] {
        is_gone(process, &bot, id).await;
    }
    assert_eq!(a.state(&bot).await, new);
    let run = ending(ids[0], &bot, 0, outcome(Status::Succeeded));
    assert!(!is_lost(&a.write(run).await));
    let manual = Start {
        scheduled: false,
        ..starting(trigger, &bot, slot(5))
    };
    assert!(!is_lost(&b.write(Write::Start(manual)).await));
}

pub(crate) async fn a_removal_ends_the_claims_of_the_bot(fixture: &dyn Fixture) {
    let (a, b, bot, ids) = at_work(fixture).await;
    let old = a.state(&bot).await;
    let retired = BotState {
        next_run: None,
        removed: true,
        ..old.clone()
    };
    a.write(change_at(&old, &retired, 1, vec![])).await;
    let slots: Vec<_> = a.slots(&bot).await.into_iter().collect();
    assert_eq!(
        slots,
        [(0, "running".into()), (1, "missed/late".to_owned())]
    );
    is_gone(&a, &bot, ids[1]).await;
    is_gone(&b, &bot, ids[4]).await;
    assert_eq!(a.state(&bot).await, retired);
}

pub(crate) async fn what_was_claimed_and_what_is_owed_make_one_gap(fixture: &dyn Fixture) {
    let (a, _, bot, _) = at_work(fixture).await;
    let old = a.state(&bot).await;
    let new = BotState {
        schedule: Some("another".into()),
        next_run: Some(slot(20)),
        ..old.clone()
    };
    let owed = vec![range(5, 9, Gap::Late)];
    a.write(change_at(&old, &new, 9, owed)).await;
    let rows = a.rows(&bot).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].slots, rows[1].slot_last), (9, Some(slot(9))));
    assert_eq!(a.slots(&bot).await.len(), 10);
}

pub(crate) async fn claims_outlive_an_edit_that_leaves_the_schedule_alone(fixture: &dyn Fixture) {
    let (a, b, bot, ids) = at_work(fixture).await;
    let old = a.state(&bot).await;
    let new = BotState {
        actor_name: "Another title".into(),
        hold: Some(Hold::by_server(HoldKind::Invalid, "line 3")),
        ..old.clone()
    };
    a.write(change_at(&old, &new, 3, vec![])).await;
    let open = a.slots(&bot).await;
    assert!(open.values().all(|fate| fate == "running"), "{open:?}");
    b.write(Write::Release { execution: ids[4] }).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(4)));
}

pub(crate) async fn a_schedule_that_comes_back_does_not_bring_its_claims_back(
    fixture: &dyn Fixture,
) {
    let (a, b, bot, ids) = at_work(fixture).await;
    let mut seen = a.state(&bot).await;
    let first = seen.schedule.clone();
    for (at, schedule) in [(1, Some("another".into())), (2, first)] {
        let planned = BotState {
            schedule,
            next_run: Some(slot(at + 1)),
            ..seen.clone()
        };
        seen = stored(a.write(change_at(&seen, &planned, at, vec![])).await);
    }
    is_gone(&b, &bot, ids[3]).await;
    let again = b.claim(&bot, 3).await;
    let start = Write::Start(starting(again, &bot, slot(3)));
    assert!(matches!(b.write(start).await, Written::Started { .. }));
    assert_eq!(a.state(&bot).await.next_run, Some(slot(4)));
}
