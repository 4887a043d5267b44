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
    /// Held by whoever writes: what comes first is stored first.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Pending>,
    /// How many of those are kept.
    kept: usize,
    /// Taken and not yet dealt with.
    in_flight: usize,
    /// Kept writes that were refused because the bound was reached.
    refused: u64,
    /// The store did not answer last time; what is not kept is refused at once.
    away: bool,
    /// So many writes are taken one by one, because one of them made the store panic.
    suspects: usize,
    /// Writes that ever arrived, and those that are dealt with for good.
    arrived: u64,
    settled: u64,
}

impl WriteQueue {
    /// A queue that keeps at most `bound` writes.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self(Arc::new(Shared {
            inner: Mutex::default(),
            bound,
            arrived: Notify::new(),
            settled: Notify::new(),
            writing: tokio::sync::Mutex::default(),
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
        inner.arrived += 1;
        let verdict = if pending.kept && inner.kept >= self.0.bound {
            Err(WriteError::Full)
        } else if inner.away && !pending.kept {
            Err(WriteError::Unavailable)
        } else {
            Ok(())
        };
        match verdict {
            Ok(()) => {
                inner.kept += usize::from(pending.kept);
                inner.waiting.push_back(pending);
            }
            Err(error) => {
                inner.refused += u64::from(pending.kept);
                inner.settled += 1;
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

    /// Waits until everything that has arrived so far is stored or refused.
    pub async fn caught_up(&self) {
        let target = self.lock().arrived;
        loop {
            let settled = self.0.settled.notified();
            if self.lock().settled >= target {
                return;
            }
            settled.await;
        }
    }

    /// Waits for the turn to write.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.writing.lock().await
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

    /// The store does not answer: whoever can ask again is told so at once.
    pub(super) fn away(&self) {
        let mut inner = self.lock();
        inner.away = true;
        let waiting = std::mem::take(&mut inner.waiting).into_iter();
        let (kept, others): (VecDeque<Pending>, VecDeque<Pending>) =
            waiting.partition(|pending| pending.kept);
        inner.waiting = kept;
        inner.settled += others.len() as u64;
        drop(inner);
        for pending in others {
            refuse(pending, WriteError::Unavailable);
        }
        self.0.settled.notify_waiters();
    }

    /// The store may answer again.
    pub(super) fn back(&self) {
        self.lock().away = false;
    }

    pub(super) fn take(&self, most: usize) -> Batch {
        let mut inner = self.lock();
        let most = if inner.suspects > 0 { 1 } else { most };
        inner.suspects = inner.suspects.saturating_sub(1);
        let n = inner.waiting.len().min(most);
        let pending: Vec<Pending> = inner.waiting.drain(..n).collect();
        inner.kept -= pending.iter().filter(|pending| pending.kept).count();
        inner.in_flight += pending.len();
        Batch {
            queue: self.clone(),
            taken: pending.len(),
            broke: false,
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
    /// The store's own code panicked over it.
    pub(super) broke: bool,
    pub(super) pending: Vec<Pending>,
}

/// A write that made the store panic so often is given up.
const PANICS_ALLOWED: u8 = 3;

impl Drop for Batch {
    fn drop(&mut self) {
        let panicking = self.broke || std::thread::panicking();
        let alone = self.taken == 1;
        let (mut back, mut given_up) = (Vec::new(), Vec::new());
        for mut pending in self.pending.drain(..) {
            // Which write of a group made the store panic, only taking them one by one tells.
            pending.panics += u8::from(panicking && alone);
            let keep = pending.kept && pending.panics < PANICS_ALLOWED;
            if keep { &mut back } else { &mut given_up }.push(pending);
        }
        let mut inner = self.queue.lock();
        inner.in_flight -= self.taken;
        inner.settled += (self.taken - back.len()) as u64;
        if panicking && !alone {
            inner.suspects = back.len();
        }
        inner.kept += back.len();
        for pending in back.into_iter().rev() {
            inner.waiting.push_front(pending);
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
        tracing::error!(%error, write = name(&pending.write), "a result was lost before it was stored");
    }
    if let Some(reply) = pending.reply {
        let _ = reply.send(Err(error));
    }
}

/// Which write, in a few words: bodies and inputs do not belong into the log.
pub(super) fn name(write: &Write) -> String {
    let bot = match write {
        Write::Advance(advance) => advance.bot.as_str(),
        Write::Start(start) => start.bot.as_str(),
        Write::Finish(finish) => {
            return format!("the end of run {} of {}", finish.execution, finish.bot);
        }
        Write::StorePost(post) => {
            return format!("a post of run {} of {}", post.execution, post.bot);
        }
        Write::MarkPost(mark) => return format!("post {} is {}", mark.id, mark.status.as_str()),
        other => {
            let text = format!("{other:?}");
            return text.chars().take(60).collect();
        }
    };
    format!("a claim of {bot}")
}
