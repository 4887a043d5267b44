//! Readers beside a busy writer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actor_server::{
    domain::{bot::BotName, outcome::Status, run::ReplicaId},
    store::{Advance, StatePersistence, Write},
};
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};

use super::SqliteFixture;
use crate::{
    fixture::Fixture,
    process::{Process, SCHEDULE, ending, insertion, message, outcome, slot, starting, state},
};

const BOTS: usize = 200;
const ROUNDS: usize = 10;

/// Whether the writer still writes.
type Busy = Arc<AtomicBool>;

/// Every question, over and over; any error ends the test.
async fn read_on(store: Arc<dyn StatePersistence>, me: ReplicaId, busy: Busy) -> u32 {
    let mut rounds = 0;
    while busy.load(Ordering::Relaxed) {
        assert!(store.states().await.unwrap().len() <= BOTS);
        store.live(&me).await.unwrap();
        store.due(slot(3)).await.unwrap();
        store.unsent_posts().await.unwrap();
        store.ledger(None, 50).await.unwrap();
        store.posts(None, 50).await.unwrap();
        store.ping().await.unwrap();
        rounds += 1;
    }
    rounds
}

/// Somebody looks on with a tool: opens the file, folds the log into it and closes again.
fn look_on(path: &std::path::Path, busy: &Busy) {
    while busy.load(Ordering::Relaxed) {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
    }
}

fn claiming(bot: &BotName, n: i64) -> Write {
    Write::Advance(Advance {
        bot: bot.clone(),
        expected_next: slot(n),
        expected_schedule: Some(SCHEDULE.into()),
        expected_hold: None,
        gaps: Vec::new(),
        claim: Some(slot(n)),
        alone: false,
        next: Some(slot(n + 1)),
    })
}

/// Batches of many bots, as a busy server writes them.
async fn write_on(a: &Process) {
    let bots: Vec<_> = (0..BOTS).map(|n| state(&format!("bot{n}"))).collect();
    let insertions: Vec<Write> = bots.iter().map(insertion).collect();
    a.try_write(&insertions).await.unwrap();
    for n in (0_i64..).take(ROUNDS) {
        let batch: Vec<Write> = bots.iter().map(|bot| claiming(&bot.bot, n)).collect();
        let claims = a.try_write(&batch).await.unwrap();
        let mut ends = Vec::new();
        for (claim, bot) in claims.into_iter().zip(&bots) {
            let id = crate::process::claimed(claim).unwrap();
            ends.push(Write::Start(starting(id, &bot.bot, slot(n))));
            ends.push(Write::StorePost(message(id, &bot.bot, n)));
            ends.push(ending(id, &bot.bot, n, outcome(Status::Succeeded)));
        }
        a.try_write(&ends).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_question_is_turned_away_while_batches_are_written_and_others_look_on() {
    let fixture = SqliteFixture::new().await;
    let a = fixture.join("a").await;
    let busy: Busy = Arc::new(AtomicBool::new(true));
    let readers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(read_on(a.store.clone(), a.id.clone(), Arc::clone(&busy))))
        .collect();
    let (path, looking) = (fixture.path(), Arc::clone(&busy));
    let outsider = tokio::task::spawn_blocking(move || look_on(&path, &looking));
    write_on(&a).await;
    busy.store(false, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    outsider.await.unwrap();
    let pending = a.store.outbox().await.unwrap();
    assert_eq!(usize::try_from(pending).unwrap(), BOTS * ROUNDS);
}
