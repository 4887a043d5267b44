//! A batch is one transaction.

use actor_server::{
    domain::{
        outcome::{Gap, Status},
        run::ExecutionId,
    },
    store::{StoreError, Write, Written},
};

use crate::{
    fixture::Fixture,
    process::{Process, ending, insertion, is_lost, message, outcome, slot, starting, state},
};

pub(crate) async fn answers_come_in_the_order_of_the_writes(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    assert!(a.try_write(&[]).await.unwrap().is_empty());
    let bot = a.register("bot").await;
    let id = a.claim(&bot, 0).await;
    let answers = a
        .try_write(&[
            Write::Start(starting(id, &bot, slot(0))),
            Write::StorePost(message(id, &bot, 0)),
            ending(id, &bot, 0, outcome(Status::Succeeded)),
            ending(id, &bot, 0, outcome(Status::Failed)),
            insertion(&state("second")),
        ])
        .await
        .unwrap();
    assert!(
        matches!(
            &answers[..],
            [
                Written::Started { .. },
                Written::Post(_),
                Written::Finished { .. },
                Written::Lost,
                Written::State(_)
            ]
        ),
        "{answers:?}"
    );
}

pub(crate) async fn a_failing_write_takes_the_whole_batch_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let (one, two) = (a.run(&bot, 0).await, a.run(&bot, 1).await);
    a.post(message(one, &bot, 0)).await;
    let mut doubled = message(two, &bot, 1);
    doubled.nonce = message(one, &bot, 0).nonce;
    let failed = a
        .try_write(&[
            insertion(&state("second")),
            ending(one, &bot, 0, outcome(Status::Failed)),
            Write::StorePost(doubled),
            ending(two, &bot, 1, outcome(Status::Failed)),
        ])
        .await
        .unwrap_err();
    assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
    assert!(!failed.is_transient());
    assert_eq!(a.store.states().await.unwrap().len(), 1);
    assert_eq!(a.state(&bot).await.consecutive_failures, 0);
    assert_eq!(a.store.live(&a.id).await.unwrap().len(), 2);
    a.write(ending(one, &bot, 0, outcome(Status::Failed))).await;
    assert_eq!(a.state(&bot).await.consecutive_failures, 1);
}

pub(crate) async fn a_lost_write_takes_nothing_back(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let id = a.run(&bot, 0).await;
    let nobodys = ExecutionId(987_654);
    let answers = a
        .try_write(&[
            ending(nobodys, &bot, 0, outcome(Status::Failed)),
            Write::Release { execution: nobodys },
            Write::Decline {
                execution: nobodys,
                gap: Gap::Late,
            },
            ending(id, &bot, 0, outcome(Status::Succeeded)),
        ])
        .await
        .unwrap();
    assert!(answers[..3].iter().all(is_lost), "{answers:?}");
    assert_eq!(a.row(&bot, id).await.status, Status::Succeeded);
}

pub(crate) async fn parallel_batches_lose_no_update(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let mut runs = Vec::new();
    for n in 0..40 {
        let process = if n % 2 == 0 { &a } else { &b };
        runs.push((process.clone(), n, process.run(&bot, n).await));
    }
    let ends = runs.into_iter().map(|(process, n, id)| {
        let end = ending(id, &bot, n, outcome(Status::Failed));
        tokio::spawn(async move { process.write(end).await })
    });
    for end in ends.collect::<Vec<_>>() {
        assert!(matches!(end.await.unwrap(), Written::Finished { .. }));
    }
    assert_eq!(a.state(&bot).await.consecutive_failures, 40);
}

/// The batch is either written or not, and the store goes on.
pub(crate) async fn a_caller_that_goes_away_leaves_nothing_half_done(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for n in 0..30 {
        let id = a.run(&bot, n).await;
        let batch = [
            Write::StorePost(message(id, &bot, n)),
            ending(id, &bot, n, outcome(Status::Succeeded)),
        ];
        poll_once(&a, &batch).await;
        a.write(ending(id, &bot, n, outcome(Status::Cancelled)))
            .await;
        let posted = a.store.posts(Some(&bot), 1).await.unwrap();
        let posted = posted.iter().any(|post| post.execution == id);
        let written = a.row(&bot, id).await.status == Status::Succeeded;
        assert_eq!(posted, written);
    }
}

/// Begins to write a batch and goes away.
async fn poll_once(process: &Process, batch: &[Write]) {
    let write = process.try_write(batch);
    tokio::select! {
        biased;
        _ = write => {}
        () = tokio::task::yield_now() => {}
    }
}

pub(crate) async fn nothing_can_be_written_after_closing(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    a.register("bot").await;
    a.store.close().await;
    a.store.close().await;
    let refused = a.try_write(&[insertion(&state("late"))]).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(a.store.ping().await.is_err());
}
