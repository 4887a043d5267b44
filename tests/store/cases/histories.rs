//! Any history of claims, starts, ends, holds and crashes accounts for every slot exactly once.
//!
//! A model keeps in a map what the store has to keep in growing ranges; after every step both say the same.

use std::collections::{BTreeMap, HashSet};

use actor_server::{
    domain::{
        bot::BotName,
        hold::HoldKind,
        outcome::{Gap, Status},
        run::ExecutionId,
    },
    store::{Advance, Start, Write, Written},
};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::{
    fixture::Fixture,
    process::{Process, claimed, ending, is_lost, outcome, range, slot, starting},
};

const HISTORIES: usize = 12;
const STEPS: usize = 100;

/// One thing that happens to a bot; claims are named by their place among the open ones.
#[derive(Clone, Debug)]
enum Step {
    Advance {
        gaps: Vec<(i64, Gap)>,
        claim: bool,
        stale: bool,
    },
    Start(usize, bool),
    Finish(usize, Status),
    Decline(usize, Gap),
    Release(usize),
    Hold(HoldKind),
    Resume,
    ActorDies,
    ProcessDies {
        again: bool,
    },
}

/// A row that is open.
#[derive(Clone, Debug)]
struct Open {
    id: ExecutionId,
    slot: i64,
    started: bool,
    attempt: u32,
}

/// What the store has to say.
#[derive(Default)]
struct Model {
    next: i64,
    slots: BTreeMap<i64, String>,
    open: Vec<Open>,
    hold: Option<HoldKind>,
    failures: u32,
    runs: u32,
}

impl Model {
    fn give_back(&mut self, row: &Open) {
        if row.attempt > 1 {
            self.slots.insert(row.slot, "abandoned".into());
        } else if self.slots.range(row.slot + 1..).next().is_some() {
            self.slots.insert(row.slot, "missed/late".into());
        } else {
            self.slots.remove(&row.slot);
            self.next = row.slot;
        }
    }

    /// The place of the open row with the newest slot.
    fn newest_open(&self) -> Option<usize> {
        (0..self.open.len()).max_by_key(|row| self.open[*row].slot)
    }

    /// Takes the open rows, newest slot first.
    fn take_open(&mut self) -> Vec<Open> {
        let mut open = std::mem::take(&mut self.open);
        open.sort_by_key(|row| -row.slot);
        open
    }

    fn fail(&mut self, status: Status) {
        match status {
            status if status.is_failure() => self.failures += 1,
            Status::Succeeded | Status::Skipped => self.failures = 0,
            _ => {}
        }
    }
}

fn words(gap: Gap) -> String {
    format!("{}/{}", gap.status().as_str(), gap.reason())
}

