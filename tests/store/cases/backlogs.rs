//! Backlogs: late slots that are to run one after another, whichever processes claim them.

use actor_server::{
    domain::{
        bot::BotName,
        outcome::{Gap, Status},
    },
    store::{Advance, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{Process, claimed, ending, outcome, range, slot, starting},
};

/// The plan to claim `n` of a backlog, with a gap before it.
async fn backlog(process: &Process, bot: &BotName, n: i64) -> Write {
    let gaps = vec![range(n - 1, n - 1, Gap::Window)];
    let plan = process.plan(bot, gaps, Some(n), Some(n + 1)).await;
    let alone = true;
    Write::Advance(Advance { alone, ..plan })
}

fn is_busy(answer: &Written) -> bool {
    matches!(
        answer,
        Written::Busy {
            another_waits: false
        }
    )
}

pub(crate) async fn a_backlog_is_claimed_by_nobody_while_a_row_of_the_bot_is_open(
    fixture: &dyn Fixture,
) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    a.run(&other, 0).await;
    let first = claimed(a.write(backlog(&a, &bot, 1).await).await).unwrap();
    let refused = async |open: &str| {
        let (rows, state) = (a.slots(&bot).await, a.state(&bot).await);
        for process in [&a, &b] {
            let answer = process.write(backlog(process, &bot, 3).await).await;
            assert!(is_busy(&answer), "{open}: {answer:?}");
        }
        assert_eq!(a.slots(&bot).await, rows, "{open}");
        assert_eq!(a.state(&bot).await, state, "{open}");
    };
    refused("a claim").await;
    a.write(Write::Start(starting(first, &bot, slot(9)))).await;
    refused("a run").await;
    a.write(ending(first, &bot, 9, outcome(Status::Failed)))
        .await;
    let execution = b.trigger(&bot).await;
    refused("a trigger").await;
    b.write(Write::Release { execution }).await;
    let second = b.write(backlog(&b, &bot, 3).await).await;
    assert!(claimed(second).is_some());
    assert_eq!(a.state(&bot).await.next_run, Some(slot(4)));
}

pub(crate) async fn of_one_batch_a_backlog_gets_one_claim(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let one = backlog(&a, &bot, 1).await;
    let Write::Advance(plan) = one.clone() else {
        panic!("{one:?}");
    };
    let two = Write::Advance(Advance {
        expected_next: slot(2),
        gaps: Vec::new(),
        claim: Some(slot(2)),
        next: Some(slot(3)),
        ..plan
    });
    let stale = one.clone();
    let answers = a.try_write(&[one, two.clone(), stale]).await.unwrap();
    let id = claimed(answers[0].clone()).unwrap();
    assert!(is_busy(&answers[1]), "{answers:?}");
    assert!(matches!(answers[2], Written::Stale(Some(_))), "{answers:?}");
    let end = ending(id, &bot, 1, outcome(Status::Succeeded));
    let answers = a.try_write(&[end, two]).await.unwrap();
    assert!(claimed(answers[1].clone()).is_some(), "{answers:?}");
}

pub(crate) async fn of_two_processes_with_a_backlog_one_claims(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    for n in 0..10 {
        let (mine, theirs) = (
            backlog(&a, &bot, 2 * n + 1).await,
            backlog(&b, &bot, 2 * n + 1).await,
        );
        let (one, two) = tokio::join!(a.write(mine), b.write(theirs));
        let (process, id) = match (&one, &two) {
            (Written::Claimed(Some(id)), Written::Stale(_)) => (&a, *id),
            (Written::Stale(_), Written::Claimed(Some(id))) => (&b, *id),
            other => panic!("{other:?}"),
        };
        process
            .write(ending(id, &bot, n, outcome(Status::Succeeded)))
            .await;
    }
    assert_eq!(a.slots(&bot).await.len(), 20);
}
