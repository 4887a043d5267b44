//! One who listens: a place in the ring, and a bound on how far behind it may be.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::Notify;

use super::{EventId, Gap, Kind, News, Refused, Told, ring::Ring};

/// So many happenings are taken at a time.
const BATCH: usize = 64;

/// What a listener wants to hear.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// Only what is about this bot.
    pub bot: Option<String>,
    /// Only these kinds; all if none is named.
    pub kinds: Vec<Kind>,
}

impl Interest {
    fn covers(&self, told: &Told) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&told.what.kind());
        kind && (self.bot.is_none() || self.bot.as_deref() == told.what.bot())
    }
}

/// What the news knows of a listener.
pub(super) struct Seat {
    interest: Interest,
    /// The number of the first happening that it has not taken.
    next: u64,
    /// How many that it wants are waiting for it.
    waiting: usize,
    /// How many may wait: more at first if it comes back after a while, and has much to catch up with.
    room: usize,
    /// It did not keep up.
    lost: bool,
    bell: Arc<Notify>,
}

impl Seat {
    /// Something was told; answers whether this listener has just fallen too far behind.
    pub(super) fn is_overrun_by(&mut self, told: &Told, number: u64, first_kept: u64) -> bool {
        if self.lost {
            return false;
        }
        if self.interest.covers(told) {
            self.waiting += 1;
        } else if self.waiting == 0 {
            self.next = number + 1;
        }
        self.lost = self.waiting > self.room || (self.waiting > 0 && self.next < first_kept);
        if self.waiting > 0 {
            self.ring();
        }
        self.lost
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Takes some of what waits; `None` if it is not kept any more.
    fn take(&mut self, ring: &Ring, most_behind: usize) -> Option<VecDeque<Arc<Told>>> {
        let wanted = ring
            .from(self.next)?
            .filter(|told| self.interest.covers(told));
        let batch: VecDeque<Arc<Told>> = wanted.take(BATCH).cloned().collect();
        self.waiting = self.waiting.saturating_sub(batch.len());
        self.room = self.room.min(self.waiting + most_behind);
        self.next = match batch.back() {
            Some(last) if self.waiting > 0 => last.id.number + 1,
            _ => ring.last() + 1,
        };
        Some(batch)
    }
}

/// What a listener hears next.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A happening.
    Told(Arc<Told>),
    /// It did not keep up, and hears nothing any more.
    Dropped,
    /// Nobody tells anything any more.
    Closed,
}

enum Taken {
    Batch(VecDeque<Arc<Told>>),
    Nothing,
    End(Heard),
}

/// Hears what happens, until it is dropped.
pub struct Listener {
    news: News,
    seat: u64,
    bell: Arc<Notify>,
    gap: Option<Gap>,
    ready: VecDeque<Arc<Told>>,
}

impl News {
    /// Listens to what happens from now on; if `after` names the last happening that was heard, first to all since then.
    /// If that is not to be had, [`Listener::gap`] says why.
    ///
    /// # Errors
    /// Too many listen, or the process stops.
    pub fn subscribe(&self, after: Option<&str>, interest: Interest) -> Result<Listener, Refused> {
        let mut guard = self.lock();
        let (inner, bounds) = (&mut *guard, self.0.bounds);
        if inner.closed {
            return Err(Refused::Closed);
        }
        if inner.seats.len() >= bounds.listeners {
            return Err(Refused::Full(bounds.listeners));
        }
        let start = after.map_or(Ok(None), |id| self.resume(id, &inner.ring).map(Some));
        let gap = start.err();
        let next = start.ok().flatten().unwrap_or(inner.ring.last() + 1);
        let missed = inner.ring.from(next).into_iter().flatten();
        let waiting = missed.filter(|told| interest.covers(told)).count();
        let bell = Arc::new(Notify::new());
        inner.seated += 1;
        let seat = Seat {
            interest,
            next,
            waiting,
            room: waiting + bounds.behind,
            lost: false,
            bell: Arc::clone(&bell),
        };
        inner.seats.insert(inner.seated, seat);
        Ok(Listener {
            news: self.clone(),
            seat: inner.seated,
            bell,
            gap,
            ready: VecDeque::new(),
        })
    }

    /// The number of the happening after this one.
    fn resume(&self, after: &str, ring: &Ring) -> Result<u64, Gap> {
        let mine = |id: &EventId| id.epoch == self.0.epoch && id.number <= ring.last();
        let id = EventId::parse(after).filter(mine).ok_or(Gap::Unknown)?;
        let next = id.number + 1;
        if next < ring.first() {
            return Err(Gap::TooOld);
        }
        Ok(next)
    }

    fn take(&self, seat: u64) -> Taken {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let Some(seat) = inner.seats.get_mut(&seat).filter(|_| !inner.closed) else {
            return Taken::End(Heard::Closed);
        };
        if seat.lost {
            return Taken::End(Heard::Dropped);
        }
        if seat.waiting == 0 {
            return Taken::Nothing;
        }
        match seat.take(&inner.ring, self.0.bounds.behind) {
            Some(batch) => Taken::Batch(batch),
            None => Taken::End(Heard::Dropped),
        }
    }
}

impl Listener {
    /// Why it does not get what it missed, if that is so.
    #[must_use]
    pub const fn gap(&self) -> Option<Gap> {
        self.gap
    }

    /// Waits for the next happening. May be given up at any moment: nothing is lost by it.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Heard::Told(told);
            }
            match self.news.take(self.seat) {
                Taken::Batch(batch) => self.ready = batch,
                Taken::Nothing => self.bell.notified().await,
                Taken::End(end) => return end,
            }
        }
    }

    /// The next happening, if it is there already.
    pub fn at_hand(&mut self) -> Option<Arc<Told>> {
        self.ready.pop_front()
    }

    /// The newest happening, if this listener has heard all that it wants up to it: where it may go on later.
    #[must_use]
    pub fn position(&self) -> Option<EventId> {
        let inner = self.news.lock();
        let seat = inner.seats.get(&self.seat)?;
        let caught_up = self.ready.is_empty() && seat.waiting == 0 && !seat.lost;
        caught_up.then(|| EventId {
            epoch: self.news.0.epoch,
            number: inner.ring.last(),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.news.lock().seats.remove(&self.seat);
    }
}
