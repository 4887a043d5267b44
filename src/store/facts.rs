//! What committed transactions have made true, until somebody takes it away.
//!
//! A transaction hands its facts over once it is committed and where nobody can cut it off: a caller that goes away loses
//! none.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::fact::Fact;

/// So many are kept at most; the oldest go first.
const MOST: usize = 100_000;

/// The facts of one process, in the order of its commits; clones share them.
#[derive(Clone, Default)]
pub(super) struct Facts(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    facts: VecDeque<Fact>,
    /// Facts that went since they were taken last.
    lost: u64,
}

impl Facts {
    /// A transaction is committed.
    pub(super) fn add(&self, facts: Vec<Fact>) {
        let mut kept = self.lock();
        kept.facts.extend(facts);
        let over = kept.facts.len().saturating_sub(MOST);
        if over == 0 {
            return;
        }
        kept.facts.drain(..over);
        if kept.lost == 0 {
            tracing::warn!(
                most = MOST,
                "nobody counts what the store has done: the oldest facts are lost"
            );
        }
        kept.lost += over as u64;
    }

    /// Everything since this was asked last.
    pub(super) fn take(&self) -> Vec<Fact> {
        let mut kept = self.lock();
        let lost = std::mem::take(&mut kept.lost);
        if lost > 0 {
            tracing::warn!(lost, "facts were lost because nobody counted them for long");
        }
        kept.facts.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bot::BotName;

    fn cleared(n: usize) -> Fact {
        let bot = BotName::parse(&format!("bot{n}")).unwrap();
        Fact::HoldCleared { bot }
    }

    #[test]
    fn facts_are_taken_once_and_in_their_order() {
        let facts = Facts::default();
        facts.add(vec![cleared(1), cleared(2)]);
        facts.clone().add(vec![cleared(3)]);
        assert_eq!(facts.take(), [cleared(1), cleared(2), cleared(3)]);
        assert_eq!(facts.take(), []);
    }

    #[test]
    fn of_too_many_facts_the_newest_are_kept() {
        let facts = Facts::default();
        facts.add((0..MOST).map(cleared).collect());
        facts.add(vec![cleared(MOST), cleared(MOST + 1)]);
        assert_eq!(facts.lock().lost, 2);
        let taken = facts.take();
        assert_eq!(taken.len(), MOST);
        assert_eq!(taken.first(), Some(&cleared(2)));
        assert_eq!(taken.last(), Some(&cleared(MOST + 1)));
    }
}
