//! What the facts add up to, beside what the ledger says.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::collections::BTreeMap;

use actor_server::{
    domain::{bot::BotName, fact::Fact, hold::HoldKind, outcome::Status},
    store::LedgerRow,
};

/// Slots and runs by bot, status and reason, and the holds that stand.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    counts: BTreeMap<(BotName, String), (u64, u64)>,
    pub(crate) holds: BTreeMap<BotName, HoldKind>,
}

impl Tally {
    /// Counts facts in; fails if a hold is told that stands already, or that it ends where there is none.
    pub(crate) fn add(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            match fact {
                Fact::Accounted(one) => {
                    let fate = fate(one.status, one.reason.as_deref());
                    self.count(&one.bot, fate, one.slots, one.ran);
                }
                Fact::HoldSet { bot, hold } => {
                    let before = self.holds.insert(bot, hold.kind);
                    assert_ne!(before, Some(hold.kind));
                }
                Fact::HoldCleared { bot } => {
                    assert!(self.holds.remove(&bot).is_some());
                }
            }
        }
    }

    /// The same from rows of the ledger; a row that ended at a time is a run's.
    pub(crate) fn of_ledger(rows: &[LedgerRow]) -> Self {
        let mut tally = Self::default();
        for row in rows.iter().filter(|row| row.status != Status::Running) {
            let slots = row.scheduled_for.map_or(0, |_| row.slots);
            let fate = fate(row.status, row.reason.as_deref());
            let ran = row.completed_at.is_some();
            tally.count(&row.bot, fate, u64::try_from(slots).unwrap(), ran);
        }
        tally
    }

    /// Counts the facts of one of several processes in; of holds, which several set and end, nothing is said.
    pub(crate) fn add_ends(&mut self, facts: Vec<Fact>) {
        let ends = |fact: &Fact| matches!(fact, Fact::Accounted(_));
        self.add(facts.into_iter().filter(ends).collect());
    }

    /// Only what is known of one bot.
    pub(crate) fn of(&self, bot: &BotName) -> Self {
        let counts = self.counts.iter().filter(|((one, _), _)| one == bot);
        let holds = self.holds.iter().filter(|(one, _)| *one == bot);
        Self {
            counts: counts.map(|(key, count)| (key.clone(), *count)).collect(),
            holds: holds.map(|(bot, kind)| (bot.clone(), *kind)).collect(),
        }
    }

    fn count(&mut self, bot: &BotName, fate: String, slots: u64, ran: bool) {
        let count = self.counts.entry((bot.clone(), fate)).or_default();
        count.0 += slots;
        count.1 += u64::from(ran);
    }
}

fn fate(status: Status, reason: Option<&str>) -> String {
    format!("{} {}", status.as_str(), reason.unwrap_or_default())
}
