//! Reads of the store for whoever is outside: a few at a time, each with a deadline, never on an actor's thread.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

use super::{env::Env, messages::ControlError};
use crate::{
    domain::{bot::BotName, state::BotState},
    store::{StatePersistence, StoreError},
};

/// Reads at a time; further ones wait for their turn, within their deadline.
const AT_ONCE: usize = 16;
/// The longest a read may take, its wait included: below [`DEADLINE`](super::messages::DEADLINE), so that whoever waits
/// for the actor hears why.
const DEADLINE: Duration = Duration::from_secs(4);

/// The longest that work on a whole knowledge table may take: below
/// [`LONG_DEADLINE`](super::messages::LONG_DEADLINE), likewise.
pub const MANY_ROWS: Duration = Duration::from_secs(25);

/// The turns of readers.
pub struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Reads.
///
/// # Errors
/// [`ControlError::Unavailable`] when the store is away or did not answer in time.
pub async fn read<T, F, W>(env: &Env, work: W) -> Result<T, ControlError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send,
    W: FnOnce(Arc<dyn StatePersistence>) -> F + Send + 'static,
{
    read_within(env, DEADLINE, work).await
}

/// Reads, with a deadline of the caller's.
///
/// # Errors
/// See [`read`].
pub async fn read_within<T, F, W>(env: &Env, longest: Duration, work: W) -> Result<T, ControlError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send,
    W: FnOnce(Arc<dyn StatePersistence>) -> F + Send + 'static,
{
    let (turns, store) = (Arc::clone(&env.readers.0), Arc::clone(&env.store));
    // A read that nobody waits for any more keeps its turn: the store is still busy with it.
    let reading = env.runtime.spawn(async move {
        let waits = timeout(longest, turns.acquire_owned());
        let _turn = waits.await.map_err(|_| too_many())?;
        work(store).await
    });
    match timeout(longest, reading).await {
        Ok(Ok(Ok(found))) => Ok(found),
        Ok(Ok(Err(error))) => {
            tracing::debug!(%error, "a read for the control API failed");
            Err(ControlError::Unavailable(error.to_string()))
        }
        Ok(Err(_)) => Err(unavailable("reading the database broke off")),
        Err(_) => Err(unavailable("the database did not answer in time")),
    }
}

/// How long a bot's stored state may take to be read before memory has to do.
const STATE: Duration = Duration::from_secs(2);

/// A bot's state: on a shared store as stored, because others may have changed it just now, and else as remembered.
///
/// # Errors
/// See [`read`].
pub async fn state(env: &Env, bot: &BotName) -> Result<Option<BotState>, ControlError> {
    if !env.store.is_shared() {
        return Ok(env.board.card(bot).map(|card| card.state.clone()));
    }
    let name = bot.clone();
    read_within(env, STATE, |store| async move { store.state(&name).await }).await
}

fn too_many() -> StoreError {
    StoreError::Unavailable("too many reads are on their way".into())
}

fn unavailable(why: &str) -> ControlError {
    ControlError::Unavailable(why.into())
}
