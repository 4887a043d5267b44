//! The signs of life that probes read: atomics only, so that a probe costs nothing and waits for nobody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant as Monotonic;

/// A coordinator that has not beaten for this long is wedged.
pub const WEDGED_AFTER: Duration = Duration::from_secs(4);

/// Where the process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The store is being opened, the bots registered.
    Starting,
    /// At work.
    Running,
    /// Stopping: nothing new is begun.
    Draining,
}

/// Clones share what they know.
#[derive(Clone)]
pub struct Vitals(Arc<Signs>);

struct Signs {
    born: Monotonic,
    phase: AtomicU8,
    /// Milliseconds after `born` of the coordinator's last beat; 0 before the first.
    beat: AtomicU64,
    /// Whether the store answered last time.
    database: AtomicBool,
    /// Whether the store took the last write.
    writes: AtomicBool,
    /// Whether the scheduler knows the bots.
    loaded: AtomicBool,
    /// Whether the scheduler has ever known them.
    started: AtomicBool,
}

impl Default for Vitals {
    fn default() -> Self {
        Self(Arc::new(Signs {
            born: Monotonic::now(),
            phase: AtomicU8::new(Phase::Starting as u8),
            beat: AtomicU64::new(0),
            database: AtomicBool::new(false),
            writes: AtomicBool::new(true),
            loaded: AtomicBool::new(false),
            started: AtomicBool::new(false),
        }))
    }
}

impl Vitals {
    /// The coordinator is at work at this moment.
    pub fn beat(&self) {
        let now = u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.beat.store(now.max(1), Ordering::Relaxed);
    }

    /// Whether the coordinator has beaten lately; `true` while there is none yet.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let last = Duration::from_millis(self.0.beat.load(Ordering::Relaxed));
        beats(last, self.0.born.elapsed())
    }

    /// How long the coordinator has not beaten; since the start if it never has.
    #[must_use]
    pub fn silence(&self) -> Duration {
        let last = Duration::from_millis(self.0.beat.load(Ordering::Relaxed));
        self.0.born.elapsed().saturating_sub(last)
    }

    /// Takes the step to another phase.
    pub fn enter(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Where the process is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Running,
            _ => Phase::Draining,
        }
    }

    /// Whether the store answered.
    pub fn set_database(&self, answers: bool) {
        self.0.database.store(answers, Ordering::Relaxed);
    }

    /// Whether the store took a write: one that only answers questions is not there.
    pub fn set_writes(&self, taken: bool) {
        self.0.writes.store(taken, Ordering::Relaxed);
    }

    /// Whether the store took the last write.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Whether the store answered last time, and took the last write.
    #[must_use]
    pub fn database(&self) -> bool {
        self.0.database.load(Ordering::Relaxed) && self.writes()
    }

    /// Whether the scheduler knows the bots.
    pub fn set_loaded(&self, loaded: bool) {
        self.0.loaded.store(loaded, Ordering::Relaxed);
        self.0.started.fetch_or(loaded, Ordering::Relaxed);
    }

    /// Whether the scheduler has ever known the bots: once it has, the start is over for good.
    #[must_use]
    pub fn started(&self) -> bool {
        self.0.started.load(Ordering::Relaxed)
    }

    /// Whether slots are run: at work, with a store, knowing the bots.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase() == Phase::Running && self.database() && self.loaded()
    }

    /// Whether the scheduler knows the bots.
    #[must_use]
    pub fn loaded(&self) -> bool {
        self.0.loaded.load(Ordering::Relaxed)
    }
}

/// Whether a coordinator that last beat then is at work now; zero is before the first beat.
fn beats(last: Duration, now: Duration) -> bool {
    last.is_zero() || now.saturating_sub(last) < WEDGED_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinator_that_stops_beating_is_wedged_and_one_that_never_beat_is_not() {
        let (then, just_before) = (Duration::from_secs(100), Duration::from_millis(1));
        assert!(beats(Duration::ZERO, then));
        assert!(beats(then, then + WEDGED_AFTER - just_before));
        assert!(!beats(then, then + WEDGED_AFTER));
        let vitals = Vitals::default();
        assert!(vitals.is_live());
        vitals.beat();
        assert!(vitals.is_live());
    }

    #[test]
    fn only_a_running_process_with_a_store_that_takes_writes_and_known_bots_is_ready() {
        let vitals = Vitals::default();
        vitals.enter(Phase::Running);
        vitals.set_database(true);
        assert!(!vitals.is_ready() && !vitals.started());
        vitals.set_loaded(true);
        assert!(vitals.is_ready() && vitals.started());
        vitals.set_writes(false);
        assert!(!vitals.is_ready() && !vitals.database());
        vitals.set_writes(true);
        vitals.set_loaded(false);
        assert!(!vitals.is_ready() && vitals.started());
        vitals.set_loaded(true);
        vitals.enter(Phase::Draining);
        assert!(!vitals.is_ready() && vitals.database() && vitals.loaded());
    }
}
