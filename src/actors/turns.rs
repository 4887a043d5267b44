//! Whose turn it is to change a bot's hold in this process: memory hears of the changes in the order in which they were
//! stored. Between processes the store decides, and each reads what the other did.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::bot::BotName;

/// Bots that share a turn wait for each other; with so many turns hardly any do.
const TURNS: usize = 256;

/// The turns of all bots.
pub struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Waits for a bot's turn, which is the caller's until the guard is dropped. Nobody takes two at a time.
    pub async fn of(&self, bot: &BotName) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        bot.hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % TURNS as u64).ok()?;
        Some(self.0.get(turn)?.lock().await)
    }
}
