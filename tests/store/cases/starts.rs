//! The start of a run, where everything that stands against it is decided.

use actor_server::{
    domain::{
        hold::{Hold, HoldKind},
        outcome::{Gap, Status},
        run::Trigger,
    },
    store::{Start, Write, Written},
};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    fixture::Fixture,
    process::{ending, is_lost, outcome, slot, starting},
};

fn started(answer: Written) -> bool {
    match answer {
        Written::Started { finished, .. } => finished,
        other => panic!("{other:?}"),
    }
}

fn another_waits(answer: Written) -> bool {
    match answer {
        Written::Busy { another_waits } => another_waits,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_start_is_stored_and_counted(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let at = slot(0) + TimeDelta::microseconds(1_234);
    assert!(!started(
        a.write(Write::Start(starting(id, &bot, at))).await
    ));
    let row = a.row(&bot, id).await;
    assert_eq!((row.status, row.started_at), (Status::Running, Some(at)));
    let state = a.state(&bot).await;
    assert_eq!((state.runs, state.last_run), (1, Some(at)));
}

pub(crate) async fn a_start_is_refused_to_whoever_does_not_own_the_waiting_row(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let start = Write::Start(starting(id, &bot, slot(0)));
    assert!(is_lost(&b.write(start.clone()).await));
    assert!(!started(a.write(start.clone()).await));
    let later = slot(0) + TimeDelta::microseconds(1);
    let another = Write::Start(starting(id, &bot, later));
    assert!(is_lost(&a.write(another).await));
    assert!(is_lost(&b.write(start.clone()).await));
    a.write(ending(id, &bot, 0, outcome(Status::Succeeded)))
        .await;
    assert!(is_lost(&a.write(start).await));
    assert_eq!(a.state(&bot).await.runs, 1);
}

pub(crate) async fn a_start_that_is_sent_again_is_answered_as_before_and_counted_once(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let at = slot(0) + TimeDelta::nanoseconds(1_234_567);
    for last in [false, true] {
        let start = Write::Start(Start {
            max_runs: Some(2),
            exclusive: true,
            ..starting(a.claim(&bot, i64::from(last)).await, &bot, at)
        });
        let both = [start.clone(), start.clone()];
        let mut answers = a.try_write(&both).await.unwrap();
        a.hold(&bot, HoldKind::Manual).await;
        answers.push(a.write(start).await);
        for answer in answers {
            assert_eq!(started(answer), last);
        }
        let bot = bot.clone();
        a.write(Write::ClearHold { bot, kind: None }).await;
        for row in a.store.live(&a.id).await.unwrap() {
            let end = ending(
                row.claim.execution,
                &row.claim.bot,
                0,
                outcome(Status::Failed),
            );
            a.write(end).await;
        }
    }
    assert_eq!(a.state(&bot).await.runs, 2);
}

pub(crate) async fn a_hold_stands_against_slots_and_events_and_not_against_an_operator(
    fixture: &dyn Fixture,
) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    a.hold(&bot, HoldKind::Refused).await;
    match a.write(Write::Start(starting(id, &bot, slot(0)))).await {
        Written::Held(hold) => assert_eq!(hold, Hold::by_server(HoldKind::Refused, "a test")),
        other => panic!("{other:?}"),
    }
    assert_eq!(a.row(&bot, id).await.started_at, None);
    assert_eq!(a.state(&bot).await.runs, 0);
    let manual = Start {
        scheduled: false,
        ..starting(a.trigger(&bot).await, &bot, slot(0))
    };
    started(a.write(Write::Start(manual)).await);
    let insert = Write::Insert {
        bot: bot.clone(),
        trigger: Trigger::Event,
        metadata: json!({}),
        key: None,
    };
    let Written::Claimed(Some(id)) = a.write(insert).await else {
        panic!("no row for the event");
    };
    let event = Start {
        scheduled: false,
        ..starting(id, &bot, slot(0))
    };
    let answer = a.write(Write::Start(event)).await;
    assert!(matches!(answer, Written::Held(_)), "{answer:?}");
}

pub(crate) async fn a_hold_that_is_over_stands_against_nothing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let hold = Hold {
        until: Some(slot(5)),
        ..Hold::by_server(HoldKind::Manual, "for five seconds")
    };
    a.write(Write::SetHold {
        bot: bot.clone(),
        hold,
        replace: true,
    })
    .await;
    let early = slot(5) - TimeDelta::microseconds(1);
    let answer = a.write(Write::Start(starting(id, &bot, early))).await;
    assert!(matches!(answer, Written::Held(_)), "{answer:?}");
    started(a.write(Write::Start(starting(id, &bot, slot(5)))).await);
}

pub(crate) async fn a_claim_by_another_schedule_is_outdated_and_gone(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let before = a.state(&bot).await;
    let start = Start {
        schedule: Some("another".into()),
        ..starting(id, &bot, slot(0))
    };
    let answer = a.write(Write::Start(start)).await;
    assert!(matches!(answer, Written::Outdated), "{answer:?}");
    assert!(a.rows(&bot).await.is_empty());
    assert_eq!(a.state(&bot).await, before);
}