fn gap() -> impl Strategy<Value = Gap> {
    prop::sample::select(vec![
        Gap::Overlap,
        Gap::Held(HoldKind::Manual),
        Gap::Late,
        Gap::Late,
        Gap::Window,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let ends = prop::sample::select(vec![
        Status::Succeeded,
        Status::Failed,
        Status::Skipped,
        Status::Cancelled,
        Status::Abandoned,
        Status::Panicked,
    ]);
    let row = || 0..4_usize;
    let gaps = prop::collection::vec((1..5_i64, gap()), 0..3);
    prop_oneof![
        6 => (gaps, prop::bool::weighted(0.8), prop::bool::weighted(0.1))
            .prop_map(|(gaps, claim, stale)| Step::Advance { gaps, claim, stale }),
        5 => (row(), any::<bool>()).prop_map(|(row, exclusive)| Step::Start(row, exclusive)),
        4 => (row(), ends).prop_map(|(row, status)| Step::Finish(row, status)),
        2 => (row(), gap()).prop_map(|(row, gap)| Step::Decline(row, gap)),
        2 => row().prop_map(Step::Release),
        1 => prop::sample::select(HoldKind::ALL.to_vec()).prop_map(Step::Hold),
        2 => Just(Step::Resume),
        1 => Just(Step::ActorDies),
        1 => any::<bool>().prop_map(|again| Step::ProcessDies { again }),
    ]
}

pub(crate) async fn any_history_accounts_for_every_slot_once(fixture: &dyn Fixture) {
    let mut runner = TestRunner::deterministic();
    let histories = prop::collection::vec(step(), STEPS);
    for number in 0..HISTORIES {
        let steps = histories.new_tree(&mut runner).unwrap().current();
        let mut history = History::begin(fixture, number).await;
        for step in steps {
            history.take(fixture, &step).await;
            history.compare(&step).await;
        }
    }
}

struct History {
    number: usize,
    lives: usize,
    process: Process,
    bot: BotName,
    model: Model,
}

impl History {
    async fn begin(fixture: &dyn Fixture, number: usize) -> Self {
        let process = fixture.join(&format!("{number}-0")).await;
        let bot = process.register(&format!("bot{number}")).await;
        Self {
            number,
            lives: 1,
            process,
            bot,
            model: Model::default(),
        }
    }

    async fn take(&mut self, fixture: &dyn Fixture, step: &Step) {
        match step {
            Step::Advance { gaps, claim, stale } => self.advance(gaps, *claim, *stale).await,
            Step::Start(row, exclusive) => self.start(*row, *exclusive).await,
            Step::Finish(row, status) => self.finish(*row, *status).await,
            Step::Decline(row, gap) => self.decline(*row, *gap).await,
            Step::Release(row) => self.release(*row).await,
            Step::Hold(kind) => {
                self.process.hold(&self.bot, *kind).await;
                self.model.hold = Some(*kind);
            }
            Step::Resume => self.resume().await,
            Step::ActorDies => self.actor_dies().await,
            Step::ProcessDies { again } => self.process_dies(fixture, *again).await,
        }
    }

    async fn advance(&mut self, gaps: &[(i64, Gap)], claim: bool, stale: bool) {
        let mut cursor = self.model.next;
        let mut ranges = Vec::new();
        for &(slots, gap) in gaps {
            ranges.push(range(cursor, cursor + slots - 1, gap));
            cursor += slots;
        }
        let slot_to_claim = claim.then_some(cursor);
        let next = cursor + i64::from(claim);
        let (process, bot) = (&self.process, &self.bot);
        let mut plan = process.plan(bot, ranges, slot_to_claim, Some(next)).await;
        if stale {
            plan = Advance {
                expected_next: plan.expected_next - chrono::TimeDelta::seconds(1),
                ..plan
            };
        }
        let answer = process.write(Write::Advance(plan)).await;
        if stale {
            assert!(matches!(answer, Written::Stale(Some(_))), "{answer:?}");
            return;
        }
        for &(slots, gap) in gaps {
            for _ in 0..slots {
                self.model.slots.insert(self.model.next, words(gap));
                self.model.next += 1;
            }
        }
        self.model.next = next;
        assert_eq!(claim, self.note_claim(answer, cursor), "slot {cursor}");
    }

    fn note_claim(&mut self, answer: Written, slot: i64) -> bool {
        let Some(id) = claimed(answer) else {
            return false;
        };
        self.model.slots.insert(slot, "running".into());
        self.model.open.push(Open {
            id,
            slot,
            started: false,
            attempt: 1,
        });
        true
    }

    async fn start(&mut self, row: usize, exclusive: bool) {
        let Some(open) = self.model.open.get(row).cloned() else {
            return;
        };
        let start = Start {
            exclusive,
            ..starting(open.id, &self.bot, slot(open.slot))
        };
        let answer = self.process.write(Write::Start(start)).await;
        let busy = self.model.open.iter().any(|row| row.started);
        if open.started {
            assert!(is_lost(&answer), "{answer:?}");
        } else if self.model.hold.is_some() {
            assert!(matches!(answer, Written::Held(_)), "{answer:?}");
        } else if exclusive && busy {
            let earlier = |row: &Open| !row.started && row.slot < open.slot;
            let waits = self.model.open.iter().any(earlier);
            let right = matches!(answer, Written::Busy { another_waits } if another_waits == waits);
            assert!(right, "{answer:?}");
        } else {
            assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
            self.model.open[row].started = true;
            self.model.runs += u32::from(open.attempt == 1);
        }
    }

    async fn finish(&mut self, row: usize, status: Status) {
        if row >= self.model.open.len() {
            return;
        }
        let open = self.model.open.remove(row);
        let end = ending(open.id, &self.bot, open.slot, outcome(status));
        let answer = self.process.write(end).await;
        assert!(matches!(answer, Written::Finished { .. }), "{answer:?}");
        let model = &mut self.model;
        model.runs += u32::from(!open.started && open.attempt == 1);
        model.fail(status);
        if status.is_failure() && model.failures >= 3 && model.hold.is_none() {
            model.hold = Some(HoldKind::Failures);
        }
        let fate = match status {
            Status::Skipped => "skipped/rate_limiting",
            status => status.as_str(),
        };
        model.slots.insert(open.slot, fate.into());
    }

    async fn decline(&mut self, row: usize, gap: Gap) {
        let Some(open) = self.model.open.get(row).cloned() else {
            return;
        };
        let execution = open.id;
        let answer = self.process.write(Write::Decline { execution, gap }).await;
        assert_eq!(is_lost(&answer), open.started, "{answer:?}");
        if !open.started {
            self.model.open.remove(row);
            let fate = if open.attempt > 1 {
                "abandoned".into()
            } else {
                words(gap)
            };
            self.model.slots.insert(open.slot, fate);
        }
    }

    async fn release(&mut self, row: usize) {
        let Some(open) = self.model.open.get(row).cloned() else {
            return;
        };
        let execution = open.id;
        let answer = self.process.write(Write::Release { execution }).await;
        assert_eq!(is_lost(&answer), open.started, "{answer:?}");
        if !open.started {
            self.model.open.remove(row);
            self.model.give_back(&open);
        }
    }

    async fn resume(&mut self) {
        let bot = self.bot.clone();
        let answer = self
            .process
            .write(Write::ClearHold { bot, kind: None })
            .await;
        assert!(matches!(answer, Written::State(_)), "{answer:?}");
        (self.model.hold, self.model.failures) = (None, 0);
    }

    async fn actor_dies(&mut self) {
        while let Some(row) = self.model.newest_open() {
            if self.model.open[row].started {
                self.finish(row, Status::Panicked).await;
            } else {
                self.release(row).await;
            }
        }
    }

    async fn process_dies(&mut self, fixture: &dyn Fixture, again: bool) {
        fixture.kill(&self.process.id).await;
        let name = format!("{}-{}", self.number, self.lives);
        self.lives += 1;
        self.process = fixture.join(&name).await;
        fixture.age(&self.process.id).await;
        let again_bots: HashSet<BotName> = again.then(|| self.bot.clone()).into_iter().collect();
        let (store, me) = (&self.process.store, &self.process.id);
        store.rescue(me, &again_bots, slot(0)).await.unwrap();
        for mut row in self.model.take_open() {
            let has_run = row.started || row.attempt > 1;
            if has_run && again {
                row.attempt += u32::from(row.started);
                row.started = false;
                self.model.open.push(row);
            } else if has_run {
                self.model.slots.insert(row.slot, "abandoned".into());
            } else {
                self.model.give_back(&row);
            }
        }
    }

    async fn compare(&self, step: &Step) {
        let (number, model) = (self.number, &self.model);
        let slots = self.process.slots(&self.bot).await;
        assert_eq!(slots, model.slots, "history {number} after {step:?}");
        let accounted = usize::try_from(model.next).unwrap();
        assert_eq!(slots.len(), accounted, "history {number} after {step:?}");
        let state = self.process.state(&self.bot).await;
        let found = (
            state.next_run,
            state.hold.map(|hold| hold.kind),
            state.consecutive_failures,
            state.runs,
        );
        let expected = (
            Some(slot(model.next)),
            model.hold,
            model.failures,
            model.runs,
        );
        assert_eq!(found, expected, "history {number} after {step:?}");
    }
}
