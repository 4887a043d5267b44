//! What has happened and is not stored yet: folded, so that it stays small however long the store is away.
//!
//! For one key, the same news twice is one; and of what comes and goes while nobody could be told, the first and the last
//! are kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{AlertKind, Cause, Subject};
use crate::domain::Instant;

/// So many wait at most; the oldest go first.
const MOST: usize = 10_000;
/// So many of one key wait at most.
const MOST_OF_ONE: usize = 4;

/// One piece of news about one possible incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// What it is about.
    pub subject: Subject,
    /// Which kind of incident.
    pub kind: AlertKind,
    /// What has happened.
    pub news: News,
    /// When.
    pub at: Instant,
}

/// See [`Sign::news`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It is wrong.
    Begins(Cause),
    /// It is right again.
    Ends,
    /// Another incident says more, in these words.
    Superseded(&'static str),
    /// It cannot come back, for this reason.
    Gone(&'static str),
}

impl Sign {
    /// The key of the incident.
    #[must_use]
    pub fn key(&self) -> String {
        self.subject.key(self.kind)
    }
}

/// The signs that wait, in their order.
#[derive(Debug, Default)]
pub struct Signs {
    next: u64,
    waiting: BTreeMap<u64, Sign>,
    by_key: HashMap<String, Vec<u64>>,
    /// On their way to the store: nothing is folded into them.
    taken: HashSet<u64>,
    lost: u64,
}

impl Signs {
    /// Adds one, or folds it into the one before it.
    pub fn push(&mut self, sign: Sign) {
        let numbers = self.by_key.entry(sign.key()).or_default();
        let last = numbers.last().filter(|last| !self.taken.contains(last));
        if let Some(before) = last.and_then(|last| self.waiting.get_mut(last)) {
            match (&mut before.news, &sign.news) {
                (News::Begins(cause), News::Begins(later)) => {
                    *cause = cause.clone().and(later.clone());
                    return;
                }
                (News::Begins(_), _) | (_, News::Begins(_)) => {}
                (_, _) => return,
            }
        }
        numbers.push(self.next);
        self.waiting.insert(self.next, sign);
        self.next += 1;
        self.thin_out();
    }

    fn thin_out(&mut self) {
        let newest = self.waiting.last_key_value();
        let key = newest.map(|(_, sign)| sign.key()).unwrap_or_default();
        let of_one = self.by_key.get(&key).cloned().unwrap_or_default();
        if of_one.len() > MOST_OF_ONE {
            let middle = of_one
                .iter()
                .skip(1)
                .filter(|one| !self.taken.contains(one));
            // One of each, so that beginnings and ends still take turns.
            let middle: Vec<u64> = middle.copied().take(2).collect();
            if middle.len() == 2 {
                self.settle(&middle);
            }
        }
        while self.waiting.len() > MOST {
            let Some((oldest, _)) = self.waiting.first_key_value() else {
                return;
            };
            self.settle(&[*oldest]);
            self.lost += 1;
        }
    }

    /// The first of each key, so many at most, with their numbers; until they are settled or put back no others of their
    /// keys are taken.
    pub fn take(&mut self, most: usize) -> Vec<(u64, Sign)> {
        let is_first = |number: &u64, sign: &Sign| {
            let of_one = self.by_key.get(&sign.key());
            of_one.and_then(|numbers| numbers.first()) == Some(number)
        };
        let first = self
            .waiting
            .iter()
            .filter(|(number, sign)| is_first(number, sign) && !self.taken.contains(number));
        let taken: Vec<(u64, Sign)> = first
            .take(most)
            .map(|(number, sign)| (*number, sign.clone()))
            .collect();
        self.taken.extend(taken.iter().map(|(number, _)| number));
        taken
    }

    /// These are stored, or need not be.
    pub fn settle(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.taken.remove(number);
            let Some(sign) = self.waiting.remove(number) else {
                continue;
            };
            let key = sign.key();
            if let Some(of_one) = self.by_key.get_mut(&key) {
                of_one.retain(|one| one != number);
                if of_one.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    /// These could not be stored.
    pub fn put_back(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.taken.remove(number);
        }
    }

    /// Whether anything waits with this key.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Signs that were lost because too many waited.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}
