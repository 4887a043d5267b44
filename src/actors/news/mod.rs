//! What has just happened, for those who listen (`GET /api/v1/stream`): told by the actors, kept for a while so that a
//! listener that was cut off can go on where it was.
//!
//! Telling never waits for a listener and costs about a microsecond: whatever is told goes into one ring, and listeners
//! read from it, each at its own place. One that falls too far behind is dropped instead of being waited for. The news
//! is of this process: runs of other replicas are theirs to tell. Nothing here is a promise that something is known
//! for ever; that is the ledger's.

mod happening;
mod holds;
mod listener;
mod ring;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

pub use self::{
    happening::{Happening, Kind},
    listener::{Heard, Interest, Listener},
    ring::Told,
};
use self::{holds::Holds, listener::Seat, ring::Ring};
use crate::domain::Instant;

/// How much is kept, and for how many.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Happenings in the ring.
    pub items: usize,
    /// Bytes in the ring, roughly.
    pub bytes: usize,
    /// Happenings that a listener may be behind by.
    pub behind: usize,
    /// Listeners at a time.
    pub listeners: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            items: 10_000,
            bytes: 8 << 20,
            behind: 1024,
            listeners: 256,
        }
    }
}

/// Names one happening of one process: the process's random number, and a number that grows by one with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    epoch: u64,
    number: u64,
}

impl EventId {
    /// Reads what [`EventId`] shows; anything else is no id of this process.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.split_once('-')?;
        let id = Self {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            number: number.parse().ok()?,
        };
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.number)
    }
}

/// Why nobody may listen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The process stops.
    #[error("the server is stopping")]
    Closed,
    /// There are as many listeners as may be.
    #[error("{0} clients listen already, which is the most; try again later")]
    Full(usize),
}

/// Why a listener does not get what it missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The id is none of this process's: another replica's, or from before a restart.
    Unknown,
    /// What came after it is not kept any more.
    TooOld,
}

/// Takes what happens; clones share it.
#[derive(Clone)]
pub struct News(Arc<Shared>);

struct Shared {
    epoch: u64,
    bounds: Bounds,
    inner: Mutex<Inner>,
    holds: Holds,
}

struct Inner {
    ring: Ring,
    /// By number, for as long as the listener lives.
    seats: HashMap<u64, Seat>,
    /// Listeners that there ever were.
    seated: u64,
    /// Listeners that were dropped because they did not keep up.
    dropped: u64,
    closed: bool,
}

impl Default for News {
    fn default() -> Self {
        Self::bounded(Bounds::default())
    }
}

impl News {
    /// News that keeps no more than this.
    #[must_use]
    pub fn bounded(bounds: Bounds) -> Self {
        Self(Arc::new(Shared {
            epoch: Uuid::new_v4().as_u64_pair().0,
            bounds,
            inner: Mutex::new(Inner {
                ring: Ring::new(bounds),
                seats: HashMap::new(),
                seated: 0,
                dropped: 0,
                closed: false,
            }),
            holds: Holds::default(),
        }))
    }

    /// Something has happened at `at`.
    pub fn tell(&self, at: Instant, happening: Happening) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        if inner.closed {
            return;
        }
        let number = inner.ring.last() + 1;
        let id = EventId {
            epoch: self.0.epoch,
            number,
        };
        let first = inner.ring.push(Told::new(id, at, happening));
        if inner.seats.is_empty() {
            return;
        }
        let Some(told) = inner.ring.newest() else {
            return;
        };
        for seat in inner.seats.values_mut() {
            inner.dropped += u64::from(seat.is_overrun_by(told, number, first));
        }
    }

    /// Ends all listening at once, and lets nobody listen any more: a stop does not wait for clients.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.seats.values().for_each(Seat::ring);
    }

    /// How many listen now, those included that were dropped and have not left yet.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.lock().seats.len()
    }

    /// How many listeners were dropped because they did not keep up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
