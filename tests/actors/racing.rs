//! Many operators at once: whatever they say to one bot, state and ledger stay consistent, and memory says what is stored.

use actor_server::{
    actors::messages::{ControlError, DescribeBot, ListBots, ResumeAll},
    domain::{hold::HoldKind, outcome::Status, policy::Overlap},
};
use futures::future::join_all;
use tempfile::tempdir;

use super::{
    bots::{bot, every, name, with},
    server::Server,
    stand::{Setting, eventually},
};

#[actix_rt::test]
async fn fifty_calls_at_once_leave_one_truth() {
    let folder = tempdir().unwrap();
    let bot = with(every(1, "bot", "hang"), |policy| {
        policy.overlap = Overlap::AllowAll;
        policy.timeout = std::time::Duration::from_secs(60);
    });
    let mut setting = Setting::of([bot]);
    setting.rules.max_parallel_tasks = 100;
    let server = Server::start(folder.path(), setting).await;
    let calls = (0..50).map(|n| {
        let server = &server;
        async move {
            match n % 4 {
                0 => server.pause("bot", None).await.map(|_| ()),
                1 => server.resume("bot").await.map(|_| ()),
                _ => {
                    let run = server.trigger("bot").await?;
                    server.cancel(run).await
                }
            }
        }
    });
    for answer in join_all(calls).await {
        assert_eq!(answer, Ok(()));
    }
    server.pause("bot", None).await.unwrap();
    let open = |row: &actor_server::store::LedgerRow| {
        row.status == Status::Running && row.scheduled_for.is_none()
    };
    eventually("every run by hand has ended", || async {
        let rows = server.ledger("bot").await;
        (!rows.iter().any(open)).then_some(())
    })
    .await;
    let rows = server.ledger("bot").await;
    let by_hand = rows.iter().filter(|row| row.scheduled_for.is_none());
    assert!(by_hand.clone().all(|row| row.status == Status::Cancelled));
    assert_eq!(by_hand.count(), 24);
    let stored = server.state("bot").await;
    let shown = server.ask(DescribeBot(name("bot"))).await.unwrap();
    assert_eq!(shown.state.hold, stored.hold);
    assert_eq!(stored.hold.unwrap().kind, HoldKind::Manual);
    assert_eq!(stored.consecutive_failures, 0);
}

#[actix_rt::test]
async fn memory_hears_of_pauses_and_resumes_in_the_order_they_were_stored() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    for _ in 0..10 {
        let calls = (0..20).map(|n| {
            let server = &server;
            async move {
                if n % 2 == 0 {
                    server.pause("bot", None).await.unwrap();
                } else {
                    server.resume("bot").await.unwrap();
                }
            }
        });
        join_all(calls).await;
        let shown = server.ask(DescribeBot(name("bot"))).await.unwrap();
        assert_eq!(shown.state.hold, server.state("bot").await.hold);
    }
}

#[actix_rt::test]
async fn a_run_that_is_cancelled_twice_ends_once() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "hang")])).await;
    let run = server.trigger("bot").await.unwrap();
    let (first, second) = futures::join!(server.cancel(run), server.cancel(run));
    assert_eq!(first, Ok(()));
    // By then the run may have ended.
    assert!(matches!(second, Ok(()) | Err(ControlError::NotRunning(_))));
    server.run("bot", run, Status::Cancelled).await;
    assert_eq!(server.cancel(run).await, Err(ControlError::NotRunning(run)));
}

#[actix_rt::test]
async fn a_claim_is_cancelled_before_its_time() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([every(5, "bot", "succeed")])).await;
    server.runs("bot", 1, Status::Succeeded).await;
    let ahead = |row: &actor_server::store::LedgerRow| {
        row.status == Status::Running && row.started_at.is_none()
    };
    let claim = server.row("bot", "is claimed ahead", ahead).await;
    server.cancel(claim.id).await.unwrap();
    server.run("bot", claim.id, Status::Cancelled).await;
    let next = |row: &actor_server::store::LedgerRow| {
        row.scheduled_for > claim.scheduled_for && row.status == Status::Succeeded
    };
    server.row("bot", "its next slot runs", next).await;
}

#[actix_rt::test]
async fn resuming_all_ends_one_kind_of_hold_on_every_bot() {
    let folder = tempdir().unwrap();
    let mut broken = bot("broken", "succeed");
    broken.quarantine = Some("its file cannot be read".into());
    let many = (0..300).map(|n| bot(&format!("bot-{n:03}"), "succeed"));
    let server = Server::start(folder.path(), Setting::of(many.chain([broken]))).await;
    let names: Vec<String> = (0..300).map(|n| format!("bot-{n:03}")).collect();
    for answer in join_all(names[1..].iter().map(|bot| server.pause(bot, None))).await {
        answer.unwrap();
    }
    let (first, second) = futures::join!(
        server.ask(ResumeAll(HoldKind::Manual)),
        server.ask(ResumeAll(HoldKind::Manual))
    );
    let resumed: Vec<String> = first.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(resumed, names[1..]);
    second.unwrap();
    let held = server.ask(ListBots).await.cards;
    let held: Vec<&str> = held
        .iter()
        .filter(|card| card.state.hold.is_some())
        .map(|card| card.bot.name.as_str())
        .collect();
    assert_eq!(held, ["broken"]);
    assert_eq!(
        server.ask(ResumeAll(HoldKind::Manual)).await,
        Ok(Vec::new())
    );
    assert_eq!(
        server.ask(ResumeAll(HoldKind::Invalid)).await,
        Ok(Vec::new())
    );
    assert!(server.resume("broken").await.unwrap().hold.is_some());
    assert!(server.state("broken").await.hold.is_some());
}

#[actix_rt::test]
async fn a_second_pause_says_why_until_and_who_anew() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "succeed")])).await;
    server.pause("bot", None).await.unwrap();
    let until = server.stand.env.clock.now() + chrono::TimeDelta::hours(1);
    let state = server.pause("bot", Some(until)).await.unwrap();
    let until = state.hold.unwrap().until;
    assert!(until.is_some());
    let shown = server.ask(DescribeBot(name("bot"))).await.unwrap();
    assert_eq!(shown.state.hold.as_ref().unwrap().until, until);
}
