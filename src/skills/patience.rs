//! Leaves servers alone that asked for it, over all bots and runs of this process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::Url;
use tokio::time::Instant;

use super::SkillError;

/// How many waits are remembered.
const MOST: usize = 1_000;

/// Who wants to be left alone, by URL, and until when.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<HashMap<Url, Instant>>);

impl Patience {
    /// Whether a feed may be asked now.
    pub(super) fn check(&self, url: &Url) -> Result<(), SkillError> {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        waits.retain(|_, until| *until > now);
        match waits.get(url) {
            Some(until) => Err(asked(url, *until - now)),
            None => Ok(()),
        }
    }

    /// Leaves it alone for so long.
    pub(super) fn have(&self, url: &Url, wait: Duration) -> SkillError {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.len() < MOST {
            waits.insert(url.clone(), Instant::now() + wait);
        }
        asked(url, wait)
    }
}

fn asked(url: &Url, wait: Duration) -> SkillError {
    let (origin, seconds) = (
        url.origin().ascii_serialization(),
        wait.as_secs_f64().ceil(),
    );
    SkillError::recoverable(format!("{origin} wants to be left alone for {seconds} s"))
}
