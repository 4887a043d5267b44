//! Counting the messages to one type of actor, in well under a microsecond each: handles are looked up once, and whoever
//! counts takes no lock.

use std::{
    any::{TypeId, type_name},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus::{Histogram, IntCounter, IntGauge};
use tokio::time::Instant as Monotonic;

use super::actors::{ActorType, MessageFamilies};

/// The messages to actors of one type.
pub struct Inbox {
    to: ActorType,
    families: MessageFamilies,
    waiting: Waiting,
    latency: OnceLock<Histogram>,
    /// The first of a chain that only grows, by one link for each message and sender that was ever met: some thirty.
    known: OnceLock<Box<Known>>,
}

/// The series of one message from one sender.
struct Known {
    from: ActorType,
    message: TypeId,
    handled: IntCounter,
    between: Histogram,
    next: OnceLock<Box<Known>>,
}

impl Inbox {
    pub(super) fn new(to: ActorType, families: &MessageFamilies) -> Self {
        let gauge = families.waiting.with_label_values(&[to.as_str()]);
        Self {
            to,
            families: families.clone(),
            waiting: Waiting::new(gauge),
            latency: OnceLock::new(),
            known: OnceLock::new(),
        }
    }

    /// A message is on its way. It waits until the slip is dropped, whatever becomes of it.
    #[must_use]
    pub fn posted(self: &Arc<Self>, from: ActorType) -> Slip {
        Slip {
            era: self.waiting.add(),
            inbox: Arc::clone(self),
            from,
            at: Monotonic::now(),
        }
    }

    /// Messages on their way.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.count()
    }

    /// What is on its way now will never be handled, nor dropped before long: its actor hangs, and was replaced.
    pub fn write_off(&self) {
        self.waiting.write_off();
    }

    fn known<M: 'static>(&self, from: ActorType) -> &Known {
        let mut link = &self.known;
        loop {
            let known = link.get_or_init(|| Box::new(self.meet::<M>(from)));
            if known.from == from && known.message == TypeId::of::<M>() {
                return known;
            }
            link = &known.next;
        }
    }

    fn meet<M: 'static>(&self, from: ActorType) -> Known {
        let (to, name) = (self.to.as_str(), short(type_name::<M>()));
        let families = &self.families;
        Known {
            from,
            message: TypeId::of::<M>(),
            handled: families.handled.with_label_values(&[to, name]),
            between: (families.between).with_label_values(&[from.as_str(), to, name]),
            next: OnceLock::new(),
        }
    }

    fn latency(&self) -> &Histogram {
        let made = || self.families.latency.with_label_values(&[self.to.as_str()]);
        self.latency.get_or_init(made)
    }
}

/// A type's own name: without the path before it, and without what it is made of.
fn short(name: &'static str) -> &'static str {
    let whole = name.split('<').next().unwrap_or(name);
    whole.rsplit("::").next().unwrap_or(whole)
}

/// Goes with a message.
pub struct Slip {
    inbox: Arc<Inbox>,
    from: ActorType,
    at: Monotonic,
    era: u32,
}

impl Slip {
    /// The message, an `M`, is being handled.
    pub fn handled<M: 'static>(self) {
        if !self.inbox.families.on {
            return;
        }
        let seconds = self.at.elapsed().as_secs_f64();
        let known = self.inbox.known::<M>(self.from);
        known.handled.inc();
        known.between.observe(seconds);
        self.inbox.latency().observe(seconds);
    }
}

impl Drop for Slip {
    fn drop(&mut self) {
        self.inbox.waiting.remove(self.era);
    }
}

/// A number that is also a gauge. Its upper half is the era: what was added in an earlier one is forgotten.
struct Waiting {
    number: AtomicU64,
    gauge: IntGauge,
}

const ERA: u64 = 1 << 32;

impl Waiting {
    const fn new(gauge: IntGauge) -> Self {
        let number = AtomicU64::new(0);
        Self { number, gauge }
    }

    /// Replies the era.
    fn add(&self) -> u32 {
        let before = self.number.fetch_add(1, Ordering::AcqRel);
        self.gauge.inc();
        era(before)
    }

    fn remove(&self, added_in: u32) {
        let less = |number| (era(number) == added_in && count(number) > 0).then(|| number - 1);
        let (order, reading) = (Ordering::AcqRel, Ordering::Acquire);
        if self.number.fetch_update(order, reading, less).is_ok() {
            self.gauge.dec();
        }
    }

    fn write_off(&self) {
        let next_era = |number: u64| Some((number - number % ERA).wrapping_add(ERA));
        let (order, reading) = (Ordering::AcqRel, Ordering::Acquire);
        if let Ok(before) = self.number.fetch_update(order, reading, next_era) {
            self.gauge.sub(i64::from(count(before)));
        }
    }

    fn count(&self) -> usize {
        usize::try_from(count(self.number.load(Ordering::Acquire))).unwrap_or(usize::MAX)
    }
}

fn era(number: u64) -> u32 {
    u32::try_from(number >> 32).unwrap_or(u32::MAX)
}

fn count(number: u64) -> u32 {
    u32::try_from(number % ERA).unwrap_or(u32::MAX)
}
