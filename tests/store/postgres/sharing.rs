//! Two processes on one database: what both tell adds up to what is stored.

use std::{collections::HashMap, sync::Arc};

use actor_server::{
    clock::Clock,
    domain::{
        bot::BotName,
        hold::HoldKind,
        outcome::{Gap, Status},
        run::ExecutionId,
    },
    store::{StatePersistence, Write, Written, postgres::PostgresStore},
};
use tokio::{task::JoinHandle, time::Instant};

use super::LEASE;
use crate::{
    cluster::TestDatabase,
    fixture::replica,
    process::{Process, ending, index, outcome, range, slot, starting},
    tally::Tally,
};

const STEPS: usize = 80;
const BOTS: [&str; 3] = ["a", "b", "c"];

/// A process with a store of its own, which beats until it is dropped.
struct Alive {
    process: Process,
    heart: JoinHandle<()>,
}

impl Alive {
    async fn on(database: &TestDatabase, name: &str) -> Self {
        let (me, url) = (replica(name), database.url());
        let store = PostgresStore::open_with_lease(&url, &me, Clock::process(), LEASE);
        let store: Arc<dyn StatePersistence> = Arc::new(store.await.unwrap());
        let (beaten, id) = (Arc::clone(&store), me.id.clone());
        let heart = tokio::spawn(async move {
            while beaten.beat(&me).await.is_ok() {
                tokio::time::sleep(LEASE / 10).await;
            }
        });
        let process = Process::new(store, id);
        Self { process, heart }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

/// Numbers that look drawn, the same ones in every test.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// One process plans, claims, runs and gives back, beside another that does the same with the same bots.
async fn work(process: Process, mut draw: Draw) {
    for _ in 0..STEPS {
        let bot = BotName::parse(draw.of(&BOTS)).unwrap();
        let next = index(process.state(&bot).await.next_run.unwrap());
        let slots = i64::try_from(draw.below(3)).unwrap();
        let gap = draw.of(&[Gap::Late, Gap::Overlap]);
        let gaps = (slots > 0).then(|| range(next, next + slots - 1, gap));
        let claim = next + slots;
        let plan = process.plan(
            &bot,
            gaps.into_iter().collect(),
            Some(claim),
            Some(claim + 1),
        );
        let plan = plan.await;
        if plan.expected_next != slot(next) {
            continue;
        }
        if let Written::Claimed(Some(id)) = process.write(Write::Advance(plan)).await {
            settle(&process, &mut draw, &bot, id, claim).await;
        }
    }
}

async fn settle(process: &Process, draw: &mut Draw, bot: &BotName, id: ExecutionId, n: i64) {
    let declined = Write::Decline {
        execution: id,
        gap: Gap::Overlap,
    };
    match draw.below(5) {
        0 => drop(process.write(declined).await),
        1 => drop(process.write(Write::Release { execution: id }).await),
        _ => {
            process
                .write(Write::Start(starting(id, bot, slot(n))))
                .await;
            let status = draw.of(&[Status::Succeeded, Status::Failed, Status::Panicked]);
            process.write(ending(id, bot, n, outcome(status))).await;
        }
    }
    if draw.below(8) == 0 {
        process.hold(bot, HoldKind::Manual).await;
    }
    if draw.below(3) == 0 {
        let bot = bot.clone();
        process.write(Write::ClearHold { bot, kind: None }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_processes_tell_adds_up_to_the_ledger() {
    let database = TestDatabase::create();
    let (a, b) = (
        Alive::on(&database, "a").await,
        Alive::on(&database, "b").await,
    );
    for bot in BOTS {
        a.process.register(bot).await;
    }
    let works =
        [(&a, 1), (&b, 2)].map(|(one, seed)| tokio::spawn(work(one.process.clone(), Draw(seed))));
    for work in works {
        work.await.unwrap();
    }
    let mut told = Tally::default();
    for one in [&a, &b] {
        told.add_ends(one.process.store.facts());
    }
    let stored = || async { a.process.store.ledger(None, i64::MAX).await.unwrap() };
    assert_eq!(told, Tally::of_ledger(&stored().await));
    assert!(stored().await.len() > STEPS / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_that_rescue_one_tells() {
    let database = TestDatabase::create();
    let (a, b) = (
        Alive::on(&database, "a").await,
        Alive::on(&database, "b").await,
    );
    let dead = Process::new(Arc::clone(&a.process.store), replica("dead").id);
    for bot in BOTS {
        let bot = dead.register(bot).await;
        dead.run(&bot, 0).await;
        dead.claim(&bot, 1).await;
        dead.claim(&bot, 2).await;
        dead.run(&bot, 3).await;
    }
    database.sql("UPDATE actor_server_executions SET created_at = created_at - interval '1 hour'");
    let deadline = Instant::now() + LEASE * 20;
    let (mut told, again) = (Tally::default(), HashMap::new());
    loop {
        let rescue = |one: &Process| {
            let (store, me, again) = (Arc::clone(&one.store), one.id.clone(), again.clone());
            async move { store.rescue(&me, &again, slot(9)).await }
        };
        drop(tokio::join!(rescue(&a.process), rescue(&b.process)));
        for one in [&a, &b] {
            told.add_ends(one.process.store.facts());
        }
        if dead.store.live(&dead.id).await.unwrap().is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "nobody took over");
    }
    let rows = dead.store.ledger(None, i64::MAX).await.unwrap();
    assert_eq!(told, Tally::of_ledger(&rows));
    assert!(rows.iter().all(|row| row.status != Status::Running));
}
