//! Reloads one after another while bots are at work: no slot is lost, doubled or late, and nothing grows.

use std::time::Duration;

use actor_server::{
    actors::messages::Inspect,
    domain::{bot::Bot, outcome::Status},
    store::LedgerRow,
};

use super::{
    bots::{every, with},
    reload::{reload, server},
    stand::becomes,
};

/// Every second from the first to the last slot has one run that succeeded.
fn assert_no_slot_is_lost_or_doubled(rows: &[LedgerRow]) {
    let slots: Vec<i64> = rows
        .iter()
        .filter_map(|row| row.scheduled_for)
        .map(|slot| slot.timestamp())
        .collect();
    assert!(
        slots.windows(2).all(|two| two[1] == two[0] + 1),
        "{slots:?}"
    );
    for row in rows {
        let done = matches!(row.status, Status::Succeeded | Status::Running);
        assert!(done, "{row:?}");
    }
}

fn latest_start(rows: &[LedgerRow]) -> chrono::TimeDelta {
    let late = rows
        .iter()
        .filter_map(|row| Some(row.started_at? - row.scheduled_for?));
    late.max().unwrap()
}

#[actix_rt::test]
async fn among_a_thousand_bots_one_change_is_applied_at_once() {
    let bots = |seconds| {
        let others = (1..1000).map(|n| every(3600, &format!("bot{n}"), "succeed"));
        let mut bots: Vec<Bot> = others.collect();
        bots.push(every(seconds, "turns", "succeed"));
        bots
    };
    let (_folder, files, server) = server(bots(60)).await;
    let mut quickest = Duration::MAX;
    for seconds in 61..66 {
        files.say(bots(seconds));
        let begun = tokio::time::Instant::now();
        let report = reload(&server).await.unwrap();
        quickest = quickest.min(begun.elapsed());
        assert_eq!(report["unchanged"], 999, "{report}");
    }
    println!("quickest: {quickest:?}");
    // Unoptimized, on a machine that has other work.
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}

/// Reloads alternately with one bot changed, while others run every second.
async fn reloads_under_load(times: u32) {
    let steady: Vec<Bot> = (0..10)
        .map(|n| every(1, &format!("steady{n}"), "succeed"))
        .collect();
    let both = [60, 61].map(|seconds| {
        let mut bots = steady.clone();
        bots.push(every(seconds, "turns", "succeed"));
        bots.push(with(every(1, "edited", "succeed"), |policy| {
            policy.timeout = Duration::from_secs(seconds.into());
        }));
        bots
    });
    let (_folder, files, server) = server(both[0].clone()).await;
    server.runs("steady0", 1, Status::Succeeded).await;
    let actors = server.ask(Inspect).await.children.len();
    for n in 1..=times {
        files.say(both[n as usize % 2].clone());
        let report = reload(&server).await.unwrap();
        assert_eq!(
            report["changed"].as_array().map(Vec::len),
            Some(2),
            "{report}"
        );
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let now = server.ledger("steady0").await.len();
    server.runs("steady0", now + 2, Status::Succeeded).await;
    // An edit that leaves the schedule alone costs no slot either.
    let names = steady.iter().map(|bot| bot.name.as_str());
    for bot in names.chain(["edited"]) {
        let rows = server.ledger(bot).await;
        assert_no_slot_is_lost_or_doubled(&rows);
        let late = latest_start(&rows);
        assert!(late < chrono::TimeDelta::seconds(1), "{bot}: {late}");
    }
    let version = u64::from(times);
    becomes(version, || server.stand.env.in_force().version).await;
    let after = server.ask(Inspect).await;
    assert!(after.children.len() <= actors.max(steady.len() + 5));
}

#[actix_rt::test]
async fn fifty_reloads_cost_the_other_bots_no_slot() {
    reloads_under_load(50).await;
}

#[actix_rt::test]
#[ignore = "takes minutes: scripts/test --full"]
async fn a_thousand_reloads_cost_the_other_bots_no_slot() {
    reloads_under_load(1000).await;
}
