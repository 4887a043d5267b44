//! Any history of claims, starts, ends, holds and crashes accounts for every slot exactly once.
//!
//! A model keeps in a map what the store has to keep in growing ranges; after every step both say the same.

mod model;

use std::collections::HashMap;

use actor_server::{
    domain::{
        bot::BotName,
        hold::HoldKind,
        outcome::{Gap, Status},
    },
    store::{Advance, Start, Write, Written},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use self::model::{Model, Open, Step, step, words};
use crate::{
    fixture::Fixture,
    process::{Process, change_at, claimed, ending, is_lost, outcome, range, slot, starting},
    tally::Tally,
};

const HISTORIES: usize = 12;
const STEPS: usize = 100;
/// Attempts of one run, where runs go on after their process.
const ATTEMPTS: u32 = 2;

pub(crate) async fn any_history_accounts_for_every_slot_once(fixture: &dyn Fixture) {
    let mut runner = TestRunner::deterministic();
    let histories = proptest::collection::vec(step(), STEPS);
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
    /// What the store has told.
    told: Tally,
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
            told: Tally::default(),
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
            Step::Edit(ahead) => self.edit(*ahead).await,
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
            schedule: self.model.schedule(),
            ..starting(open.id, &self.bot, slot(open.slot))
        };
        let answer = self.process.write(Write::Start(start)).await;
        let busy = self.model.open.iter().any(|row| row.started);
        if open.started {
            assert!(matches!(answer, Written::Started { .. }), "{answer:?}");
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
            let passed_over = self.model.hold.map_or(Gap::Late, Gap::Held);
            self.model.give_back(&open, passed_over);
        }
    }

    /// An operator resumes, which does not mend a broken file; that is mended then.
    async fn resume(&mut self) {
        let broken = self.model.hold == Some(HoldKind::Invalid);
        for kind in [None, broken.then_some(HoldKind::Invalid)] {
            let bot = self.bot.clone();
            let answer = self.process.write(Write::ClearHold { bot, kind }).await;
            let Written::State(state) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(state.hold.is_some(), broken && kind.is_none());
        }
        (self.model.hold, self.model.failures) = (None, 0);
    }

    /// The schedule becomes another one, while up to so many of the newest slots are claimed ahead of their time.
    async fn edit(&mut self, ahead: usize) {
        let tail = (1..=ahead).take_while(|n| {
            let back = i64::try_from(*n).unwrap();
            self.model.is_fresh(self.model.next - back)
        });
        let cut = self.model.next - 1 - i64::try_from(tail.count()).unwrap();
        self.model.edits += 1;
        let old = self.process.state(&self.bot).await;
        let mut new = old.clone();
        (new.schedule, new.next_run) = (self.model.schedule(), Some(slot(cut + 1)));
        let answer = self.process.write(change_at(&old, &new, cut, vec![])).await;
        assert!(matches!(answer, Written::State(_)), "{answer:?}");
        self.model.next = cut + 1;
        let open = std::mem::take(&mut self.model.open);
        for row in open {
            if !row.is_fresh() {
                self.model.open.push(row);
            } else if row.slot <= cut {
                self.model.slots.insert(row.slot, "missed/late".into());
            } else {
                self.model.slots.remove(&row.slot);
            }
        }
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
        let again_bots: HashMap<BotName, u32> = again
            .then(|| (self.bot.clone(), ATTEMPTS))
            .into_iter()
            .collect();
        let (store, me) = (&self.process.store, &self.process.id);
        store.rescue(me, &again_bots, slot(0)).await.unwrap();
        for mut row in self.model.take_open() {
            let has_run = row.started || row.attempt > 1;
            let next = row.attempt + u32::from(row.started);
            if has_run && again && next <= ATTEMPTS {
                row.attempt = next;
                row.started = false;
                self.model.open.push(row);
            } else if has_run {
                self.model.slots.insert(row.slot, "abandoned".into());
            } else {
                self.model.give_back(&row, Gap::Late);
            }
        }
    }

    async fn compare(&mut self, step: &Step) {
        self.compare_facts(step).await;
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

    /// Everything that was told adds up to what is stored.
    async fn compare_facts(&mut self, step: &Step) {
        self.told.add(self.process.store.facts());
        let mut stored = Tally::of_ledger(&self.process.rows(&self.bot).await);
        let hold = self.model.hold.map(|kind| (self.bot.clone(), kind));
        stored.holds.extend(hold);
        let number = self.number;
        // A rescue also closes what earlier histories left.
        let told = self.told.of(&self.bot);
        assert_eq!(told, stored, "history {number} after {step:?}");
    }
}
