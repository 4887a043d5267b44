//! Who did what, on its way to the store. The queue outlives every actor, and it is bounded: rows wait here while the
//! database is away, and what no longer fits is counted and logged.
//!
//! Whoever has no token can be refused as often as they like. Of those refusals the first few of each second are rows of
//! their own; the others are one row that says how many there were. They never take more than half of the queue.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant as Monotonic};

use crate::domain::audit::AuditEntry;

/// How many rows may wait.
const BOUND: usize = 10_000;
/// So many refusals of strangers in [`WINDOW`] are rows of their own.
const STRANGERS: u32 = 5;
/// See [`STRANGERS`].
const WINDOW: Duration = Duration::from_secs(1);

/// The queue; clones share it.
#[derive(Clone, Default)]
pub struct AuditQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Rung when something arrives.
    arrived: Notify,
    /// Held by whoever stores: the end of the process waits for what is on its way.
    storing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<AuditEntry>,
    /// Rows that did not fit, or that the store refused for good.
    lost: u64,
    /// When the first refusal of this window came, and how many were rows of their own.
    window: Option<(Monotonic, u32)>,
    /// The latest refusal that was no row of its own, and how many of them there are.
    summed: Option<(AuditEntry, u64)>,
}

impl AuditQueue {
    /// Something was done, or refused to somebody who is known.
    pub fn note(&self, entry: AuditEntry) {
        self.lock().push(entry);
        self.0.arrived.notify_one();
    }

    /// Something was refused to somebody without a good token.
    pub fn note_stranger(&self, entry: AuditEntry) {
        let mut inner = self.lock();
        inner.close_window(Monotonic::now());
        let (_, seen) = inner.window.get_or_insert((Monotonic::now(), 0));
        *seen += 1;
        if *seen <= STRANGERS && inner.has_room_for_strangers() {
            inner.push(entry);
        } else {
            let before = inner.summed.take().map_or(0, |(_, count)| count);
            inner.summed = Some((entry, before + 1));
        }
        drop(inner);
        self.0.arrived.notify_one();
    }

    /// Takes over what waits in another queue.
    pub fn take_over(&self, other: &Self) {
        let mut from = other.lock();
        from.sum_up();
        let waiting = std::mem::take(&mut from.waiting);
        drop(from);
        waiting.into_iter().for_each(|entry| self.note(entry));
    }

    /// Waits until there is something to store.
    pub async fn arrival(&self) {
        loop {
            let arrived = self.0.arrived.notified();
            let end = {
                let mut inner = self.lock();
                inner.close_window(Monotonic::now());
                if !inner.waiting.is_empty() {
                    return;
                }
                inner.window.filter(|_| inner.summed.is_some())
            };
            match end {
                Some((begin, _)) => tokio::select! {
                    () = arrived => {}
                    () = tokio::time::sleep_until(begin + WINDOW) => {}
                },
                None => arrived.await,
            }
        }
    }

    /// A copy of the rows that wait, oldest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<AuditEntry> {
        self.lock().waiting.iter().cloned().collect()
    }

    /// Rows that wait, a sum that is not one yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + usize::from(inner.summed.is_some())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that were never stored.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// The process stops: what is summed so far is a row.
    pub(super) fn sum_up(&self) {
        self.lock().sum_up();
    }

    /// Waits for the turn to store.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.storing.lock().await
    }

    /// The oldest rows. They go back when they are dropped, unless [`AuditBatch::settle`] is called.
    pub(super) fn take(&self, most: usize) -> AuditBatch {
        let mut inner = self.lock();
        let n = inner.waiting.len().min(most);
        AuditBatch {
            queue: self.clone(),
            entries: inner.waiting.drain(..n).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, entry: AuditEntry) {
        if self.waiting.len() < BOUND {
            self.waiting.push_back(entry);
        } else {
            self.lose(1, "more of them wait for the database than are kept");
        }
    }

    /// Logs the first loss, and then each time that there are twice as many.
    fn lose(&mut self, rows: u64, reason: &str) {
        let before = self.lost;
        self.lost += rows;
        if before == 0 || before.ilog2() < self.lost.ilog2() {
            tracing::error!(
                lost = self.lost,
                reason,
                "rows of the audit table were lost"
            );
        }
    }

    fn has_room_for_strangers(&self) -> bool {
        self.waiting.len() < BOUND / 2
    }

    fn close_window(&mut self, now: Monotonic) {
        let over = |(begin, _): &(Monotonic, u32)| now.duration_since(*begin) >= WINDOW;
        if !self.window.as_ref().is_some_and(over) {
            return;
        }
        if self.has_room_for_strangers() {
            self.sum_up();
        }
        self.window = None;
    }

    fn sum_up(&mut self) {
        let Some((last, count)) = self.summed.take() else {
            return;
        };
        self.push(AuditEntry {
            subject: "anonymous".into(),
            role: None,
            action: "refused".into(),
            target: None,
            remote: None,
            request_id: None,
            before: None,
            after: None,
            outcome: format!("{count} more refused without a good token"),
            at: last.at,
        });
    }
}

