//! Writes on their way to the store. The queue outlives the actor that empties it, so an actor's death loses none.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};

use crate::store::{Write, Written};

/// Why a write was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The store is away; the caller may ask again.
    #[error("the database is not available")]
    Unavailable,
    /// More is waiting than `results_in_memory` allows.
    #[error("more writes are waiting for the database than results_in_memory allows")]
    Full,
    /// The store refused it, for a reason that will not pass.
    #[error("{0}")]
    Failed(String),
}

/// The answer to one write.
pub type WriteResult = Result<Written, WriteError>;

/// One write with what is to become of it.
pub(super) struct Pending {
    /// The change.
    pub write: Write,
    /// Whether it is kept until it is stored, however long the store is away. What is not kept is answered
    /// [`WriteError::Unavailable`] at the first failure.
    pub kept: bool,
    /// Who waits for the answer.
    pub reply: Option<oneshot::Sender<WriteResult>>,
    /// How often writing it ended in a panic.
    pub panics: u8,
}

/// The queue; clones share it.
#[derive(Clone)]
pub struct WriteQueue(Arc<Shared>);

struct Shared {
    inner: Mutex<Inner>,
    /// How many kept writes may wait (`results_in_memory`).
    bound: usize,
    /// Rung when something arrives.
    arrived: Notify,
    /// Rung when a batch has been dealt with.
    settled: Notify,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Pending>,
    /// Taken and not yet dealt with.
    in_flight: usize,
    /// Kept writes that were refused because the bound was reached.
    refused: u64,
    /// The store did not answer last time; what is not kept is refused at once.
    away: bool,
}

impl WriteQueue {
    /// A queue that keeps at most `bound` writes.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let (inner, arrived, settled) = (Mutex::default(), Notify::new(), Notify::new());
        Self(Arc::new(Shared {
            inner,
            bound,
            arrived,
            settled,
        }))
    }

    /// Adds a write that is stored sooner or later; nobody waits for it.
    pub fn keep(&self, write: Write) {
        self.add(Pending {
            write,
            kept: true,
            reply: None,
            panics: 0,
        });
    }

    /// Adds a write and gives where its answer will come. Kept writes wait for a store that is away.
    pub fn send(&self, write: Write, kept: bool) -> oneshot::Receiver<WriteResult> {
        let (reply, answer) = oneshot::channel();
        self.add(Pending {
            write,
            kept,
            reply: Some(reply),
            panics: 0,
        });
        answer
    }

    /// Adds a write and waits for its answer.
    ///
    /// # Errors
    /// It was not carried out, or nobody knows.
    pub async fn ask(&self, write: Write, kept: bool) -> WriteResult {
        self.send(write, kept)
            .await
            .unwrap_or(Err(WriteError::Unavailable))
    }

    fn add(&self, pending: Pending) {
        let mut inner = self.lock();
        let verdict = if inner.waiting.len() >= self.0.bound {
            Err(WriteError::Full)
        } else if inner.away && !pending.kept {
            Err(WriteError::Unavailable)
        } else {
            Ok(())
        };
        match verdict {
            Ok(()) => inner.waiting.push_back(pending),
            Err(error) => {
                inner.refused += u64::from(pending.kept);
                drop(inner);
                refuse(pending, error);
                return;
            }
        }
        drop(inner);
        self.0.arrived.notify_one();
    }

    /// Waits until there is something to write.
    pub async fn arrival(&self) {
        loop {
            let arrived = self.0.arrived.notified();
            if !self.lock().waiting.is_empty() {
                return;
            }
            arrived.await;
        }
    }

    /// Waits until everything is stored or refused.
    pub async fn drained(&self) {
        loop {
            let settled = self.0.settled.notified();
            if self.is_empty() {
                return;
            }
            settled.await;
        }
    }

    /// Writes that are not dealt with yet.
    #[must_use]
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.in_flight
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Kept writes that were lost because the bound was passed.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// Whether the store did not answer last time.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.lock().away
    }

    pub(super) fn set_away(&self, away: bool) {
        self.lock().away = away;
    }

    pub(super) fn take(&self, most: usize) -> Batch {
        let mut inner = self.lock();
        let n = inner.waiting.len().min(most);
        let pending: Vec<Pending> = inner.waiting.drain(..n).collect();
        inner.in_flight += pending.len();
        Batch {
            queue: self.clone(),
            taken: pending.len(),
            pending,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes taken from the queue. What is neither answered nor lost on purpose when it is dropped goes back to the front,
/// in its order: also when writing panicked.
pub(super) struct Batch {
    queue: WriteQueue,
    taken: usize,
    pub(super) pending: Vec<Pending>,
}

/// A write that made the store panic so often is given up.
const PANICS_ALLOWED: u8 = 3;

impl Drop for Batch {
    fn drop(&mut self) {
        let mut given_up = Vec::new();
        let mut inner = self.queue.lock();
        inner.in_flight -= self.taken;
        for mut pending in self.pending.drain(..).rev() {
            pending.panics += u8::from(std::thread::panicking());
            if pending.kept && pending.panics < PANICS_ALLOWED {
                inner.waiting.push_front(pending);
            } else {
                given_up.push(pending);
            }
        }
        drop(inner);
        for pending in given_up {
            refuse(pending, WriteError::Unavailable);
        }
        self.queue.0.settled.notify_waiters();
    }
}

fn refuse(pending: Pending, error: WriteError) {
    if pending.kept {
        tracing::error!(%error, write = ?pending.write, "a result was lost before it was stored");
    }
    if let Some(reply) = pending.reply {
        let _ = reply.send(Err(error));
    }
}
