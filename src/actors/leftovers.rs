//! Who looks after the posts that earlier runs left.
//!
//! Each destination is served by itself, so that a channel that has to wait holds up no other. Between two posts a run's
//! own may have its turn: see [`lanes`](super::lanes).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant as Monotonic};

/// How long a destination rests that nothing gets through to (a token that is not accepted, a platform that is not
/// configured): far below the rate at which Discord bans an address for invalid requests (10,000 in 10 minutes).
const REST: Duration = Duration::from_secs(60);

/// Platform and destination.
pub type Destination = (String, String);

/// The turns of all destinations; clones share them.
#[derive(Clone, Default)]
pub struct Leftovers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    turns: Mutex<HashMap<Destination, State>>,
    /// Rung when a turn ends.
    ended: Notify,
    /// Rung when there is something to be sent.
    arrived: Notify,
}

#[derive(Clone, Copy)]
enum State {
    Served,
    RestsUntil(Monotonic),
}

impl Leftovers {
    /// Takes the turn of a destination; `None` while somebody has it, or the destination rests.
    #[must_use]
    pub fn take(&self, destination: Destination) -> Option<Turn> {
        let mut turns = self.turns();
        let free = match turns.get(&destination) {
            None => true,
            Some(State::Served) => false,
            Some(State::RestsUntil(until)) => *until <= Monotonic::now(),
        };
        if !free {
            return None;
        }
        turns.insert(destination.clone(), State::Served);
        Some(Turn {
            leftovers: self.clone(),
            destination,
            rest: None.into(),
        })
    }

    /// Something that stood in the way has changed: no destination rests any more.
    pub fn wake(&self) {
        self.turns()
            .retain(|_, state| matches!(state, State::Served));
    }

    /// There is something to be sent to this destination; it rests no more.
    pub fn look_now(&self, destination: &Destination) {
        let mut turns = self.turns();
        if matches!(turns.get(destination), Some(State::RestsUntil(_))) {
            turns.remove(destination);
        }
        drop(turns);
        self.0.arrived.notify_one();
    }

    /// Waits until somebody says that there is something to be sent, or for `longest`.
    pub async fn arrival(&self, longest: Duration) {
        let _ = tokio::time::timeout(longest, self.0.arrived.notified()).await;
    }

    /// Waits until no destination is being served.
    pub async fn none_at_work(&self) {
        loop {
            let ended = self.0.ended.notified();
            if !self
                .turns()
                .values()
                .any(|state| matches!(state, State::Served))
            {
                return;
            }
            ended.await;
        }
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Destination, State>> {
        self.0.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to serve a destination; ends when it is dropped, also by a panic.
pub struct Turn {
    leftovers: Leftovers,
    destination: Destination,
    rest: Mutex<Option<Monotonic>>,
}

impl Turn {
    /// Lets the destination rest after this turn.
    pub fn rest(&self) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Monotonic::now() + REST);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut turns = self.leftovers.turns();
        match rest {
            Some(until) => turns.insert(self.destination.clone(), State::RestsUntil(until)),
            None => turns.remove(&self.destination),
        };
        drop(turns);
        self.leftovers.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Destination {
        ("discord".into(), "1".into())
    }

    #[test]
    fn a_destination_has_one_turn_at_a_time() {
        let leftovers = Leftovers::default();
        let turn = leftovers.take(channel());
        assert!(turn.is_some() && leftovers.take(channel()).is_none());
        drop(turn);
        assert!(leftovers.take(channel()).is_some());
    }

    #[test]
    fn a_destination_that_nothing_gets_through_to_rests() {
        let leftovers = Leftovers::default();
        leftovers.take(channel()).unwrap().rest();
        assert!(leftovers.take(channel()).is_none());
    }
}
