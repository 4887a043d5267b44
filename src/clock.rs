//! The one place where the time of day is read.
//!
//! On SQLite the process's clock judges what is due. On PostgreSQL the database's does: its answer to a heartbeat is
//! carried on by this machine's monotonic clock, so that a replica whose time of day is wrong is right all the same.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{TimeDelta, Utc};
use tokio::time::Instant as Monotonic;

use crate::domain::Instant;

/// Tells the time; clones share what they know.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// The process's own time of day.
    Process,
    /// The database's, as it was at a moment of the monotonic clock; the process's before the first answer.
    Database(RwLock<Option<(Instant, Monotonic)>>),
}

impl Clock {
    /// The process's time of day.
    #[must_use]
    pub fn process() -> Self {
        Self(Arc::new(Source::Process))
    }

    /// The time of a database, once [`Clock::heard`] has been told it.
    #[must_use]
    pub fn database() -> Self {
        Self(Arc::new(Source::Database(RwLock::new(None))))
    }

    /// Now, in UTC, to the microsecond (what both backends store).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Instant {
        use chrono::SubsecRound;
        let now = match &*self.0 {
            Source::Process => Utc::now(),
            Source::Database(known) => {
                match *known.read().unwrap_or_else(PoisonError::into_inner) {
                    Some((then, at)) => {
                        then + TimeDelta::from_std(at.elapsed()).unwrap_or_default()
                    }
                    None => Utc::now(),
                }
            }
        };
        now.trunc_subsecs(6)
    }

    /// Takes the database's time as it was at `at`; a process clock does not listen.
    ///
    /// An answer that took its time on the way must not set the clock back by that: what is less than a second behind is
    /// not heard.
    pub fn heard(&self, database: Instant, at: Monotonic) {
        let Source::Database(known) = &*self.0 else {
            return;
        };
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        let behind = known.map(|(then, moment)| then + since(at, moment) - database);
        let slightly =
            behind.is_some_and(|by| by > TimeDelta::zero() && by < TimeDelta::seconds(1));
        if !slightly {
            *known = Some((database, at));
        }
    }
}

fn since(later: Monotonic, earlier: Monotonic) -> TimeDelta {
    TimeDelta::from_std(later.saturating_duration_since(earlier)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_clock_is_not_set_back_by_a_slow_answer() {
        let (clock, at) = (Clock::database(), Monotonic::now());
        let noon = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        clock.heard(noon, at);
        clock.heard(noon - TimeDelta::milliseconds(300), at);
        assert!(clock.now() >= noon);
        clock.heard(noon - TimeDelta::hours(2), at);
        assert!(
            clock.now() < noon,
            "a clock that was really set back is heard"
        );
    }
}
