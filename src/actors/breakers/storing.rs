//! What a store has to know of breakers, and what other processes have stored.
//!
//! Of each breaker only its latest state waits for the store, so that nothing grows while the database is away. Of several
//! processes the last one to store a breaker wins. That a token is not accepted concerns whoever has that token, and nobody
//! else.

use super::{Breakers, Change};
use crate::domain::breaker::{Breaker, StoredBreaker};

/// A breaker on its way to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstored {
    /// Whose.
    pub dependency: String,
    /// As it is.
    pub breaker: Breaker,
    /// See [`StoredBreaker::credential`].
    pub credential: Option<String>,
}

impl Breakers {
    /// Waits until there is something to store.
    pub async fn changed(&self) {
        loop {
            let changed = self.0.changed.notified();
            if !self.lock().unstored.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// The breakers that are not stored as they are, by name.
    #[must_use]
    pub fn unstored(&self) -> Vec<Unstored> {
        let inner = self.lock();
        let unstored = |name: &String| Unstored {
            dependency: name.clone(),
            breaker: inner.get(name),
            credential: inner.refused.get(name).cloned(),
        };
        inner.unstored.iter().map(unstored).collect()
    }

    /// The breaker of this platform tells that these credentials are not accepted.
    pub fn refuses(&self, platform: &str, credential: String) {
        let mut inner = self.lock();
        inner.refused.insert(platform.to_owned(), credential);
    }

    /// One was stored so, and has this revision now.
    pub fn stored(&self, dependency: &str, breaker: Breaker, revision: i64) {
        let mut inner = self.lock();
        inner.revisions.insert(dependency.to_owned(), revision);
        if inner.get(dependency) == breaker {
            inner.unstored.remove(dependency);
        }
    }

    /// One cannot be stored, for a reason that will not pass.
    pub fn never_stored(&self, dependency: &str) {
        self.lock().unstored.remove(dependency);
    }

    /// Takes over what is stored, but for what is about to be stored here. Answers the breakers that are in another state
    /// now.
    pub fn adopt(&self, stored: impl IntoIterator<Item = StoredBreaker>) -> Vec<Change> {
        let (mut inner, mut changes) = (self.lock(), Vec::new());
        for one in stored {
            let known = inner.revisions.get(&one.dependency);
            let is_news = known.is_none_or(|known| *known < one.revision);
            if !is_news || inner.unstored.contains(&one.dependency) {
                continue;
            }
            if one.breaker.is_closed() {
                inner.failing.remove(&one.dependency);
            }
            changes.extend(self.put(&mut inner, &one.dependency, one.breaker));
            if let Some(credential) = one.credential.filter(|_| !one.breaker.is_closed()) {
                inner.refused.insert(one.dependency.clone(), credential);
            }
            inner.revisions.insert(one.dependency, one.revision);
        }
        changes
    }

    /// Waits for the turn to store.
    pub(in crate::actors) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.storing.lock().await
    }
}
