//! The waits that Discord has asked for, kept so that no request is spent on a sure refusal.
//!
//! A 429 holds back its channel, or every channel when it is global; a success that used up its bucket holds back
//! its channel until the bucket is full again. The answer in hand is never changed by it.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::answer::{Answer, Limit};

/// What one token has to wait for.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Waits>);

#[derive(Debug, Default)]
struct Waits {
    /// No request at all before this.
    all: Option<Instant>,
    /// No request to the channel before this. Waits that are over are swept out, so it holds live ones only.
    channels: HashMap<NonZeroU64, Instant>,
}

impl Limits {
    /// How long a request to `channel` has to wait still.
    pub(super) fn wait(&self, channel: NonZeroU64) -> Option<Duration> {
        let now = Instant::now();
        let waits = self.waits();
        let until = waits.all.max(waits.channels.get(&channel).copied())?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Takes in what an answer says about limits.
    pub(super) fn hear(&self, channel: NonZeroU64, answer: &Answer) {
        let now = Instant::now();
        let mut waits = self.waits();
        waits.channels.retain(|_, until| *until > now);
        match answer.limit() {
            Some(Limit::Everywhere(wait)) => waits.all = waits.all.max(now.checked_add(wait)),
            Some(Limit::Channel(wait)) => {
                let until = waits.channels.entry(channel).or_insert(now);
                *until = (*until).max(now + wait);
            }
            None => {}
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
