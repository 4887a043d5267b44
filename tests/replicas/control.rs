//! Operators at several processes on one database: what is said to one holds for all, and shows on all.

use std::time::Duration;

use actor_server::{
    actors::{
        breakers::{Downstream, Sign},
        messages::{BotCard, ControlError, DescribeBot, ListBots, ResetBreaker},
    },
    domain::{
        bot::{Bot, Target},
        hold::HoldKind,
        outcome::Status,
        policy::Overlap,
        run::ExecutionId,
    },
    store::LedgerRow,
};
use chrono::TimeDelta;
use futures::future::join_all;
use tokio::time::Instant;

use crate::{
    bots::{bot, every, formatting, name, with},
    postgres::TestDatabase,
    server::Server,
    stand::{Setting, eventually},
};

/// How soon what happened at one process shows on the lists of another: its look comes every second.
const SHOWS_WITHIN: Duration = Duration::from_secs(3);

/// So many processes of this configuration.
pub(crate) async fn site(replicas: usize, bots: &[Bot]) -> (TestDatabase, Vec<Server>) {
    let database = TestDatabase::create();
    let mut servers = Vec::new();
    for _ in 0..replicas {
        let mut setting = Setting::of(bots.iter().cloned());
        setting.rules.max_parallel_tasks = 100;
        // Nothing is reconciled: what shows has come by itself.
        setting.rules.check_interval = Duration::from_secs(3600);
        servers.push(Server::at(database.url(), setting).await);
    }
    (database, servers)
}

fn hanging(overlap: Overlap) -> Bot {
    with(bot("bot", "hang"), |policy| policy.overlap = overlap)
}

pub(crate) async fn listed(server: &Server) -> std::sync::Arc<BotCard> {
    let cards = server.ask(ListBots).await.cards;
    let mut cards = cards.iter();
    cards
        .find(|card| card.bot.name == name("bot"))
        .unwrap()
        .clone()
}

pub(crate) async fn stop(servers: Vec<Server>) {
    for server in servers {
        server.stop(Duration::ZERO).await;
    }
}

#[actix_rt::test]
async fn a_pause_at_one_process_shows_on_the_lists_of_another() {
    let (_database, servers) = site(2, &[bot("bot", "succeed")]).await;
    for held in [true, false] {
        if held {
            servers[0].pause("bot", None).await.unwrap();
        } else {
            servers[0].resume("bot").await.unwrap();
        }
        let said = Instant::now();
        let described = servers[1].ask(DescribeBot(name("bot"))).await.unwrap();
        assert_eq!(described.state.hold.is_some(), held, "not known at once");
        eventually("it shows", || async {
            (listed(&servers[1]).await.state.hold.is_some() == held).then_some(())
        })
        .await;
        assert!(said.elapsed() < SHOWS_WITHIN, "{:?}", said.elapsed());
    }
    stop(servers).await;
}

#[actix_rt::test]
async fn a_run_of_another_process_is_cancelled() {
    let (_database, servers) = site(2, &[hanging(Overlap::Skip)]).await;
    let run = servers[0].trigger("bot").await.unwrap();
    servers[0].run("bot", run, Status::Running).await;
    let (first, second) = futures::join!(servers[1].cancel(run), servers[1].cancel(run));
    assert_eq!((first, second), (Ok(()), Ok(())));
    servers[1].run("bot", run, Status::Cancelled).await;
    assert_eq!(
        servers[1].cancel(run).await,
        Err(ControlError::NotRunning(run))
    );
    let unknown = ExecutionId(4711);
    assert_eq!(
        servers[1].cancel(unknown).await,
        Err(ControlError::UnknownRun(unknown))
    );
    stop(servers).await;
}

