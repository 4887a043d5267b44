//! What transactions have made true: handed over when they are committed, and where nobody can cut it off.
//!
//! The facts of a commit that was not answered wait until the server says what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    PostgresStore,
    connection::Connection,
    gate::{Access, Broken, Fate, Work},
    unsure::is_committed,
};
use crate::{
    domain::fact::Fact,
    store::{StoreError, facts::Facts},
};

/// Unanswered commits whose facts are kept; the oldest are given up.
const UNSURE: usize = 64;

/// What a transaction answers, if it is stored.
pub(super) struct Stored<T> {
    pub(super) answer: T,
    /// Its number, by which the server knows what became of it; `None` if it changed nothing.
    pub(super) transaction: Option<String>,
    /// What it makes true.
    pub(super) facts: Vec<Fact>,
}

/// The facts of this process, and those of which nobody knows whether they are some.
#[derive(Default)]
pub(super) struct Telling {
    pub(super) sure: Facts,
    unsure: Mutex<Vec<(String, Vec<Fact>)>>,
}

impl Telling {
    /// The transaction has ended.
    fn ended<T>(&self, stored: &mut Stored<T>, fate: Fate) {
        let facts = std::mem::take(&mut stored.facts);
        match (fate, &stored.transaction) {
            (Fate::Committed, _) => self.sure.add(facts),
            (Fate::Unsure, Some(transaction)) if !facts.is_empty() => {
                self.note(transaction.clone(), facts);
            }
            (Fate::Unsure, _) => {}
        }
    }

    fn note(&self, transaction: String, facts: Vec<Fact>) {
        let mut unsure = self.unsure();
        if unsure.len() >= UNSURE {
            let (_, lost) = unsure.remove(0);
            tracing::warn!(
                lost = lost.len(),
                "too many commits were not answered: what the oldest may have done is not counted"
            );
        }
        unsure.push((transaction, facts));
    }

    /// The server has said what became of an unanswered commit.
    fn settle(&self, transaction: &str, is_committed: bool) {
        let mut unsure = self.unsure();
        let place = unsure.iter().position(|(one, _)| one == transaction);
        let found = place.map(|place| unsure.remove(place));
        drop(unsure);
        if let Some((_, facts)) = found.filter(|_| is_committed) {
            self.sure.add(facts);
        }
    }

    fn open(&self) -> Vec<String> {
        let unsure = self.unsure();
        unsure.iter().map(|(one, _)| one.clone()).collect()
    }

    fn unsure(&self) -> MutexGuard<'_, Vec<(String, Vec<Fact>)>> {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PostgresStore {
    /// Does `work` in one transaction, and hands its facts over.
    pub(super) async fn change<T, W>(&self, work: W) -> Result<Stored<T>, Broken<Stored<T>>>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> Work<'c, Stored<T>> + Send + 'static,
        T: Send + 'static,
    {
        let telling = self.telling.clone();
        let ended = move |stored: &mut Stored<T>, fate| telling.ended(stored, fate);
        self.gate.run_unsure(Access::Write, work, ended).await
    }

    /// Asks what became of unanswered commits whose batches did not come again.
    pub(super) async fn settle_facts(&self) {
        for transaction in self.telling.open() {
            if self.fate_of(&transaction).await.is_err() {
                return;
            }
        }
    }

    /// Whether a commit that was not answered was carried out; `None` while the server is still at it.
    pub(super) async fn fate_of(&self, transaction: &str) -> Result<Option<bool>, StoreError> {
        let number = transaction.to_owned();
        let fate = self
            .gate
            .read(move |c| Box::pin(is_committed(c, number)))
            .await;
        let fate = match fate {
            // Another server has taken over, which has never heard of it.
            Err(StoreError::Failed(_)) => Some(false),
            fate => fate?,
        };
        if let Some(is_committed) = fate {
            self.telling.settle(transaction, is_committed);
        }
        Ok(fate)
    }
}
