//! What happens in a history, and a model of what the store has to say then.

use std::collections::BTreeMap;

use actor_server::domain::{
    hold::HoldKind,
    outcome::{Gap, Status},
    run::ExecutionId,
};
use proptest::{prelude::*, strategy::Strategy};

use crate::process::SCHEDULE;

/// One thing that happens to a bot; claims are named by their place among the open ones.
#[derive(Clone, Debug)]
pub(super) enum Step {
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
    Edit(usize),
    ActorDies,
    ProcessDies {
        again: bool,
    },
}

/// A row that is open.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) id: ExecutionId,
    pub(super) slot: i64,
    pub(super) started: bool,
    pub(super) attempt: u32,
}

impl Open {
    pub(super) fn is_fresh(&self) -> bool {
        !self.started && self.attempt == 1
    }
}

/// What the store has to say.
#[derive(Default)]
pub(super) struct Model {
    pub(super) next: i64,
    pub(super) slots: BTreeMap<i64, String>,
    pub(super) open: Vec<Open>,
    pub(super) hold: Option<HoldKind>,
    pub(super) edits: u32,
    pub(super) failures: u32,
    pub(super) runs: u32,
}

impl Model {
    pub(super) fn give_back(&mut self, row: &Open, passed_over: Gap) {
        if row.attempt > 1 {
            self.slots.insert(row.slot, "abandoned".into());
        } else if self.slots.range(row.slot + 1..).next().is_some() {
            self.slots.insert(row.slot, words(passed_over));
        } else {
            self.slots.remove(&row.slot);
            self.next = row.slot;
        }
    }

    pub(super) fn schedule(&self) -> Option<String> {
        match self.edits {
            0 => Some(SCHEDULE.into()),
            edits => Some(format!("edit {edits}")),
        }
    }

    /// Whether the slot is claimed and nobody has begun to run it.
    pub(super) fn is_fresh(&self, slot: i64) -> bool {
        let fresh = |row: &Open| row.slot == slot && row.is_fresh();
        self.open.iter().any(fresh)
    }

    /// The place of the open row with the newest slot.
    pub(super) fn newest_open(&self) -> Option<usize> {
        (0..self.open.len()).max_by_key(|row| self.open[*row].slot)
    }

    /// Takes the open rows, newest slot first.
    pub(super) fn take_open(&mut self) -> Vec<Open> {
        let mut open = std::mem::take(&mut self.open);
        open.sort_by_key(|row| -row.slot);
        open
    }

    pub(super) fn fail(&mut self, status: Status) {
        match status {
            status if status.is_failure() => self.failures += 1,
            Status::Succeeded | Status::Skipped => self.failures = 0,
            _ => {}
        }
    }
}

pub(super) fn words(gap: Gap) -> String {
    format!("{}/{}", gap.status().as_str(), gap.reason())
}

pub(super) fn gap() -> impl Strategy<Value = Gap> {
    prop::sample::select(vec![
        Gap::Overlap,
        Gap::Held(HoldKind::Manual),
        Gap::Late,
        Gap::Late,
        Gap::Window,
    ])
}

pub(super) fn step() -> impl Strategy<Value = Step> {
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
        1 => (0..3_usize).prop_map(Step::Edit),
        1 => Just(Step::ActorDies),
        1 => any::<bool>().prop_map(|again| Step::ProcessDies { again }),
    ]
}
