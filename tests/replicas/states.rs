//! What a run's end changes in its bot's state is the same on the lists of all processes.

use std::time::Duration;

use actor_server::{
    domain::{Instant, fact::Fact, outcome::Status},
    store,
};
use tokio::time::Instant as Monotonic;

use crate::{
    bots::{bot, every, with},
    control::{listed, site, stop},
    server::Server,
    stand::{eventually, replica},
    tally::Tally,
};

/// How soon: the look of a process comes every second, and the machine is shared.
const SHOWS_WITHIN: Duration = Duration::from_secs(3);

/// What is shown of the bot.
async fn shown(server: &Server) -> (u32, Option<Instant>) {
    let state = &listed(server).await.state;
    (state.consecutive_failures, state.last_success)
}

#[actix_rt::test]
async fn failures_and_the_last_success_show_on_the_lists_of_all_processes() {
    let fickle = with(bot("bot", "fickle"), |policy| policy.retry.max_attempts = 1);
    let (_database, servers) = site(2, &[fickle]).await;
    for (failures, status) in [
        (1, Status::Failed),
        (2, Status::Failed),
        (0, Status::Succeeded),
    ] {
        let run = servers[0].trigger("bot").await.unwrap();
        let row = servers[0].run("bot", run, status).await;
        let ended = Monotonic::now();
        let success = row.completed_at.filter(|_| status == Status::Succeeded);
        for server in &servers {
            eventually("it shows", || async {
                (shown(server).await == (failures, success)).then_some(())
            })
            .await;
        }
        assert!(ended.elapsed() < SHOWS_WITHIN, "{:?}", ended.elapsed());
    }
    stop(servers).await;
}

#[actix_rt::test]
async fn a_bot_that_is_always_at_work_somewhere_is_shown_as_fresh_everywhere() {
    let (_database, servers) = site(2, &[every(1, "bot", "succeed")]).await;
    servers[0].runs("bot", 2, Status::Succeeded).await;
    for _ in 0..5 {
        let state = servers[0].state("bot").await;
        let (stored, asked) = (state.last_success, Monotonic::now());
        assert!(stored.is_some());
        for server in &servers {
            eventually("it shows", || async {
                (shown(server).await.1 >= stored).then_some(())
            })
            .await;
        }
        assert!(asked.elapsed() < SHOWS_WITHIN, "{:?}", asked.elapsed());
        servers[0]
            .runs("bot", ran(&servers).await + 1, Status::Succeeded)
            .await;
    }
    stop(servers).await;
}

async fn ran(servers: &[Server]) -> usize {
    let rows = servers[0].ledger("bot").await;
    rows.iter()
        .filter(|row| row.status == Status::Succeeded)
        .count()
}

#[actix_rt::test]
async fn what_all_processes_are_told_is_what_the_ledger_says() {
    let bots = ["succeed", "fail", "panic"].map(|deed| every(1, deed, deed));
    let (database, servers) = site(3, &bots).await;
    for deed in ["fail", "panic"] {
        let held = || async { servers[0].state(deed).await.hold.map(drop) };
        eventually("five failures hold it", held).await;
    }
    servers[0].runs("succeed", 6, Status::Succeeded).await;
    let lines: Vec<_> = servers.iter().map(|server| server.line().clone()).collect();
    stop(servers).await;
    let mut told = Tally::default();
    lines.iter().for_each(|line| told.add_ends(line.told()));
    let (_, store) = store::open(&database.url(), &replica()).await.unwrap();
    let rows = store.ledger(None, i64::MAX).await.unwrap();
    assert_eq!(told, Tally::of_ledger(&rows));
    let holds = lines.iter().flat_map(|line| line.told());
    let held = holds.filter(|fact| matches!(fact, Fact::HoldSet { .. }));
    assert_eq!(held.count(), 2);
}
