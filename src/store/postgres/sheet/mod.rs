//! What a batch of writes does to one bot, decided on locked rows in memory.
//!
//! A sheet holds what the database has of a bot: its state, its open runs, its newest slots and the rows that the batch
//! names. Writes change the sheet, in order; what has changed is then written back with a few statements for all bots
//! together. Nothing here asks the database anything.

mod holds;
pub(super) mod open;
mod runs;
mod slots;

pub(super) use self::slots::ends_claims;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    domain::{
        Instant,
        bot::BotName,
        fact::Fact,
        hold::HoldKind,
        outcome::Status,
        run::{ExecutionId, ReplicaId, Trigger},
        state::BotState,
    },
    store::{LedgerRow, Written},
};

/// Whether a row is to be written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// As stored.
    Kept,
    /// Stored, and changed since.
    Changed,
    /// Not stored yet.
    New,
    /// Stored, and to be deleted.
    Deleted,
}

/// A value with what became of it.
#[derive(Debug)]
pub(super) struct Tracked<T> {
    pub(super) value: T,
    pub(super) change: Change,
}

impl<T> Tracked<T> {
    pub(super) const fn stored(value: T) -> Self {
        Self {
            value,
            change: Change::Kept,
        }
    }

    pub(super) const fn new(value: T) -> Self {
        Self {
            value,
            change: Change::New,
        }
    }

    /// To be changed.
    pub(super) fn edit(&mut self) -> &mut T {
        if self.change == Change::Kept {
            self.change = Change::Changed;
        }
        &mut self.value
    }
}

/// Who writes, when, and the ids that new rows get.
pub(super) struct Writer {
    pub(super) me: ReplicaId,
    /// By the database's clock.
    pub(super) now: Instant,
    pub(super) ids: std::vec::IntoIter<i64>,
}

impl Writer {
    /// The next id; enough were drawn for the batch.
    fn id(&mut self) -> Option<ExecutionId> {
        self.ids.next().map(ExecutionId)
    }
}

/// What the database has of one bot.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) state: Option<Tracked<BotState>>,
    pub(super) rows: BTreeMap<ExecutionId, Tracked<LedgerRow>>,
    /// The rows that wishes with these keys have made, new ones included.
    pub(super) wishes: BTreeMap<String, ExecutionId>,
    /// What writes have made true, with the row that says so.
    facts: Vec<(ExecutionId, Fact)>,
    /// The kind of hold that is stored, or was told of since.
    held: Option<HoldKind>,
}

impl Sheet {
    /// A bot that is stored.
    pub(super) fn of(state: BotState) -> Self {
        Self {
            held: state.hold.as_ref().map(|hold| hold.kind),
            state: Some(Tracked::stored(state)),
            ..Self::default()
        }
    }

    /// What was made true since this was asked last, with the row that says so; a hold has none.
    pub(super) fn take_facts(&mut self) -> Vec<(Option<ExecutionId>, Fact)> {
        let facts = self.facts.drain(..);
        let mut facts: Vec<_> = facts.map(|(row, fact)| (Some(row), fact)).collect();
        if let Some(state) = self.state.as_ref().map(|state| &state.value) {
            let hold = state.hold.as_ref();
            let fact = Fact::of_hold(&state.bot, self.held, hold);
            self.held = hold.map(|hold| hold.kind);
            facts.extend(fact.map(|fact| (None, fact)));
        }
        facts
    }

    fn row(&self, id: ExecutionId) -> Option<&LedgerRow> {
        let row = self.rows.get(&id)?;
        (row.change != Change::Deleted).then_some(&row.value)
    }

    fn edit_row(&mut self, id: ExecutionId) -> Option<&mut LedgerRow> {
        let row = self.rows.get_mut(&id)?;
        (row.change != Change::Deleted).then(|| row.edit())
    }

    fn live_rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.rows
            .values()
            .filter(|row| row.change != Change::Deleted)
            .map(|row| &row.value)
    }

    /// The row, if it is this process's and `running`: another process that took it over is its only owner.
    fn owned(&self, id: ExecutionId, me: &ReplicaId) -> Option<&LedgerRow> {
        self.row(id).filter(|row| is_owned(row, me))
    }

    /// The row, if besides it has not started.
    fn waiting(&self, id: ExecutionId, me: &ReplicaId) -> Option<&LedgerRow> {
        self.owned(id, me).filter(|row| row.started_at.is_none())
    }

    fn delete(&mut self, id: ExecutionId) {
        if let Some(row) = self.rows.get_mut(&id) {
            if row.change == Change::New {
                self.rows.remove(&id);
            } else {
                row.change = Change::Deleted;
            }
        }
    }

    fn insert(&mut self, row: LedgerRow) {
        self.rows.insert(row.id, Tracked::new(row));
    }

    /// The key of the wish that makes a new row.
    pub(super) fn wish_of(&self, id: ExecutionId) -> Option<&str> {
        let mut wishes = self.wishes.iter();
        wishes
            .find(|(_, row)| **row == id)
            .map(|(key, _)| key.as_str())
    }

    fn state(&self) -> Option<&BotState> {
        self.state.as_ref().map(|state| &state.value)
    }

    /// The title that people see.
    pub(super) fn title<'a>(&'a self, bot: &'a BotName) -> &'a str {
        self.state()
            .map_or(bot.as_str(), |state| state.actor_name.as_str())
    }

    fn edit_state(&mut self) -> Option<&mut BotState> {
        self.state.as_mut().map(Tracked::edit)
    }

    fn stale(&self) -> Written {
        Written::Stale(self.state().cloned().map(Box::new))
    }

    /// The state as the answer, or that there is no such bot.
    fn answer(&self) -> Written {
        match self.state() {
            Some(state) => Written::State(Box::new(state.clone())),
            None => Written::Stale(None),
        }
    }
}

fn is_owned(row: &LedgerRow, me: &ReplicaId) -> bool {
    row.status == Status::Running && row.replica.as_deref() == Some(me.as_str())
}

/// A new row: a claim of this process. The title is taken from the state when the row is stored.
fn claim(id: ExecutionId, bot: &BotName, by: &Writer, trigger: Trigger) -> LedgerRow {
    LedgerRow {
        id,
        bot: bot.clone(),
        actor_name: String::new(),
        trigger,
        scheduled_for: None,
        slots: 1,
        slot_last: None,
        status: Status::Running,
        reason: None,
        attempt: 1,
        replica: Some(by.me.as_str().to_owned()),
        started_at: None,
        completed_at: None,
        success: None,
        skills: [0; 3],
        error: None,
        cancel_requested: false,
        created_at: by.now,
        metadata: Value::Object(serde_json::Map::new()),
    }
}