#[actix_rt::test]
async fn a_claim_of_another_process_is_cancelled_before_its_time() {
    let jittered = with(every(10, "bot", "succeed"), |policy| {
        policy.jitter = Duration::from_secs(9);
    });
    let (_database, servers) = site(2, &[jittered]).await;
    let ahead = |row: &LedgerRow| row.status == Status::Running && row.started_at.is_none();
    let claim = servers[0].row("bot", "is claimed ahead", ahead).await;
    let other = servers
        .iter()
        .find(|server| Some(server.stand.env.me.id.as_str()) != claim.replica.as_deref());
    match other.unwrap().cancel(claim.id).await {
        Ok(()) => {}
        // It started and ended first: a claim is taken a moment ahead only.
        Err(error) => assert_eq!(error, ControlError::NotRunning(claim.id)),
    }
    let ended = |row: &LedgerRow| row.id == claim.id && row.status != Status::Running;
    servers[0].row("bot", "has ended", ended).await;
    stop(servers).await;
}

#[actix_rt::test]
async fn a_trigger_is_refused_while_another_process_runs_the_bot() {
    let (_database, servers) = site(2, &[hanging(Overlap::Skip)]).await;
    let run = servers[0].trigger("bot").await.unwrap();
    servers[0].run("bot", run, Status::Running).await;
    assert_eq!(
        servers[1].trigger("bot").await,
        Err(ControlError::Busy(name("bot")))
    );
    assert_eq!(servers[1].ledger("bot").await.len(), 1);
    stop(servers).await;
}

#[actix_rt::test]
async fn triggers_at_all_processes_at_once_start_one_run() {
    let (_database, servers) = site(3, &[hanging(Overlap::Skip)]).await;
    let calls = (0..30).map(|n| servers[n % 3].trigger("bot"));
    let answers = join_all(calls).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, 1, "{answers:?}");
    let busy = Err(ControlError::Busy(name("bot")));
    assert!(
        answers
            .iter()
            .all(|answer| answer.is_ok() || *answer == busy)
    );
    eventually("those that came second are closed", || async {
        let rows = servers[0].ledger("bot").await;
        let open = rows.iter().filter(|row| row.status == Status::Running);
        (open.count() == 1).then_some(())
    })
    .await;
    stop(servers).await;
}

#[actix_rt::test]
async fn a_trigger_waits_for_the_run_of_another_process_or_ends_it_as_overlap_says() {
    for overlap in [Overlap::BufferOne, Overlap::CancelOther] {
        let (_database, servers) = site(2, &[hanging(overlap)]).await;
        let first = servers[0].trigger("bot").await.unwrap();
        servers[0].run("bot", first, Status::Running).await;
        let second = servers[1].trigger("bot").await.unwrap();
        if overlap == Overlap::BufferOne {
            let row = servers[1].row("bot", "waits", |row| row.id == second).await;
            assert_eq!((row.status, row.started_at), (Status::Running, None));
            servers[1].cancel(first).await.unwrap();
        }
        servers[0].run("bot", first, Status::Cancelled).await;
        servers[1].run("bot", second, Status::Running).await;
        stop(servers).await;
    }
}

#[actix_rt::test]
async fn a_slot_after_a_resume_at_another_process_is_not_the_holds() {
    let (_database, servers) = site(2, &[every(1, "bot", "succeed")]).await;
    let clock = || servers[0].stand.env.clock.now();
    let mut holds = Vec::new();
    for n in 0..6 {
        let begun = clock();
        servers[n % 2].pause("bot", None).await.unwrap();
        servers[(n + 1) % 2].resume("bot").await.unwrap();
        let end = clock();
        holds.push((begun - TimeDelta::milliseconds(200), end));
        let next = end + TimeDelta::milliseconds(1300);
        crate::stand::becomes(true, || clock() > next).await;
    }
    for row in servers[0].ledger("bot").await {
        let (Some("paused"), Some(first)) = (row.reason.as_deref(), row.scheduled_for) else {
            continue;
        };
        let last = row.slot_last.unwrap();
        let under = holds
            .iter()
            .any(|(begun, end)| *begun <= first && last <= *end);
        assert!(under, "{row:?}; {holds:?}");
    }
    stop(servers).await;
}