/// Rows that are being stored.
pub(super) struct AuditBatch {
    queue: AuditQueue,
    /// In their order.
    pub(super) entries: Vec<AuditEntry>,
}

impl AuditBatch {
    /// They are stored.
    pub(super) fn settle(mut self) {
        self.entries.clear();
    }

    /// They never will be.
    pub(super) fn lose(mut self, reason: &str) {
        let rows = self.entries.drain(..).len() as u64;
        self.queue.lock().lose(rows, reason);
    }
}

impl Drop for AuditBatch {
    fn drop(&mut self) {
        let mut inner = self.queue.lock();
        for entry in self.entries.drain(..).rev() {
            inner.waiting.push_front(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize) -> AuditEntry {
        AuditEntry {
            at: chrono::DateTime::UNIX_EPOCH,
            subject: n.to_string(),
            role: None,
            action: "pause".into(),
            target: None,
            remote: None,
            request_id: None,
            before: None,
            after: None,
            outcome: "ok".into(),
        }
    }

    fn subjects(queue: &AuditQueue) -> Vec<String> {
        let rows = queue.waiting().into_iter();
        rows.map(|row| row.subject).collect()
    }

    #[test]
    fn rows_of_a_group_that_is_not_stored_go_back_in_their_order() {
        let queue = AuditQueue::default();
        (0..5).for_each(|n| queue.note(entry(n)));
        drop(queue.take(3));
        assert_eq!(subjects(&queue), ["0", "1", "2", "3", "4"]);
        queue.take(2).settle();
        queue.take(1).lose("refused");
        assert_eq!(subjects(&queue), ["3", "4"]);
        assert_eq!(queue.lost(), 1);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let queue = AuditQueue::default();
        (0..BOUND + 7).for_each(|n| queue.note(entry(n)));
        assert_eq!((queue.len(), queue.lost()), (BOUND, 7));
    }

    #[test]
    fn of_a_flood_of_strangers_a_few_are_rows_and_the_others_one() {
        let queue = AuditQueue::default();
        (0..1_000).for_each(|n| queue.note_stranger(entry(n)));
        queue.sum_up();
        let rows = queue.waiting();
        let (last, few) = rows.split_last().unwrap();
        // A slow machine may need more than one window for it.
        assert!((5..100).contains(&few.len()), "{} rows", few.len());
        assert_eq!(last.action, "refused");
        assert_eq!(queue.lost(), 0);
        let all: u64 = rows.iter().map(counted).sum();
        assert_eq!(all, 1_000, "every refusal is in a row");
    }

    fn counted(row: &AuditEntry) -> u64 {
        match row.action.as_str() {
            "refused" => row.outcome.split(' ').next().unwrap().parse().unwrap(),
            _ => 1,
        }
    }

    #[test]
    fn strangers_leave_half_of_a_queue_that_cannot_be_stored_to_others() {
        let queue = AuditQueue::default();
        (0..BOUND / 2).for_each(|n| queue.note(entry(n)));
        for n in 0..100 {
            queue.note_stranger(entry(n));
            let mut inner = queue.lock();
            let begin = inner.window.unwrap().0;
            inner.close_window(begin + WINDOW);
        }
        assert_eq!(queue.waiting().len(), BOUND / 2);
        (0..BOUND / 2).for_each(|n| queue.note(entry(n)));
        assert_eq!((queue.waiting().len(), queue.lost()), (BOUND, 0));
        queue.take(BOUND).settle();
        queue.sum_up();
        assert_eq!(queue.waiting().iter().map(counted).sum::<u64>(), 100);
    }

    #[actix_rt::test]
    async fn a_sum_is_a_row_when_its_window_is_over() {
        let queue = AuditQueue::default();
        (0..6).for_each(|n| queue.note_stranger(entry(n)));
        queue.take(5).settle();
        assert!(queue.waiting().is_empty());
        queue.arrival().await;
        assert_eq!(queue.waiting().iter().map(counted).sum::<u64>(), 1);
    }

    #[test]
    fn what_waits_in_one_queue_is_taken_over_by_another() {
        let (early, queue) = (AuditQueue::default(), AuditQueue::default());
        (0..7).for_each(|n| early.note_stranger(entry(n)));
        queue.take_over(&early);
        assert!(early.is_empty());
        assert_eq!(queue.waiting().iter().map(counted).sum::<u64>(), 7);
    }
}
