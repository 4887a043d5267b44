//! What is kept: the newest happenings, as many as the bounds allow.

use std::{collections::VecDeque, sync::Arc};

use super::{Bounds, EventId, Happening};
use crate::domain::Instant;

/// A happening with its id and its time.
#[derive(Clone, Debug)]
pub struct Told {
    /// What a listener that is cut off comes back with.
    pub id: EventId,
    /// When.
    pub at: Instant,
    /// What.
    pub what: Happening,
}

impl Told {
    pub(super) fn new(id: EventId, at: Instant, what: Happening) -> Self {
        let what = what.bounded();
        Self { id, at, what }
    }

    fn weight(&self) -> usize {
        size_of::<(EventId, Instant)>() + self.what.weight()
    }
}

/// The newest happenings, numbered without a gap.
pub(super) struct Ring {
    kept: VecDeque<Arc<Told>>,
    bytes: usize,
    bounds: Bounds,
    /// The number of the newest; 0 before there was one.
    last: u64,
}

impl Ring {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            bounds,
            last: 0,
        }
    }

    /// The number of the newest, kept or not.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// The number of the oldest that is kept, or of the next if none is.
    pub(super) fn first(&self) -> u64 {
        self.last + 1 - self.kept.len() as u64
    }

    pub(super) fn newest(&self) -> Option<&Arc<Told>> {
        self.kept.back()
    }

    /// Keeps one more, and lets the oldest go that are too many; answers the number of the oldest that is left.
    pub(super) fn push(&mut self, told: Told) -> u64 {
        self.bytes += told.weight();
        self.last += 1;
        self.kept.push_back(Arc::new(told));
        while self.kept.len() > self.bounds.items || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
        }
        self.first()
    }

    /// Everything from this number on; `None` if some of it is not kept any more.
    pub(super) fn from(&self, number: u64) -> Option<impl Iterator<Item = &Arc<Told>>> {
        let skipped = usize::try_from(number.checked_sub(self.first())?).ok()?;
        Some(self.kept.iter().skip(skipped))
    }
}