#[actix_rt::test]
async fn fifty_calls_at_three_processes_leave_one_truth() {
    let busy = with(every(1, "bot", "hang"), |policy| {
        policy.overlap = Overlap::AllowAll;
        policy.timeout = Duration::from_secs(60);
    });
    let (_database, servers) = site(3, &[busy]).await;
    let calls = (0..50).map(|n| {
        let (here, there) = (&servers[n % 3], &servers[(n + 1) % 3]);
        async move {
            match n % 4 {
                0 => here.pause("bot", None).await.map(|_| ()),
                1 => here.resume("bot").await.map(|_| ()),
                _ => {
                    let run = here.trigger("bot").await?;
                    there.cancel(run).await
                }
            }
        }
    });
    for answer in join_all(calls).await {
        assert_eq!(answer, Ok(()));
    }
    servers[2].pause("bot", None).await.unwrap();
    let by_hand = |row: &&LedgerRow| row.scheduled_for.is_none();
    eventually("every run by hand is cancelled", || async {
        let rows = servers[0].ledger("bot").await;
        let mut rows = rows.iter().filter(by_hand);
        rows.all(|row| row.status == Status::Cancelled)
            .then_some(())
    })
    .await;
    let rows = servers[0].ledger("bot").await;
    assert_eq!(rows.iter().filter(by_hand).count(), 24);
    let slots: std::collections::HashSet<_> =
        rows.iter().filter_map(|row| row.scheduled_for).collect();
    assert_eq!(slots.len(), rows.iter().filter(|row| !by_hand(row)).count());
    let stored = servers[0].state("bot").await;
    assert_eq!(stored.hold.as_ref().unwrap().kind, HoldKind::Manual);
    assert_eq!(stored.consecutive_failures, 0);
    for server in &servers {
        eventually("all lists say what is stored", || async {
            (listed(server).await.state.hold == stored.hold).then_some(())
        })
        .await;
    }
    stop(servers).await;
}

#[actix_rt::test]
async fn a_pause_that_another_process_has_prolonged_is_not_ended_by_its_first_end() {
    let (_database, servers) = site(2, &[bot("bot", "succeed")]).await;
    let now = servers[0].stand.env.clock.now();
    let first = now + TimeDelta::milliseconds(2500);
    servers[0].pause("bot", Some(first)).await.unwrap();
    let last = now + TimeDelta::seconds(6);
    crate::stand::becomes(true, || {
        servers[0].stand.env.clock.now() > first - TimeDelta::milliseconds(100)
    })
    .await;
    let state = servers[1].pause("bot", Some(last)).await.unwrap();
    let hold = state.hold.unwrap();
    eventually("the pause is over", || async {
        let state = servers[0].state("bot").await;
        if state.hold.is_none() {
            assert!(
                servers[0].stand.env.clock.now() >= last,
                "ended by its first end"
            );
            return Some(());
        }
        let until = state.hold.unwrap().until;
        assert_eq!(until, hold.until);
        None
    })
    .await;
    stop(servers).await;
}

#[actix_rt::test]
async fn a_breaker_that_one_process_opens_is_open_at_another_which_may_reset_it_for_both() {
    let bot = Bot {
        target: Target::Channel(42),
        ..formatting("bot")
    };
    let (_database, servers) = site(2, &[bot]).await;
    let is = |n: usize, state: &'static str| {
        let breakers = servers[n].stand.env.breakers.clone();
        move || {
            let now = breakers.get("discord:42").as_str() == state;
            async move { now.then_some(()) }
        }
    };
    let downstream = Downstream::new("discord", "42").unwrap();
    for _ in 0..5 {
        servers[0].stand.env.heard_of(&downstream, Sign::Failed);
    }
    is(0, "open")().await.expect("five failures");
    eventually("it is open at the other", is(1, "open")).await;
    let reset = ResetBreaker("discord:42".into());
    servers[1].ask(reset).await.unwrap();
    eventually("it is closed at the first", is(0, "closed")).await;
    stop(servers).await;
}