pub(crate) async fn an_exclusive_run_waits_for_any_other_run_of_the_bot(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let other = a.register("other").await;
    let first = a.run(&bot, 0).await;
    let id = b.claim(&bot, 1).await;
    let exclusive = |execution, bot| {
        Write::Start(Start {
            exclusive: true,
            ..starting(execution, bot, slot(1))
        })
    };
    let answer = b.write(exclusive(id, &bot)).await;
    assert!(!another_waits(answer));
    assert_eq!(b.row(&bot, id).await.started_at, None);
    started(b.write(exclusive(b.claim(&other, 0).await, &other)).await);
    a.write(ending(first, &bot, 0, outcome(Status::Succeeded)))
        .await;
    started(b.write(exclusive(id, &bot)).await);
}

pub(crate) async fn a_busy_start_is_told_whether_an_earlier_slot_waits_anywhere(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    a.claim(&other, 0).await;
    let run = a.run(&bot, 0).await;
    let (first, second) = (a.claim(&bot, 1).await, b.claim(&bot, 2).await);
    let trigger = b.trigger(&bot).await;
    let exclusive = |id, scheduled| {
        Write::Start(Start {
            exclusive: true,
            scheduled,
            ..starting(id, &bot, slot(3))
        })
    };
    assert!(!another_waits(a.write(exclusive(first, true)).await));
    assert!(another_waits(b.write(exclusive(second, true)).await));
    assert!(!another_waits(b.write(exclusive(trigger, false)).await));
    a.write(Write::Release { execution: first }).await;
    assert!(!another_waits(b.write(exclusive(second, true)).await));
    a.write(ending(run, &bot, 0, outcome(Status::Succeeded)))
        .await;
    started(b.write(exclusive(second, true)).await);
}

pub(crate) async fn a_claim_that_waits_keeps_nobody_busy(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let first = a.claim(&bot, 0).await;
    a.claim(&bot, 1).await;
    let start = Start {
        exclusive: true,
        ..starting(first, &bot, slot(0))
    };
    started(a.write(Write::Start(start)).await);
}

pub(crate) async fn the_last_of_max_runs_ends_the_bot(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for (n, last) in [(0, false), (1, true)] {
        let start = Start {
            max_runs: Some(2),
            ..starting(a.claim(&bot, n).await, &bot, slot(n))
        };
        assert_eq!(started(a.write(Write::Start(start)).await), last);
    }
    let state = a.state(&bot).await;
    assert_eq!((state.next_run, state.runs), (None, 2));
}

pub(crate) async fn a_slot_given_back_after_the_last_run_ends_the_bot_anew(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (first, execution) = (a.claim(&bot, 0).await, a.claim(&bot, 1).await);
    let once = |id| {
        Write::Start(Start {
            max_runs: Some(1),
            ..starting(id, &bot, slot(1))
        })
    };
    assert!(started(a.write(once(first)).await));
    a.write(Write::Release { execution }).await;
    let again = a.claim(&bot, 1).await;
    assert_eq!(a.state(&bot).await.next_run, Some(slot(2)));
    for id in [again, a.claim(&bot, 2).await] {
        let answer = a.write(once(id)).await;
        assert!(matches!(answer, Written::Outdated), "{answer:?}");
        assert_eq!(a.state(&bot).await.next_run, None);
    }
    assert_eq!(a.rows(&bot).await.len(), 1);
}

pub(crate) async fn a_claim_beyond_max_runs_is_outdated(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (first, second) = (a.claim(&bot, 0).await, a.claim(&bot, 1).await);
    let once = |id| {
        Write::Start(Start {
            max_runs: Some(1),
            ..starting(id, &bot, slot(1))
        })
    };
    assert!(started(a.write(once(first)).await));
    let answer = a.write(once(second)).await;
    assert!(matches!(answer, Written::Outdated), "{answer:?}");
    assert_eq!(a.rows(&bot).await.len(), 1);
    let state = a.state(&bot).await;
    assert_eq!((state.next_run, state.runs), (None, 1));
}

pub(crate) async fn another_attempt_is_stored_beside_what_was_noted_before(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.trigger(&bot).await;
    let manual = Start {
        scheduled: false,
        ..starting(id, &bot, slot(0))
    };
    a.write(Write::Start(manual)).await;
    let again = Write::Attempt {
        execution: id,
        attempt: 2,
        metadata: json!({"attempts": [{"error": "it broke"}]}),
    };
    assert!(matches!(a.write(again).await, Written::Done));
    let row = a.row(&bot, id).await;
    assert_eq!((row.attempt, row.status), (2, Status::Running));
    let noted = json!({"note": "now", "attempts": [{"error": "it broke"}]});
    assert_eq!(row.metadata, noted);
}

pub(crate) async fn an_attempt_of_a_row_that_is_not_ours_is_lost(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let again = Write::Attempt {
        execution: id,
        attempt: 2,
        metadata: json!({"attempts": []}),
    };
    assert!(is_lost(&b.write(again.clone()).await));
    let row = a.row(&bot, id).await;
    assert_eq!((row.attempt, row.metadata), (1, json!({})));
    a.write(ending(id, &bot, 0, outcome(Status::Panicked)))
        .await;
    assert!(is_lost(&a.write(again).await));
    a.skip(&bot, 1, 1, Gap::Late).await;
}
