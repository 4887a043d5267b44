//! Whose turn it is to send to a destination: one post at a time, in the order in which posts were stored.
//!
//! Each destination has a lane of its own, so that one that hangs holds up no other. A lane knows the posts that this
//! process has stored and not settled yet, told by the store's answers before anybody else hears of them; with a store of
//! this process alone that is all there is to know, once it was read. What goes first in a shared store, and what to do
//! about it, is decided in [`sending`]. Whoever has the turn gives it back by being dropped.

pub mod sending;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::leftovers::Destination;
use crate::domain::post::Post;

/// Lanes that are kept although nothing happens on them, at most; a lane made anew reads the store once.
const IDLE_LANES: usize = 1000;

/// The lanes of all destinations; clones share them.
#[derive(Clone, Default)]
pub struct Lanes(Arc<Mutex<All>>);

#[derive(Default)]
struct All {
    lanes: HashMap<Destination, Lane>,
    /// Where the posts stand whose fate is on its way to the store.
    settling: HashMap<i64, (Destination, i64)>,
    /// Seats that were ever taken: tells two of the same post apart.
    seats: u64,
}

/// A post's turn, and the number of the seat.
type Place = (i64, u64);

#[derive(Default)]
struct Lane {
    /// What this process knows to be pending in the store, by turn.
    line: BTreeMap<i64, Standing>,
    /// Who wants to send, by turn; whoever is at work among them.
    seats: BTreeMap<Place, Arc<Notify>>,
    at_work: Option<Place>,
    /// Nothing is pending that is not in `line`.
    complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    id: i64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As its run knows it.
    Waits,
    /// Somebody else has tried to send it: its attempts are not what its run remembers.
    Tried,
    /// Its fate is known, and on its way to the store.
    Settled,
}

/// What a lane knows at somebody's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Everything that is pending is in the line, and nothing in it goes first.
    pub is_clear: bool,
    /// The post is as it was given: nobody else has had it meanwhile.
    pub is_fresh: bool,
    /// Posts whose fate the store may not know yet.
    pub settled: HashSet<i64>,
}

impl Lanes {
    /// The store has this post, pending: told as soon as it has answered.
    pub fn stored(&self, post: &Post) {
        let standing = Standing {
            id: post.id,
            state: State::Waits,
        };
        let mut all = self.all();
        let lane = all.lanes.entry(destination(post)).or_default();
        lane.line.entry(post.turn).or_insert(standing);
    }

    /// The fate of this post is known; the store does not know it yet.
    pub fn settled(&self, post: &Post) {
        let (at, mut all) = (destination(post), self.all());
        all.settling.insert(post.id, (at.clone(), post.turn));
        let standing = Standing {
            id: post.id,
            state: State::Settled,
        };
        let lane = all.lanes.entry(at).or_default();
        lane.line.insert(post.turn, standing);
    }

    /// The store knows the fate of this post.
    pub fn fate_is_stored(&self, id: i64) {
        let mut all = self.all();
        let Some((at, turn)) = all.settling.remove(&id) else {
            return;
        };
        if let Some(lane) = all.lanes.get_mut(&at) {
            lane.line.remove(&turn);
        }
        all.sweep(&at);
    }

    /// Joins the line of the post's destination.
    #[must_use]
    pub fn join(&self, post: &Post) -> Seat {
        let (destination, bell, mut all) = (destination(post), Arc::default(), self.all());
        all.seats += 1;
        let place = (post.turn, all.seats);
        let lane = all.lanes.entry(destination.clone()).or_default();
        lane.seats.insert(place, Arc::clone(&bell));
        drop(all);
        Seat {
            lanes: self.clone(),
            destination,
            place,
            bell,
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// An idle lane goes, if there are many.
    fn sweep(&mut self, at: &Destination) {
        let idle = |lane: &Lane| lane.line.is_empty() && lane.seats.is_empty();
        if self.lanes.get(at).is_some_and(idle) && self.lanes.len() > IDLE_LANES {
            self.lanes.remove(at);
        }
    }
}

/// A place in a line; given up when it is dropped.
pub struct Seat {
    lanes: Lanes,
    destination: Destination,
    place: Place,
    bell: Arc<Notify>,
}

impl Seat {
    /// Waits until nobody sends to the destination and nobody who waits goes first.
    pub async fn turn(&self) {
        while !self.take() {
            self.bell.notified().await;
        }
    }

    fn take(&self) -> bool {
        self.with(|lane| {
            let first = lane.seats.keys().next() == Some(&self.place);
            if lane.at_work.is_none() && first {
                lane.at_work = Some(self.place);
            }
            lane.at_work == Some(self.place)
        })
    }

    /// What is known of the line.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        self.with(|lane| {
            let waits = |standing: &Standing| standing.state != State::Settled;
            let own = lane.line.get(&self.place.0);
            Outlook {
                is_clear: lane.complete && !lane.line.range(..self.place.0).any(|(_, s)| waits(s)),
                is_fresh: own.is_some_and(|own| own.state == State::Waits),
                settled: lane
                    .line
                    .values()
                    .filter(|s| !waits(s))
                    .map(|s| s.id)
                    .collect(),
            }
        })
    }

    /// All that the store has pending for the destination, up to the own post or beyond.
    pub fn read(&self, pending: &[Post], beyond: bool) {
        self.with(|lane| {
            let turns: HashSet<i64> = pending.iter().map(|post| post.turn).collect();
            let gone = |turn: &i64, standing: &mut Standing| {
                *turn < self.place.0 && standing.state != State::Settled && !turns.contains(turn)
            };
            drop(lane.line.extract_if(.., gone).collect::<Vec<_>>());
            if beyond {
                for post in pending {
                    let (id, state) = (post.id, State::Tried);
                    lane.line.entry(post.turn).or_insert(Standing { id, state });
                }
                lane.complete = true;
            }
        });
    }

    /// Another one's post is about to be sent from here.
    pub fn tries(&self, post: &Post) {
        let (id, state) = (post.id, State::Tried);
        self.with(|lane| lane.line.insert(post.turn, Standing { id, state }));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Lane) -> T) -> T {
        let mut all = self.lanes.all();
        work(all.lanes.entry(self.destination.clone()).or_default())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.lanes.all();
        if let Some(lane) = all.lanes.get_mut(&self.destination) {
            lane.seats.remove(&self.place);
            if lane.at_work == Some(self.place) {
                lane.at_work = None;
            }
            if let Some(next) = lane
                .seats
                .values()
                .next()
                .filter(|_| lane.at_work.is_none())
            {
                next.notify_one();
            }
        }
        all.sweep(&self.destination);
    }
}

fn destination(post: &Post) -> Destination {
    (post.platform.clone(), post.destination.clone())
}
